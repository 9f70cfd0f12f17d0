"""Audit precomputed predictions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.auditing import chosen_options, run
from evenhand.data.roles import ArraySettings, Scoring
from evenhand.errors import InputError
from evenhand.evidence import Evidence
from evenhand.evidence.given import given, given_of_task
from evenhand.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike

    from evenhand.audits.auditing import Progress
    from evenhand.audits.options import AuditOptions
    from evenhand.data import EvaluationSet
    from evenhand.evidence.keeping import Keeping
    from evenhand.evidence.predictions import Predictions, ScoreKind
    from evenhand.findings import AuditRecord
    from evenhand.subjects import Subject


def audit_predictions(
    y_true: ArrayLike | None,
    y_pred: ArrayLike | None = None,
    *,
    y_score: ArrayLike | None = None,
    original_pred: ArrayLike | None = None,
    original_score: ArrayLike | None = None,
    name: str = "predictions",
    audits: str | Iterable[str] | None = None,
    options: AuditOptions | None = None,
    **settings: object,
) -> AuditRecord:
    """Audit predictions without a model.

    Parameters
    ----------
    y_true : (n,) array, Series (pandas, Polars) or list
        The truth; masked entries are missing values. (n, L) for several labels, with ``task="multilabel"``; what was
        said, with ``task="transcription"``; None with ``task="clustering"``, which has no truth.
    y_pred : (n,), optional
        Decisions, with the labels of `y_true`. Computed from `y_score` and `threshold` when absent. Of transcripts
        what was heard, and of a clustering the cluster of each row.
    y_score : (n,), optional
        Scores of the positive class: probabilities, or any scale with ``score_kind="ranking"``. For several classes
        (n, C) probabilities, in the order of the sorted classes, or a table whose columns are called by them. Of a
        clustering the distance of each row to the centre of its cluster.
    original_pred, original_score : (n,), optional
        The same of the model before compression; changes are then stated, too.
    name : str
        Name of the predictions in sentences.
    audits : name or names, optional
        Which audits to run; all of them when absent.
    options : AuditOptions, optional
        Options of the audit; single ones may be given as keywords, such as ``level=0.9``.
    **settings
        Roles of the rows, as for `evaluation_set_from_arrays` (``sensitive_features``, ``control_features``,
        ``group_probabilities``, ``sample_weight``, ``cluster``, ``query``, ``time``, ``horizon``, ``censoring``,
        ``pos_label``, ``favourable``, ``task``, ``missing``, ``bins``, ``codes``, ``value_labels``, ``spelling``); how
        scores of two classes or of several labels become decisions (``threshold``, 0.5 for probabilities when absent,
        and ``score_kind``, from the threshold when absent: scores outside [0, 1] rank where it has their scale, and are
        refused otherwise); and options of the audit.

    Returns
    -------
    AuditRecord

    Raises
    ------
    InputError
        When lengths or the indexes of pandas objects differ, values are missing, scores are no probabilities, or
        neither decisions nor scores are given.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([0, 1, 1, 0], [0, 1, 0, 0], sensitive_features={"sex": ["f", "f", "m", "m"]})
    >>> record["recall[sex=f]"].estimate
    1.0
    """
    from evenhand.data.arrays import set_beside

    said = {"y_pred": y_pred, "y_score": y_score, "original_pred": original_pred, "original_score": original_score}
    rows = {key: settings.pop(key) for key in ArraySettings.__annotations__ if key in settings}
    data = set_beside(y_true, said, name, rows)
    scoring = {key: settings.pop(key) for key in settings_of(Scoring) if key in settings}
    return audit_given(
        data, y_pred, y_score, original_pred=original_pred, original_score=original_score, options=options,
        settings=settings, audits=audits, **scoring,  # type: ignore[arg-type]
    )  # fmt: skip


def audit_given(
    data: EvaluationSet,
    y_pred: ArrayLike | None = None,
    y_score: ArrayLike | None = None,
    *,
    original_pred: ArrayLike | None = None,
    original_score: ArrayLike | None = None,
    threshold: float | None = None,
    score_kind: ScoreKind | None = None,
    options: AuditOptions | None = None,
    settings: Mapping[str, object] | None = None,
    audits: str | Iterable[str] | None = None,
    keeping: Keeping | None = None,
    progress: Progress | None = None,
) -> AuditRecord:
    """Audit decisions or scores for the rows of `data`; its prediction and score columns when none are passed.

    Parameters
    ----------
    data : EvaluationSet
        The rows.
    y_pred, y_score, original_pred, original_score, threshold, score_kind, options
        As for `audit_predictions`.
    settings : mapping, optional
        Single options of the audit.
    audits : names, optional
        Which audits to run; all of them when absent.
    keeping : Keeping, optional
        Private file that keeps the predictions for a later row-by-row comparison.
    progress : callable, optional
        Called before each audit as ``progress(step, steps, name)``.

    Returns
    -------
    AuditRecord

    Raises
    ------
    InputError
        When there are neither decisions nor scores.

    Examples
    --------
    >>> import evenhand as eh
    >>> data = eh.load_loanapp()
    >>> record = audit_given(data, data.y_true)
    >>> record["accuracy"].estimate
    1.0
    """
    from evenhand.data.evaluation_set import needed

    options = chosen_options(options, {"explain": False, "footprint": False, **(settings or {})})
    evidence = given_evidence(
        needed(data, "audit_given"), y_pred, y_score, original_pred=original_pred, original_score=original_score,
        threshold=threshold, score_kind=score_kind, options=options,
    )  # fmt: skip
    return run(evidence, audits, progress=progress, keeping=keeping)


def given_evidence(
    data: EvaluationSet,
    y_pred: ArrayLike | None = None,
    y_score: ArrayLike | None = None,
    *,
    original_pred: ArrayLike | None = None,
    original_score: ArrayLike | None = None,
    threshold: float | None = None,
    score_kind: ScoreKind | None = None,
    options: AuditOptions,
) -> Evidence:
    """Return the evidence of decisions or scores for the rows of `data`; see `audit_given`."""
    from evenhand.data.aligning import refuse_other_rows

    if data.follow_up is not None:
        everyone = replace(data.follow_up.everyone, name=data.name)
        whole = given_evidence(
            everyone, y_pred, y_score, original_pred=original_pred, original_score=original_score,
            threshold=threshold, score_kind=score_kind, options=options,
        )  # fmt: skip
        return _at_horizon(whole, data)
    roles = data.roles
    said = {"y_pred": y_pred, "y_score": y_score, "original_pred": original_pred, "original_score": original_score}
    refuse_other_rows(data.name, data.index, len(data), said)
    if y_pred is None and y_score is None:
        y_pred = None if roles.prediction is None else data.table[roles.prediction]
        y_score = None if roles.score is None else data.table[roles.score]
    if original_pred is None and original_score is None:
        original_pred = None if roles.original_prediction is None else data.table[roles.original_prediction]
        original_score = None if roles.original_score is None else data.table[roles.original_score]
    if y_pred is None and y_score is None:
        raise InputError(f"{data.name}: neither decisions nor scores are given; an audit needs one of them.")
    found, there = _said(data, y_pred, y_score, threshold, score_kind, data.name)
    before, original = None, None
    if original_pred is not None or original_score is not None:
        if data.task == "clustering":
            raise InputError(
                f"{data.name}: clusters of two clusterings have no names in common, so that rows cannot be said to "
                "have changed; leave out original_pred and original_score."
            )
        before, original = _said(data, original_pred, original_score, threshold, score_kind, f"original of {data.name}")
    return Evidence(there, data, original=original, predictions=found, original_predictions=before, options=options)


def _at_horizon(whole: Evidence, data: EvaluationSet) -> Evidence:
    """Return the evidence of the rows whose outcome by the horizon is known, from that of all rows."""
    assert data.follow_up is not None  # only called with such rows
    known = data.follow_up.known

    def kept(said: Predictions | None) -> Predictions | None:
        if said is None:
            return None
        score = None if said.y_score is None else said.y_score[known]
        return replace(said, y_true=data.y_true, y_score=score, y_pred=said.y_pred[known])

    return Evidence(
        whole.subject, data, original=whole.original, predictions=kept(whole.predictions),
        original_predictions=kept(whole.original_predictions), options=whole.options,
        followed_scores=whole.predictions.y_score,
    )  # fmt: skip


def _said(
    data: EvaluationSet, y_pred: ArrayLike | None, y_score: ArrayLike | None, threshold: float | None,
    kind: ScoreKind | None, name: str,
) -> tuple[Predictions, Subject]:  # fmt: skip
    """Return the predictions, and a model made of them."""
    from evenhand.subjects.of_task import GivenSubject
    from evenhand.subjects.predictions import PredictionsSubject

    if data.task != "binary":
        answered = given_of_task(data, y_pred, y_score, threshold, kind)
        there = GivenSubject(answered.y_pred if answered.y_score is None else answered.y_score, name)
        there.threshold = answered.threshold if data.task == "multilabel" else there.threshold
        return answered, there
    found = given(data, y_pred, y_score, threshold=threshold, kind=kind)
    values, others = found.y_pred.astype(np.float64), 0
    if found.y_score is not None:
        decided = found.y_score >= found.threshold
        others = int(((decided != (found.y_pred == 1)) & (found.y_score != found.threshold)).sum())
        values = found.y_score
    subject = PredictionsSubject(
        values,
        name=name,
        threshold=found.threshold,
        score_kind=found.kind,  # type: ignore[arg-type]  # of two classes none is a value
        other_decisions=others,
    )
    return found, subject
