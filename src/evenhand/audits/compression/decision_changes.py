"""Findings of a joint tally: who was decided otherwise, what that did to each rate, and whether a gap widened."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import disparity_finding, value_finding
from evenhand.findings import Finding, GroupValue
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import compare, measure
from evenhand.metrics.catalogue.compression import GAPS, WORST
from evenhand.metrics.comparisons.changes import discordant, excess_change, mcnemar, measure_change
from evenhand.metrics.comparisons.disparity_changes import disparity_change, resampled_change
from evenhand.metrics.comparisons.significance import benjamini_hochberg, holm
from evenhand.metrics.inference.bootstrap import resample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping
    from evenhand.evidence import Evidence
    from evenhand.metrics import Measured
    from evenhand.metrics.catalogue.names import How
    from evenhand.metrics.counts.joint import JointTally, Where

NAME: Final = "compression"
RATES: Final = (
    "accuracy", "selection_rate", "recall", "false_positive_rate", "precision", "negative_predictive_value",
)  # fmt: skip
"""Rates whose change is stated; the change of the others follows from the same counts, and a policy may limit it."""
TESTED: Final = ("accuracy", "selection_rate", "recall", "false_positive_rate")
"""Rates of which McNemar's test is stated: those whose denominator both models share."""
WORST_OFF: Final[Mapping[str, How]] = {
    "accuracy": "group_min", "recall": "group_min", "false_positive_rate": "group_max",
}  # fmt: skip
"""Rates of which the change in the group that lost most is stated, and on which side that lies."""
DRAWS: Final = 500
"""Times that rows are drawn again."""
MOST_DRAWN: Final = 20_000_000
"""Numbers that are drawn at most."""
ADJUSTED: Final = {"holm": holm, "benjamini-hochberg": benjamini_hochberg}


def changes(evidence: Evidence) -> Iterator[Finding]:
    """Yield what changed for all rows, for each group of every grouping, and between groups."""
    binary = evidence.data.task == "binary"
    for grouping in (None, *evidence.groupings):
        yield from _flips(evidence, grouping)
        yield from _rates(evidence, grouping) if binary else _rates_of_classes(evidence, grouping)
        yield from _normalized(evidence, grouping)
        if grouping is not None:
            yield from _between(evidence, grouping)
            yield from _gaps(evidence, grouping) if binary else ()


def of_groups(
    metric: str, grouping: Grouping | None, found: Measured, level: float, **qualifiers: str
) -> Iterator[tuple[int, Finding]]:
    """Yield (group, finding) for every group of a grouping, or for all rows."""
    for group in range(len(found.estimate)):
        key = Key.of(metric, labels(grouping, group), of="original", **qualifiers)
        yield group, value_finding(key, NAME, found, group, level)


def labels(grouping: Grouping | None, group: int) -> dict[str, str]:
    """Return the columns and values of a group; none for all rows."""
    return {} if grouping is None else dict(zip(grouping.columns, grouping.labels[group], strict=True))


def _flips(evidence: Evidence, grouping: Grouping | None) -> Iterator[Finding]:
    """Yield how many are decided otherwise: at all, now rightly, now wrongly, and towards each class."""
    level, binary = evidence.options.level, evidence.data.task == "binary"
    flips = evidence.joint_tally(grouping, "decisions" if binary else "flips")
    right = evidence.joint_tally(grouping, "decisions" if binary else "agreement")
    parts: list[tuple[str, JointTally, Where, dict[str, str]]] = [
        ("flip_rate", flips, lambda truth, old, new: old != new, {}),
        ("negative_flip_rate", right, lambda truth, old, new: (old == truth) & (new != truth), {}),
        ("positive_flip_rate", right, lambda truth, old, new: (old != truth) & (new == truth), {}),
    ]
    for at, name in enumerate(class_names(evidence)):
        joint = flips if binary else evidence.joint_tally(grouping, at)
        became: Where = partial(_became, at if binary else 1)
        parts.append(("flip_rate", joint, became, {"class": name}))
    for metric, joint, where, qualifiers in parts:
        found = replace(measure("selection_rate", joint.share(where), level), metric=metric)
        yield from (finding for _, finding in of_groups(metric, grouping, found, level, **qualifiers))
        if metric == "flip_rate" and not qualifiers and grouping is not None:
            key = Key.of("flip_rate_difference", grouping.columns, of="original")
            yield disparity_finding(key, NAME, compare(found, "difference", level), grouping, level)


