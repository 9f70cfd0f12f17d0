"""How much better a model does on rows it was fitted on, for whom, and how it does in each declared domain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.audits.by_group import between, values
from evenhand.audits.statement import SPARED, Audit, Statement, not_applicable
from evenhand.errors import InputError, did_you_mean, raise_all
from evenhand.messages import message, sentences
from evenhand.metrics import Measured, Tally, measure, roc_auc
from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.comparisons.two_sets import gap_of_sets
from evenhand.metrics.counts.joint import JointTally
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping
    from evenhand.evidence import Evidence, Predictions
    from evenhand.findings import Finding
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
        else:
            findings += _gaps(evidence, evidence.members)
            words.append(message(SEEN, n=len(evidence.members), rows=len(evidence.data)))
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
    """Return what measures accuracy, and the area under the ROC curve where there are scores, by groups."""
    right = np.asarray(said.y_pred == said.y_true).astype(np.int8)
    one, weight, clusters = np.ones(len(right), dtype=np.int8), data.sample_weight, data.clusters

    def accuracy(codes: Any, groups: int) -> Measured:
        return measure("accuracy", Tally.count(one, right, codes, groups, weight, None, clusters), level)

    def area(codes: Any, groups: int) -> Measured:
        return roc_auc(
            said.y_true,
            np.asarray(said.y_score),
            codes,
            groups,
            level,
            weight=weight,
            clusters=clusters,
            frequency=None,
        )

    scored = data.task == "binary" and said.y_score is not None
    return {"accuracy": accuracy, "roc_auc": area} if scored else {"accuracy": accuracy}


def _gaps(evidence: Evidence, members: EvaluationSet) -> Iterator[Finding]:
    from evenhand.evidence.predictions import predict

    level, seen = evidence.options.level, predict(evidence.subject, members)
    there, here = _rates(members, seen, level), _rates(evidence.data, evidence.predictions, level)
    told = evidence.subject.facts.get("training")
    stated = ("accuracy",) if isinstance(told, dict) and told.get("counts") else ()
    for rate in there:
        if rate not in here:
            continue
        for grouping in (None, *evidence.groupings):
            if grouping is None:
                if rate in stated:  # the training audit states it from the file
                    continue
                theirs, ours = (
                    there[rate](np.zeros(len(members), dtype=np.int64), 1),
                    here[rate](np.zeros(len(evidence.data), dtype=np.int64), 1),
                )
            else:
                ours = here[rate](grouping.codes, len(grouping))
                theirs = _aligned(there[rate], members, grouping)
            gap = gap_of_sets("generalization_gap", theirs, ours, level, ABSENT)
            yield from values(NAME, "generalization_gap", gap, grouping, level, rate=rate)
            if grouping is not None:
                yield from between(
                    NAME, "generalization_gap", gap, ("difference", "group_max"), grouping, level, rate=rate
                )


def _aligned(measured: Callable[[Any, int], Measured], members: EvaluationSet, grouping: Grouping) -> Measured:
    """Return the values of the members of the same groups, in their order; groups without members have none."""
    own = members.grouping(*grouping.columns)
    place = {labels: at for at, labels in enumerate(grouping.labels)}
    codes = np.array([place.get(labels, len(grouping)) for labels in own.labels], dtype=np.int64)[own.codes]
    return measured(codes, len(grouping) + 1).at(slice(0, len(grouping)))


def _of_domains(evidence: Evidence, column: str) -> Iterator[Finding]:
    """Yield accuracy and the area under the ROC curve in each domain, the worst, and the gap between domains."""
    grouping, level = evidence.data.grouping(column), evidence.options.level
    for rate, measured in _rates(evidence.data, evidence.predictions, level).items():
        found = replace(measured(grouping.codes, len(grouping)), metric=f"domain_{rate}")
        yield from values(NAME, f"domain_{rate}", found, grouping, level)
        yield from between(NAME, f"domain_{rate}", found, ("difference", "group_min"), grouping, level)


def _left_out(evidence: Evidence, column: str) -> tuple[list[Finding], str]:
    """Return how the model does in each domain when it is fitted without it, and what was done."""
    refit, members = getattr(evidence.subject, "refit", None), evidence.members
    if refit is None or evidence.spared:
        return [], NOT_REFITTED
    if members is None or column not in members.table:
        return [], NO_MEMBERS
    grouping, said, data = evidence.data.grouping(column), evidence.predictions, evidence.data
    before = np.asarray(said.y_pred == said.y_true)
    after, done = np.zeros(len(data), dtype=bool), np.zeros(len(data), dtype=bool)
    theirs = members.grouping(column)
    names = [labels[0] for labels in theirs.labels]
    for at, (name,) in enumerate(grouping.labels):
        mine = np.flatnonzero(grouping.codes == at)
        kept = np.arange(len(members)) if name not in names else np.flatnonzero(theirs.codes != names.index(name))
        if len(mine) < LEAST or len(kept) < LEAST or len(np.unique(members.y_true[kept])) < len(data.classes):
            continue
        after[mine], done[mine] = _right_again(refit(members.take(kept), evidence.options.seed), data, mine), True
    rows, level = np.flatnonzero(done), evidence.options.level
    if not len(rows):
        return [], NOT_REFITTED
    findings = list(_of_left(evidence, grouping, rows, before[rows], after[rows], level))
    return findings, message(REFITTED, column=column)


def _right_again(subject: Subject, data: EvaluationSet, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    from evenhand.evidence.predictions import predict, proven

    taken = data.take(rows)
    said = predict(proven(subject, taken), taken)
    return np.asarray(said.y_pred == said.y_true)


def _of_left(
    evidence: Evidence, grouping: Grouping, rows: NDArray[np.intp], before: NDArray[np.bool_],
    after: NDArray[np.bool_], level: float,
) -> Iterator[Finding]:  # fmt: skip
    data, codes, groups = evidence.data, grouping.codes[rows], len(grouping)
    weight, clusters = (None if part is None else part[rows] for part in (data.sample_weight, data.clusters))
    one = np.ones(len(rows), dtype=np.int8)
    tally = Tally.count(one, after.astype(np.int8), codes, groups, weight, None, clusters)
    found = replace(measure("accuracy", tally, level), metric="left_out_accuracy")
    yield from values(NAME, "left_out_accuracy", found, grouping, level)
    yield from between(NAME, "left_out_accuracy", found, ("difference", "group_min"), grouping, level)
    joint = JointTally.count(one, before, after, codes, groups, weight, None, clusters)
    change = replace(measure_change("accuracy", joint, level), metric="left_out_accuracy_change")
    yield from values(NAME, "left_out_accuracy_change", change, grouping, level)


AUDIT: Final = Audit(
    generalization, frozenset({"binary", "multiclass"}), options=GeneralizationOptions,
    wanted=lambda evidence: evidence.members is not None or bool(evidence.options.of(GeneralizationOptions).domains),
)  # fmt: skip
