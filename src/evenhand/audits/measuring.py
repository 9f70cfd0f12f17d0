"""Measure metrics of predictions by group, and nothing else: no search, no tests, no hash of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from evenhand.audits.auditing import counts_of
from evenhand.audits.by_group import between, values
from evenhand.audits.from_predictions import given_evidence
from evenhand.audits.quantities import quantities
from evenhand.data.arrays import set_beside
from evenhand.data.roles import ArraySettings, Scoring
from evenhand.errors import InputError, argument, did_you_mean, quoted, raise_all
from evenhand.evidence import provenance
from evenhand.evidence.answering import answers
from evenhand.evidence.options import EvidenceOptions
from evenhand.findings import Absent, AuditRecord, Section
from evenhand.keys import Key, quote
from evenhand.messages import joined, message
from evenhand.metrics import SCORES
from evenhand.metrics.answers import is_counted
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.catalogue.names import canonical, hows_of, names, parse_disparity
from evenhand.settings import settings_of, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

    from evenhand.audits.by_group import Quantity
    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding, Task
    from evenhand.metrics.answers.answering import Answers
    from evenhand.metrics.catalogue.entry import How
    from evenhand.metrics.catalogue.places import Place

USUAL: Final[dict[Task, Place]] = {"binary": "column", "multiclass": "classes"}
"""The metrics that are measured where none is named: those of a page's table of groups."""
USUAL_OF_ROWS: Final[dict[Task, tuple[str, ...]]] = {
    "regression": ("mean_absolute_error", "root_mean_squared_error", "mean_residual", "mean_prediction"),
    "multilabel": ("hamming_loss", "subset_accuracy", "micro_f1", "macro_f1"),
    "ranking": ("exposure", "exposure_to_merit"),
    "transcription": ("word_error_rate", "character_error_rate", "sentence_error_rate"),
}
"""The same of other labels."""
GAPS: Final[tuple[How, ...]] = ("difference", "ratio")
"""How groups are compared, by each metric that can be."""
AUDITS_OF: Final[dict[Task, str]] = {
    "multiclass": "classes",
    "regression": "numbers",
    "multilabel": "labels",
    "ranking": "rankings",
    "transcription": "transcripts",
}
"""The audit that states the metrics of a label; of two classes there are three."""
AUDITS_OF_COUNTS: Final = ("binary", "multiclass")
"""The labels whose decisions are counted in a table of truth x decision."""