def _became(decision: int, truth: object, old: NDArray[np.int64], new: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray((old != decision) & (new == decision))


def class_names(evidence: Evidence) -> tuple[str, ...]:
    """Return the classes as the data name them, in the order of their codes."""
    return names_of_classes(evidence.data)


def names_of_classes(data: EvaluationSet) -> tuple[str, ...]:
    """Return the classes of an evaluation set as it names them, in the order of their codes."""
    if data.task != "binary":
        return tuple(str(name) for name in data.classes)
    other = next((name for name in data.classes if name != data.roles.positive), None)
    return (str(other) if other is not None else "0", str(data.roles.positive))


def _rates(evidence: Evidence, grouping: Grouping | None) -> Iterator[Finding]:
    """Yield the change of each rate with its paired interval, and McNemar's test."""
    joint, level = evidence.joint_tally(grouping), evidence.options.level
    for metric in RATES:
        found = measure_change(metric, joint, level)
        noted = discordant(metric, joint) if metric in TESTED else None
        for group, finding in of_groups(found.metric, grouping, found, level):
            yield finding if noted is None else replace(finding, note=_note(noted[0][group], noted[1][group]))
        if noted is not None:
            yield from _tests(metric, grouping, noted)


def _rates_of_classes(evidence: Evidence, grouping: Grouping | None) -> Iterator[Finding]:
    """Yield, of several classes, the change of accuracy and of each class's recall and precision."""
    level, right = evidence.options.level, evidence.joint_tally(grouping, "agreement")
    found = replace(measure_change("recall", right, level), metric="accuracy_change")
    gained, lost, rows = discordant("recall", right)
    for group, finding in of_groups("accuracy_change", grouping, found, level):
        yield replace(finding, note=_note(gained[group], lost[group]))
    yield from _tests("accuracy", grouping, (gained, lost, rows))
    for at, name in enumerate(class_names(evidence)):
        joint = evidence.joint_tally(grouping, at)
        for metric in ("recall", "precision", "selection_rate"):
            change = measure_change(metric, joint, level)
            yield from (found for _, found in of_groups(change.metric, grouping, change, level, **{"class": name}))


def _note(gained: int, lost: int) -> str:
    return message(
        "{gained:,} rows count only with the compressed model, {lost:,} only with the original.",
        gained=gained,
        lost=lost,
    )


def _tests(
    metric: str, grouping: Grouping | None, counts: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
) -> Iterator[Finding]:
    """Yield McNemar's mid-p values of a family: one rate over the groups of one grouping, plain and adjusted."""
    gained, lost, rows = counts
    plain = np.where(rows > 0, mcnemar(gained, lost), np.nan)
    exact = mcnemar(gained, lost, mid=False)
    families = {"": plain} | ({} if grouping is None else {name: how(plain) for name, how in ADJUSTED.items()})
    for name, values in families.items():
        qualifiers = {"rate": metric} | ({"adjusted": name} if name else {})
        for group in np.flatnonzero(rows > 0):
            key = Key.of("p_value", labels(grouping, int(group)), of="original", **qualifiers)
            said = message("McNemar's test, mid-p; the exact value is {p:.4f}.", p=exact[group]) if not name else ""
            n = int(rows[group])
            yield Finding(
                key, NAME, float(values[group]), support=n, unit="number", note=said,
                groups=(GroupValue("", float(values[group]), n, n),), component=metric,
            )  # fmt: skip


def _normalized(evidence: Evidence, grouping: Grouping | None) -> Iterator[Finding]:
    """Yield how much more than all rows each group lost, and each class, over all rows and in each group."""
    level, names = evidence.options.level, class_names(evidence)
    if grouping is not None:
        found = excess_change("recall", evidence.joint_tally(grouping, "agreement"), level)
        yield from (finding for _, finding in of_groups("excess_accuracy_change", grouping, found, level))
    found = excess_change("recall", evidence.joint_tally(grouping, "classes"), level)
    for cell in range(len(found.estimate)):
        group, truth = divmod(cell, len(names))
        key = Key.of("normalized_recall_change", labels(grouping, group), of="original", **{"class": names[truth]})
        yield value_finding(key, NAME, found, cell, level)


def _between(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """Yield the change in the group that lost most, and how unlike groups changed."""
    level = evidence.options.level
    if evidence.data.task == "binary":
        joint = evidence.joint_tally(grouping)
        found = {metric: measure_change(metric, joint, level) for metric in WORST_OFF}
    else:
        right = evidence.joint_tally(grouping, "agreement")
        found = {"accuracy": replace(measure_change("recall", right, level), metric="accuracy_change")}
    for metric, values in found.items():
        for how in (WORST_OFF[metric], "difference"):
            key = Key.of(f"{metric}_change_{how}", grouping.columns, of="original")
            yield disparity_finding(key, NAME, compare(values, how, level), grouping, level)


def _gaps(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """Yield how much wider each gap between groups became."""
    level, joint = evidence.options.level, evidence.joint_tally(grouping)
    gaps: list[tuple[str, How]] = [(metric, "difference") for metric in GAPS]
    gaps += [(metric, "group_min") for metric in WORST]
    drawn = _drawn(joint, evidence.options.seed)
    for metric, how in gaps:
        key = Key.of(f"{metric}_{how}_change", grouping.columns, of="original")
        found = disparity_finding(key, NAME, disparity_change(metric, how, joint, level), grouping, level)
        yield found if drawn is None or found.note else replace(found, note=_spread(metric, how, drawn, level))


def _drawn(joint: JointTally, seed: int) -> NDArray[np.float64] | None:
    """Return the joint cells of rows drawn again; None where rows are clustered or the cells are too many."""
    if joint.tally.clusters is not None or joint.tally.counts.size * DRAWS > MOST_DRAWN:
        return None
    return resample(joint.tally, DRAWS, seed)


def _spread(metric: str, how: How, drawn: NDArray[np.float64], level: float) -> str:
    """Say how far a paired bootstrap spreads a change of a gap; its quantiles are no interval of an extreme."""
    values = resampled_change(metric, how, drawn)
    known = values[np.isfinite(values)]
    if not len(known):
        return ""
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return message(
        "Rows drawn again spread it from {low:.4f} to {high:.4f}; of an extreme that is no interval.",
        low=low,
        high=high,
    )
