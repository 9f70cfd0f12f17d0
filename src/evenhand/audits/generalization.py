"""How much better a model does on rows it was fitted on, for whom, and how it does in each declared domain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.audits.by_group import between, values
from evenhand.audits.statement import NO_TRUTH, SPARED, Audit, Statement, not_applicable
from evenhand.errors import InputError, did_you_mean, raise_all
from evenhand.messages import message, sentences
from evenhand.metrics import METRICS, Measured, Tally, means, measure, measured_mean, roc_auc
from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.comparisons.two_sets import gap_of_sets
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.values.regression import measure_numbers
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping
    from evenhand.evidence import Evidence, Predictions
    from evenhand.findings import Finding, Unit
    from evenhand.metrics.catalogue.entry import How
    from evenhand.subjects import Subject

    Floats = NDArray[np.float64]

NAME = "generalization"
MOST_DOMAINS: Final = 30
LEAST: Final = 10
"""Rows of a domain below which the model is not fitted again without it."""
ABSENT: Final = message("None of the rows that the model was fitted on is of this group.")
REFITTED: Final = message("The model was fitted again without each domain of {column} in turn, with the same settings.")
NOT_REFITTED: Final = message("This model cannot be fitted again here, so no domain was left out.")
NO_MEMBERS: Final = message("Without the rows that the model was fitted on (members), no domain was left out.")
ERROR: Final = "mean_absolute_error"
"""The rate that is in the unit of the label, and better when lower."""
TOGETHER: Final = message(
    "{n:,} of the {of:,} values of {column} that evaluation rows have are of fitted rows as well. Such rows are alike: "
    "gaps show too little of what is lost on new rows, and the groups that it concerns have no interval that covers."
)
NOT_TOLD: Final = message(
    "The rows that the model was fitted on have no {column}, so whether evaluation rows share its values is not known; "
    "intervals take both for independent."
)
DEPENDENT: Final = message("Fitted and evaluation rows share values of {column}: they are not independent.")
SEEN: Final = message("{n:,} rows that the model was fitted on were predicted beside {rows:,} evaluation rows.")


@dataclass(frozen=True, slots=True)
class GeneralizationOptions(Declared):
    """Options of this audit."""

    domains: tuple[str, ...] = setting(
        (), "Columns that name a domain, such as a site or a year: the model is judged in each."
    )
    leave_out: bool = setting(
        False,
        "Whether the model is fitted again without each domain, and judged on it; it needs the rows it was fitted on.",
    )


def generalization(evidence: Evidence) -> Statement:
    """State the gap between rows the model was fitted on and others, for each group, and how it does in each domain."""
    own = evidence.options.of(GeneralizationOptions)
    if evidence.members is None and not own.domains:
        return not_applicable("Neither the rows that the model was fitted on (members) nor domains were given.")
    if evidence.data.frequency is not None:
        return not_applicable("Counts hold no rows that a model could be asked about again.")
    raise_all(InputError, _problems(evidence, own.domains))
    findings: list[Finding] = []
    words: list[str] = []
    if evidence.members is not None and evidence.subject.facts.get("kind") != "predictions":
        if evidence.spared:
            words.append(SPARED)
        elif not evidence.members_told:
            words.append(NO_TRUTH)
        else:
            shared, said = _shared(evidence.data, evidence.members)
            findings += _gaps(evidence, evidence.members, shared)
            words += [message(SEEN, n=len(evidence.members), rows=len(evidence.data)), said]
    for column in own.domains:
        findings += _of_domains(evidence, column)
        if own.leave_out or evidence.options.everything:
            left, said = _left_out(evidence, column)
            findings += left
            words.append(said)
    return Statement(tuple(findings), sentences(*dict.fromkeys(words)))


def _problems(evidence: Evidence, domains: tuple[str, ...]) -> Iterator[str]:
    names = [str(name) for name in evidence.data.table.columns]
    for column in domains:
        if column not in names:
            yield f"domains: there is no column '{column}'.{did_you_mean(column, names)}"
        elif evidence.data.table[column].nunique() > MOST_DOMAINS:
            yield f"domains: '{column}' has more than {MOST_DOMAINS} values; give broader domains."


def _rates(data: EvaluationSet, said: Predictions, level: float) -> dict[str, Callable[[Any, int], Measured]]:
    """Return what measures accuracy and the area under the ROC curve, or errors of numbers, by groups."""
    weight, clusters = data.sample_weight, data.clusters
    if data.task == "regression":

        def numbers(rate: str) -> Callable[[Any, int], Measured]:
            return lambda codes, groups: measure_numbers(
                rate, said.y_true, said.y_pred, codes, groups, level, weight, clusters
            )

        return {rate: numbers(rate) for rate in (ERROR, "r2")}
    right = np.asarray(said.y_pred == said.y_true).astype(np.int8)
    one = np.ones(len(right), dtype=np.int8)

    def accuracy(codes: Any, groups: int) -> Measured:
        return measure("accuracy", Tally.count(one, right, codes, groups, weight, None, clusters), level)

    def area(codes: Any, groups: int) -> Measured:
        score = np.asarray(said.y_score)
        return roc_auc(said.y_true, score, codes, groups, level, weight=weight, clusters=clusters, frequency=None)

    scored = data.task == "binary" and said.y_score is not None
    return {"accuracy": accuracy, "roc_auc": area} if scored else {"accuracy": accuracy}


def _unit(rate: str) -> Unit:
    return "number" if rate == ERROR else "share"


def _worst(metric: str) -> How:
    """Return which of the groups is the worst, the least or the greatest."""
    return "group_max" if METRICS[metric].direction == "lower_is_better" else "group_min"


def _shared(data: EvaluationSet, members: EvaluationSet) -> tuple[NDArray[np.bool_] | None, str]:
    """Return which evaluation rows are of clusters that fitted rows are of, and a sentence; None where none is."""
    column = data.roles.cluster
    if column is None:
        return None, ""
    if column not in members.table:
        return None, message(NOT_TOLD, column=column)
    found = data.table[column].isin(members.table[column].unique()).to_numpy(dtype=bool)
    if not found.any():
        return None, ""
    values = data.table[column]
    return found, message(TOGETHER, n=values[found].nunique(), of=values.nunique(), column=column)


def _gaps(evidence: Evidence, members: EvaluationSet, shared: NDArray[np.bool_] | None) -> Iterator[Finding]:
    from evenhand.evidence.predictions import predict

    level, seen = evidence.options.level, predict(evidence.subject, members)
    there, here = _rates(members, seen, level), _rates(evidence.data, evidence.predictions, level)
    told = evidence.subject.facts.get("training")
    stated = ("accuracy",) if isinstance(told, dict) and told.get("counts") else ()
    metric = "generalization_error_gap" if evidence.data.task == "regression" else "generalization_gap"
    for rate in there:
        if rate not in here:
            continue
        for grouping in (None, *evidence.groupings):
            if grouping is None:
                if rate in stated:  # the training audit states it from the file
                    continue
                codes = np.zeros(len(evidence.data), dtype=np.int64)
                theirs, ours = there[rate](np.zeros(len(members), dtype=np.int64), 1), here[rate](codes, 1)
            else:
                codes, ours = grouping.codes.astype(np.int64), here[rate](grouping.codes, len(grouping))
                theirs = _aligned(there[rate], members, grouping)
            gap = gap_of_sets(metric, theirs, ours, level, ABSENT, reverse=rate == ERROR)
            gap = _told_apart(gap, codes, shared, evidence.data.roles.cluster)
            found = values(NAME, metric, gap, grouping, level, _unit(rate), rate=rate)
            yield from map(_without_ends, found) if shared is not None else found
            if grouping is not None:
                hows: tuple[How, ...] = ("difference", "group_max")
                found = between(NAME, metric, gap, hows, grouping, level, _unit(rate), rate=rate)
                yield from map(_without_ends, found) if shared is not None else found


def _without_ends(finding: Finding) -> Finding:
    """Return a finding without an interval where none covers."""
    if not finding.uncovered:
        return finding
    return replace(finding, interval=None, unadjusted=None, critical=None, deciding=None)


def _told_apart(
    gap: Measured, codes: NDArray[np.int64], shared: NDArray[np.bool_] | None, column: str | None
) -> Measured:
    """Return gaps of which those of groups with shared clusters have no interval that covers."""
    if shared is None:
        return gap
    some = np.bincount(codes[shared], minlength=len(gap.estimate)) > 0
    reason, known = message(DEPENDENT, column=column or ""), gap.uncovered or ("",) * len(some)
    return replace(gap, uncovered=tuple(reason if one else old for one, old in zip(some, known, strict=True)))


def _aligned(measured: Callable[[Any, int], Measured], members: EvaluationSet, grouping: Grouping) -> Measured:
    """Return the values of the members of the same groups, in their order; groups without members have none."""
    own = members.grouping(*grouping.columns)
    place = {labels: at for at, labels in enumerate(grouping.labels)}
    codes = np.array([place.get(labels, len(grouping)) for labels in own.labels], dtype=np.int64)[own.codes]
    return measured(codes, len(grouping) + 1).at(slice(0, len(grouping)))


def _of_domains(evidence: Evidence, column: str) -> Iterator[Finding]:
    """Yield each rate in each domain, the worst, and the gap between domains."""
    grouping, level = evidence.data.grouping(column), evidence.options.level
    for rate, measured in _rates(evidence.data, evidence.predictions, level).items():
        metric = f"domain_{rate}"
        found = replace(measured(grouping.codes, len(grouping)), metric=metric)
        yield from values(NAME, metric, found, grouping, level, _unit(rate))
        yield from between(NAME, metric, found, ("difference", _worst(metric)), grouping, level, _unit(rate))


def _left_out(evidence: Evidence, column: str) -> tuple[list[Finding], str]:
    """Return how the model does in each domain when it is fitted without it, and what was done."""
    refit, members = getattr(evidence.subject, "refit", None), evidence.members
    if refit is None or evidence.spared:
        return [], NOT_REFITTED
    if members is None or column not in members.table:
        return [], NO_MEMBERS
    if not evidence.members_told:
        return [], NO_TRUTH
    grouping, data = evidence.data.grouping(column), evidence.data
    after, done = np.array(evidence.predictions.y_pred), np.zeros(len(data), dtype=bool)
    theirs = members.grouping(column)
    names = [labels[0] for labels in theirs.labels]
    for at, (name,) in enumerate(grouping.labels):
        mine = np.flatnonzero(grouping.codes == at)
        kept = np.arange(len(members)) if name not in names else np.flatnonzero(theirs.codes != names.index(name))
        if len(mine) < LEAST or len(kept) < LEAST or len(np.unique(members.y_true[kept])) < len(data.classes):
            continue
        after[mine], done[mine] = _said_again(refit(members.take(kept), evidence.options.seed), data, mine), True
    rows = np.flatnonzero(done)
    if not len(rows):
        return [], NOT_REFITTED
    stated = _of_left_numbers if data.task == "regression" else _of_left
    return list(stated(evidence, grouping, rows, after[rows])), message(REFITTED, column=column)


def _said_again(subject: Subject, data: EvaluationSet, rows: NDArray[np.intp]) -> NDArray[Any]:
    from evenhand.evidence.predictions import predict, proven

    taken = data.take(rows)
    return predict(proven(subject, taken), taken).y_pred


def _of_left(evidence: Evidence, grouping: Grouping, rows: NDArray[np.intp], after: NDArray[Any]) -> Iterator[Finding]:
    data, codes, groups, level = evidence.data, grouping.codes[rows], len(grouping), evidence.options.level
    weight, clusters = (None if part is None else part[rows] for part in (data.sample_weight, data.clusters))
    true = evidence.predictions.y_true[rows]
    old, new = np.asarray(evidence.predictions.y_pred[rows] == true), np.asarray(after == true)
    one = np.ones(len(rows), dtype=np.int8)
    tally = Tally.count(one, new.astype(np.int8), codes, groups, weight, None, clusters)
    found = replace(measure("accuracy", tally, level), metric="left_out_accuracy")
    yield from values(NAME, "left_out_accuracy", found, grouping, level)
    yield from between(NAME, "left_out_accuracy", found, ("difference", "group_min"), grouping, level)
    joint = JointTally.count(one, old, new, codes, groups, weight, None, clusters)
    change = replace(measure_change("accuracy", joint, level), metric="left_out_accuracy_change")
    yield from values(NAME, "left_out_accuracy_change", change, grouping, level)


def _of_left_numbers(
    evidence: Evidence, grouping: Grouping, rows: NDArray[np.intp], after: NDArray[Any]
) -> Iterator[Finding]:
    data, level = evidence.data, evidence.options.level
    weight, clusters = (None if part is None else part[rows] for part in (data.sample_weight, data.clusters))
    true = evidence.predictions.y_true[rows]
    old, new = np.abs(evidence.predictions.y_pred[rows] - true), np.abs(after - true)
    metric = f"left_out_{ERROR}"
    for name, numbers in ((metric, new), (f"{metric}_change", new - old)):
        mean = means(numbers, grouping.codes[rows], len(grouping), weight, clusters)
        found = measured_mean(name, mean, level)
        yield from values(NAME, name, found, grouping, level, "number")
        if name == metric:
            yield from between(NAME, name, found, ("difference", "group_max"), grouping, level, "number")


AUDIT: Final = Audit(
    generalization, frozenset({"binary", "multiclass", "regression"}), options=GeneralizationOptions,
    wanted=lambda evidence: evidence.members is not None or bool(evidence.options.of(GeneralizationOptions).domains),
    asks_again=True,
)  # fmt: skip