def measure(
    y_true: ArrayLike,
    y_pred: ArrayLike | None = None,
    *,
    y_score: ArrayLike | None = None,
    sensitive_features: object = None,
    metrics: str | Iterable[str] | None = None,
    sample_weight: object = None,
    level: float = 0.95,
    intersections: int = 2,
    name: str = "predictions",
    **settings: object,
) -> AuditRecord:
    """Measure metrics over all rows, for each group, and between groups, each with its interval.

    The findings are those of `audit_predictions`, and no audit runs besides: no p-values, no search for slices, no
    hash of the rows. Rows are counted once for each grouping; everything else is of the counts.

    Parameters
    ----------
    y_true : (n,) array, Series (pandas, Polars) or list
        The truth; masked entries are missing values. (n, L) for several labels, with ``task="multilabel"``.
    y_pred : (n,), optional
        Decisions, with the labels of `y_true`. Computed from `y_score` and ``threshold`` when absent.
    y_score : (n,), optional
        Scores of the positive class; ``roc_auc``, ``brier_score`` and other metrics of scores need them.
    sensitive_features : (n,) or (n, k) array, table or mapping, optional
        The columns whose values make groups.
    metrics : name or names, optional
        Metrics in any accepted spelling, such as ``"recall"`` or ``"true_positive_rate"``: the value over all rows, of
        each group, and the difference and the ratio between groups. A comparison, such as
        ``"equalized_odds_difference"`` or ``"accuracy_group_min"``, is measured alone. Rates of several classes are
        those of each class. When absent, the columns of a page's table of groups.
    sample_weight : (n,), optional
        Row weights.
    level : float
        Two-sided confidence of every interval.
    intersections : int
        How many sensitive features are crossed at most: 1 for none, 2 for all pairs.
    name : str
        Name of the predictions in sentences.
    **settings
        Further roles of the rows, as for `evaluation_set_from_arrays` (``control_features``, ``cluster``, ``query``,
        ``pos_label``, ``favourable``, ``task``, ``missing``, ``bins``, ``value_labels``), and how scores become
        decisions (``threshold``, ``score_kind``).

    Returns
    -------
    AuditRecord
        ``record["recall[sex=f]"]`` is a finding, ``record.by_group("sex")`` a table of the groups,
        ``record.to_frame()`` one of all findings. Other metrics of counts are answered by key, too.

    Raises
    ------
    InputError
        When rows cannot be measured as they are, or a metric is unknown or not one of such rows.

    Examples
    --------
    >>> import evenhand as eh
    >>> sex = {"sex": ["f", "f", "m", "m"]}
    >>> record = eh.measure([0, 1, 1, 1], [0, 1, 0, 1], sensitive_features=sex, metrics=["recall", "accuracy"])
    >>> record["recall[sex=m]"].estimate, record["recall_difference[sex]"].estimate
    (0.5, 0.5)
    >>> record.by_group("sex")["accuracy"].to_dict()
    {'f': 1.0, 'm': 0.5}
    """
    raise_all(InputError, unknown(settings, sorted({*ROLES, *settings_of(Scoring)}), "measure() knows no argument"))
    scoring = {key: settings.pop(key) for key in settings_of(Scoring) if key in settings}
    roles = {**settings, "sensitive_features": sensitive_features, "sample_weight": sample_weight}
    data = set_beside(y_true, {"y_pred": y_pred, "y_score": y_score}, name, roles)
    chosen = _chosen(metrics, data.task)
    options = EvidenceOptions(level=level, intersections=intersections, explain=False, footprint=False)
    evidence = given_evidence(data, y_pred, y_score, options=options, **scoring)  # type: ignore[arg-type]
    return _record(evidence, chosen)


ROLES: Final = frozenset(ArraySettings.__annotations__) - {"group_probabilities", "use_sensitive", "inputs"}
"""What rows may be: all that has a part in metrics of observed groups."""


def _chosen(metrics: str | Iterable[str] | None, task: Task) -> tuple[str, ...]:
    """Return canonical names of metrics, the usual ones of the task when none is given."""
    if metrics is None:
        return USUAL_OF_ROWS.get(task) or stated(USUAL[task])
    given = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    if isinstance(metrics, Mapping) or not all(isinstance(each, str) for each in given):
        raise InputError(
            'metrics takes names, such as ["recall", "accuracy"]. Functions are for audit_predictions(..., metrics={'
            '"name": function}), which draws rows again for their intervals.'
        )
    found = {each: canonical(each) for each in given}
    raise_all(InputError, (_unknown(each) for each, known in found.items() if known is None))
    return tuple(dict.fromkeys(known for known in found.values() if known is not None))


def _unknown(metric: str) -> str:
    return f"metrics: there is no metric {quoted(metric)}.{did_you_mean(metric, names())} See: evenhand list metrics"


def _record(evidence: Evidence, metrics: tuple[str, ...]) -> AuditRecord:
    measuring = Measuring(evidence)
    found = {metric: tuple(measuring.findings(metric)) for metric in metrics}
    raise_all(InputError, (_useless(evidence, metric) for metric, findings in found.items() if not findings))
    findings = tuple({finding.key: finding for several in found.values() for finding in several}.values())
    alone = message("Only these metrics were measured: {metrics}.", metrics=joined(", ", metrics))
    sections = tuple(Section(audit, True, alone) for audit in dict.fromkeys(each.audit for each in findings))
    return AuditRecord(findings, sections, counts_of(evidence, by_score=False), provenance(evidence, hashed=False))


