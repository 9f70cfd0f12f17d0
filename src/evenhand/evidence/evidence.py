"""The evidence: subject and data, and all that is computed from them, each once and on demand."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from evenhand.errors import InputError
from evenhand.evidence.candidates import fitted_on, truth_known
from evenhand.evidence.extremes import extreme_groups
from evenhand.evidence.following import followed_scores
from evenhand.evidence.jointly import count_jointly
from evenhand.evidence.options import MOST_EXPLAINED, EvidenceOptions
from evenhand.evidence.predictions import Predictions, inputs, predict, proven, reads, table_of
from evenhand.evidence.threshold_rows import rows_at_threshold
from evenhand.metrics import Tally
from evenhand.metrics.values.thresholds import count_scores, thresholds

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping, Inputs
    from evenhand.evidence.slicing import FoundSlices
    from evenhand.explaining import Attributions, Link, Method
    from evenhand.findings import Reads
    from evenhand.metrics.counts.joint import JointTally
    from evenhand.subjects import Subject

View: TypeAlias = str | int
"""What a joint tally counts; see `Evidence.joint_tally`."""

SPARE: Final = 1.15
"""How many more rows are explained than a first sample's spread tells, which is itself not known exactly."""


class Evidence:
    """All that an audit may look at.

    Parameters
    ----------
    subject : Subject
        The model under audit.
    data : EvaluationSet
        The rows it is audited on.
    original : Subject, optional
        The model before compression, for the paired comparison.
    background : EvaluationSet, optional
        Rows to explain against, such as training rows; the evaluation rows when absent.
    members : EvaluationSet, optional
        Rows that the subject was fitted on, with the same columns; where coins decided, all candidates.
    predictions, original_predictions : Predictions, optional
        Precomputed predictions of the subject and of the original, used instead of predicting.
    options : EvidenceOptions, optional
        Confidence, seed and sizes; the defaults when absent.
    followed_scores : (n,) array, optional
        With precomputed predictions: the scores of all rows that were followed in time.

    Attributes
    ----------
    candidates : EvaluationSet or None
        The rows that were given as members.
    spared : bool
        Whether the model is asked about the rows themselves alone: False unless it is set.
    tell : callable or None
        Told what an audit is at that takes long.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.subjects import as_subject
    >>> data = eh.read_evaluation_set({"p": [0.9, 0.2, 0.8, 0.4], "paid": [1, 0, 0, 1]}, label="paid")
    >>> evidence = Evidence(as_subject(lambda X: X["p"]), data)
    >>> evidence.predictions.y_pred.tolist()
    [1, 0, 1, 0]
    """

    def __init__(
        self,
        subject: Subject,
        data: EvaluationSet,
        *,
        original: Subject | None = None,
        background: EvaluationSet | None = None,
        members: EvaluationSet | None = None,
        predictions: Predictions | None = None,
        original_predictions: Predictions | None = None,
        options: EvidenceOptions | None = None,
        followed_scores: NDArray[np.float64] | None = None,
    ) -> None:
        self.subject = proven(subject, data)
        self.data = data
        self.original = None if original is None else proven(original, data)
        self.background = background
        self.candidates = members
        self.options = options or EvidenceOptions()
        self._given = predictions
        self._given_original = original_predictions
        self._given_followed = followed_scores
        self.spared = False
        self.tell: Callable[[str], None] | None = None
        self._tallies: dict[tuple[str, tuple[str, ...]], Tally] = {}
        self._joint: dict[tuple[View, tuple[str, ...]], JointTally] = {}

    @cached_property
    def members(self) -> EvaluationSet | None:
        """The rows that the subject was fitted on: those given, but for those that a coin left out."""
        return fitted_on(self.subject, self.candidates, self.options.member_column)

    @property
    def members_told(self) -> bool:
        """Whether there are members whose truth and groups are known."""
        return truth_known(self.candidates, self.data)

    @cached_property
    def predictions(self) -> Predictions:
        """The subject's scores and decisions."""
        return self._given or predict(self.subject, self.data)

    @cached_property
    def followed_scores(self) -> NDArray[np.float64] | None:
        """The scores of all rows that were followed in time, censored ones among them; None where there are none."""
        scores = self.predictions.y_score
        if self._given is not None or self.data.follow_up is None or scores is None:
            return self._given_followed
        return followed_scores(self.subject, self.data, scores)

    @property
    def inputs(self) -> Inputs:
        """What the subject reads of the rows."""
        return inputs(self.subject, self.data)

    @property
    def reads(self) -> Reads:
        """What kind that is."""
        return reads(self.subject, self.data)

    @property
    def asked(self) -> bool:
        """Whether the subject itself predicts; False with precomputed predictions."""
        return self._given is None

    @property
    def remote(self) -> bool:
        """Whether a model is behind HTTP: each row that is asked costs, and no time of it is its own."""
        models = (self.subject, *(() if self.original is None else (self.original,)))
        return any(model.facts.get("kind") == "remote" for model in models)

    @cached_property
    def original_predictions(self) -> Predictions | None:
        """The original's scores and decisions on the same rows, None without an original."""
        if self._given_original is not None or self.original is None:
            return self._given_original
        return predict(self.original, self.data)

    @cached_property
    def groupings(self) -> tuple[Grouping, ...]:
        """Each sensitive feature, then their intersections up to the requested depth."""
        features = sorted(self.data.roles.sensitive_features)
        depth = min(self.options.intersections, len(features))
        return tuple(
            self.data.grouping(*columns) for size in range(1, depth + 1) for columns in combinations(features, size)
        )

    @cached_property
    def slicing(self) -> tuple[Grouping, ...]:
        """Each feature that rows can be sliced by: sensitive and control features, and the columns a model may read.

        Numbers of many values are cut at their quartiles; columns of very many values, or of one, are left aside.
        """
        from evenhand.evidence.slicing import sliceable

        return tuple(sliceable(self.data))

    @property
    def worth(self) -> dict[str, NDArray[Any] | None]:
        """The weight of each row: sampling weight, frequency and cluster, each None where rows do not differ."""
        data = self.data
        return {"weight": data.sample_weight, "frequency": data.frequency, "clusters": data.clusters}

    @cached_property
    def found_slices(self) -> FoundSlices:
        """The slices with more errors than the other rows."""
        from evenhand.evidence.slicing import search_slices

        wrong = self.predictions.y_pred != self.predictions.y_true
        return search_slices(self.slicing, wrong, self.data, self.options)

    def tally(self, grouping: Grouping | None = None, model: str = "subject") -> Tally:
        """Return the counts of truth x decision per group (one group of all rows without a grouping).

        Parameters
        ----------
        grouping : Grouping, optional
            The groups to count by.
        model : {"subject", "original"}
            Whose decisions are counted.
        """
        columns = () if grouping is None else grouping.columns
        if (model, columns) not in self._tallies:
            self._tallies[model, columns] = self._count(grouping, self._predictions_of(model).y_pred)
        return self._tallies[model, columns]

    def favourable_tally(self, grouping: Grouping | None = None) -> Tally | None:
        """Return the tally turned so that 1 is the outcome that is good for the person; None when none is declared."""
        favourable_is_positive = self.data.roles.favourable_is_positive
        if favourable_is_positive is None:
            return None
        return self.tally(grouping) if favourable_is_positive else self.tally(grouping).turned()

    @cached_property
    def score_edges(self) -> NDArray[np.float64]:
        """The thresholds at which decisions are counted: quantiles of the scores, the one in use and those named."""
        scores = self.predictions.y_score
        assert scores is not None  # only called where there are scores
        named = self.options.decision_thresholds if self.predictions.kind == "probability" else ()
        return np.union1d(thresholds(scores, self.predictions.threshold), named)

    def score_counts(self, grouping: Grouping | None = None) -> NDArray[np.int64]:
        """Return counts (G, 2, B + 1) of [group, truth, how many of the B thresholds the score reaches]."""
        scores = self.predictions.y_score
        assert scores is not None  # only called where there are scores
        codes, groups = (None, 1) if grouping is None else (grouping.codes, len(grouping.labels))
        return count_scores(self.data.y_true, scores, codes, groups, self.score_edges, self.data.frequency)

    def joint_tally(self, grouping: Grouping | None = None, view: View = "decisions") -> JointTally:
        """Return the counts of truth x original's decision x subject's decision per group.

        Parameters
        ----------
        grouping : Grouping, optional
            The groups to count by; one group of all rows without.
        view : "decisions", "agreement", "classes", "flips" or the number of a class
            Of several classes a joint tally holds two: ``agreement`` whether each model was right (the truth is 1),
            ``classes`` the same for each class of the truth within each group, in that order, ``flips`` whether the
            models differ (the original's decision is 0), a number that class against the rest.
        """
        columns = () if grouping is None else grouping.columns
        if (view, columns) not in self._joint:
            self._joint[view, columns] = self._count_jointly(grouping, view)
        return self._joint[view, columns]

    def _count_jointly(self, grouping: Grouping | None, view: View) -> JointTally:
        if self.data.task == "binary" and view in ("agreement", "classes"):  # as they follow from a record's counts
            decided = self.joint_tally(grouping)
            return decided.agreement() if view == "agreement" else decided.agreement_by_class()
        before, after = self._predictions_of("original").y_pred, self.predictions.y_pred
        return count_jointly(self.data, before, after, grouping, view)

    @cached_property
    def explained_rows(self) -> NDArray[np.int64]:
        """The positions of the rows that are explained: all, or a seeded sample that may have a size for an error."""
        n = len(self.data)
        if n <= self.options.explain_rows:
            return np.arange(n)
        rng = np.random.default_rng(self.options.seed)
        if self.options.explain_error is not None:
            order = rng.permutation(n)
            pilot = order[: self.options.explain_rows]
            return np.sort(order[: self._rows_for_error(pilot, self.options.explain_error)])
        return np.sort(rng.choice(n, size=self.options.explain_rows, replace=False))

    def _rows_for_error(self, pilot: NDArray[np.int64], error: float) -> int:
        """Return how many rows make contributions to gaps known to the error, as the spread in a first sample tells."""
        from evenhand.explaining import gap_parts

        found = self._explained(self.subject, table_of(self.subject, self.data).iloc[pilot], self.background_table)
        of_rows = replace(found, block_values=None, block_rows=None)  # more rows make no background larger
        widest = 0.0
        for grouping in (each for each in self.groupings if len(each.columns) == 1):
            pair = extreme_groups(grouping, pilot, self.predictions.y_pred)
            if pair is not None:
                parts = gap_parts(of_rows, grouping.codes[pilot], *pair, level=self.options.level)
                widest = max(widest, float(np.nanmax((parts.high - parts.low) / 2, initial=0.0)))
        wanted = int(np.ceil(len(pilot) * (widest / error) ** 2 * SPARE))
        return max(min(wanted, MOST_EXPLAINED), len(pilot))

    @cached_property
    def attributions(self) -> Attributions:
        """Shapley values of the model's input columns for the explained rows, and those of its decisions."""
        return self._explained(self.subject, self.explained_table, self.background_table, decide=True)

    @cached_property
    def original_attributions(self) -> Attributions | None:
        """The original's values for the same rows, background and random orders, where the subject is explained."""
        return None if self.known_attributions is None else self.of_original(self.background_table, self.attributions)

    def of_original(self, background: pd.DataFrame, own: Attributions) -> Attributions | None:
        """Return the original's values for the explained rows, beside the subject's `own` against the background."""
        if self.original is None or reads(self.original, self.data) != "table":
            return None
        if not set(rows := table_of(self.original, self.data).iloc[self.explained_rows]) <= set(background):
            return None
        link = own.link if self.subject.score_kind == "probability" else None  # of a forest and its network alike
        return self._explained(self.original, rows, background[list(rows.columns)], link=link)

    @cached_property
    def reason_background(self) -> pd.DataFrame:
        """The rows that reasons are stated against."""
        if self.options.reason_reference == "mean":
            return self.background_table
        cut, number = self.predictions.threshold, self.options.background_rows
        return rows_at_threshold(self.subject, self.background or self.data, cut, number)

    @cached_property
    def reason_attributions(self) -> Attributions:
        """The values against the reference that reasons are stated against."""
        if self.options.reason_reference == "mean":
            return self.attributions
        return self._explained(self.subject, self.explained_table, self.reason_background)

    @cached_property
    def explained_table(self) -> pd.DataFrame:
        """The explained rows, as the model reads them."""
        return table_of(self.subject, self.data).iloc[self.explained_rows]

    @cached_property
    def individual_attributions(self) -> Attributions | None:
        """The values of the rows requested by position; None where none was."""
        wanted = list(self.options.individuals)
        if not wanted:
            return None
        strange = [row for row in wanted if not 0 <= row < len(self.data)]
        if strange:
            raise InputError(
                f"individuals: there is no row {strange[0]}; the last one is {len(self.data) - 1}, the first 0."
            )
        return self._explained(self.subject, table_of(self.subject, self.data).iloc[wanted], self.background_table)

    def explain_again(self, rows: pd.DataFrame, *, subject: object = None, method: Method = "auto") -> Attributions:
        """Return the values of other rows, another model or another way, against the same background and seed."""
        from evenhand.explaining import explain

        model = self.subject if subject is None else subject
        link, seed = self.attributions.link, self.options.seed
        return explain(model, rows, self.background_table, seed=seed, link=link, method=method)  # type: ignore[arg-type]

    def _explained(
        self,
        subject: Subject,
        rows: pd.DataFrame,
        background: pd.DataFrame,
        *,
        decide: bool = False,
        link: Link | None = None,
    ) -> Attributions:
        from evenhand.explaining import explain

        options = self.options
        decide_at = float(self.predictions.threshold) if decide and self.data.task == "binary" else None
        return explain(
            subject, rows, background, seed=options.seed, error=0.01 if options.precise else None,
            budget_evaluations=options.explain_evaluations, budget_seconds=options.budget,
            averaged=options.explain_average, decide_at=decide_at, link=link,
        )  # fmt: skip

    @property
    def known_attributions(self) -> Attributions | None:
        """The attributions, where an audit has used them; None where none did."""
        return self.__dict__.get("attributions")

    def extreme_pair(self, grouping: Grouping) -> tuple[int, int] | None:
        """Return the groups selected least and most often, of those with enough explained rows; None for fewer."""
        return extreme_groups(grouping, self.explained_rows, self.predictions.y_pred)

    @cached_property
    def background_table(self) -> pd.DataFrame:
        """The rows that are explained against: what values are usual."""
        table = table_of(self.subject, self.data if self.background is None else self.background)
        most = self.options.background_rows
        if len(table) <= most:
            return table
        rng = np.random.default_rng(self.options.seed + 1)
        return table.iloc[np.sort(rng.choice(len(table), size=most, replace=False))]

    def _predictions_of(self, model: str) -> Predictions:
        if model == "subject":
            return self.predictions
        if self.original_predictions is None:
            raise LookupError("There is no original to compare with.")
        return self.original_predictions

    def _count(self, grouping: Grouping | None, y_pred: NDArray[np.int8]) -> Tally:
        codes, groups = (None, 1) if grouping is None else (grouping.codes, len(grouping.labels))
        data = self.data
        classes = len(data.classes) if data.task in ("multiclass", "clustering") else 2
        weights = (data.sample_weight, data.frequency, data.clusters)
        return Tally.count(data.y_true, y_pred, codes, groups, *weights, classes, data.squared_weight)