def _useless(evidence: Evidence, metric: str) -> str:
    data, base = evidence.data, (parse_disparity(metric) or (metric, None))[0]
    if base != metric and not evidence.groupings:
        return f"{data.name}: '{metric}' compares groups; pass {argument('sensitive_features')}."
    if evidence.predictions.y_score is None and base in SCORES:
        return f"{data.name}: '{metric}' is a metric of scores; pass {argument('y_score')}."
    told = answers(evidence, "")(Key.of(base))
    why = told.reason if is_counted(metric) and isinstance(told, Absent) else f"The label is one of {data.task}."
    return f"{data.name}: '{metric}' is not measured of these rows alone. {why}"


class Measuring:
    """Measures one metric after another from the same counts.

    Parameters
    ----------
    evidence : Evidence
        The rows, and their predictions.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._answers: dict[str, Answers] = {}

    def findings(self, metric: str) -> Iterator[Finding]:
        """Yield a metric's values and comparisons, of a comparison that alone; nothing where rows do not give it."""
        base, how = parse_disparity(metric) or (metric, None)
        known = hows_of(METRICS[base]) if base in METRICS else ()
        hows = (how,) if how is not None else tuple(each for each in GAPS if each in known)
        if not is_counted(metric) or self.evidence.data.task not in AUDITS_OF_COUNTS:
            for quantity in quantities(self.evidence, base):
                yield from self._of_rows(quantity, hows, values_too=how is None)
            return
        yield from self._of_counts(base, hows, values_too=how is None)

    def _of_counts(self, base: str, hows: tuple[How, ...], *, values_too: bool) -> Iterator[Finding]:
        classes = [str(each) for each in self.evidence.data.classes]
        overall, by_group = self._audits(base)
        one = len(classes) > 2 and base in METRICS and isinstance(self._answer(overall)(Key.of(base)), Absent)
        for chosen in [{"class": each} for each in classes] if one else [{}]:
            if values_too:
                yield from self._answer(overall).of_groups(base, (), **chosen)
            for grouping in self.evidence.groupings:
                if values_too:
                    yield from self._answer(by_group).of_groups(base, grouping.columns, **chosen)
                yield from self._answer(by_group).all(self._gaps(base, hows, grouping, chosen))
        for grouping in self.evidence.groupings if one else ():  # the worst of all classes
            yield from self._answer(by_group).all(self._gaps(base, hows, grouping, {}))
        for grouping in self.evidence.groupings:
            for control in self._controls(grouping):
                yield from self._answer("strata").all(self._gaps(base, hows, grouping, {"given": quote(control)}))

    def _of_rows(self, quantity: Quantity, hows: tuple[How, ...], *, values_too: bool) -> Iterator[Finding]:
        metric, level, unit, chosen = quantity.metric, self.evidence.options.level, quantity.unit, quantity.qualifiers
        overall, by_group = self._audits(metric)
        if values_too:
            yield from values(overall, metric, quantity.measure(None), None, level, unit, **chosen)
        for grouping in self.evidence.groupings:
            found = quantity.measure(grouping)
            if values_too:
                yield from values(by_group, metric, found, grouping, level, unit, **chosen)
            yield from between(by_group, metric, found, hows, grouping, level, unit, **chosen)

    def _answer(self, audit: str) -> Answers:
        if audit not in self._answers:
            self._answers[audit] = answers(self.evidence, audit)
        return self._answers[audit]

    def _audits(self, metric: str) -> tuple[str, str]:
        """Return the audits that state a metric over all rows and of each group."""
        if self.evidence.data.task != "binary":
            return (AUDITS_OF[self.evidence.data.task],) * 2
        return ("calibration",) * 2 if metric in stated("calibration") else ("performance", "fairness")

    def _controls(self, grouping: Grouping) -> Iterator[str]:
        single = len(grouping.columns) == 1
        return (
            each
            for each in sorted(self.evidence.data.roles.control_features)
            if single and each not in grouping.columns
        )

    @staticmethod
    def _gaps(base: str, hows: tuple[How, ...], grouping: Grouping, chosen: Mapping[str, str]) -> Iterator[Key]:
        return (Key.of(f"{base}_{how}", grouping.columns, **chosen) for how in hows)
