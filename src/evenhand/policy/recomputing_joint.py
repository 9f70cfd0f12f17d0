"""Findings of the joint counts that a record keeps: what compression changed, at another confidence, or at all."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.metrics import canonical, parse_disparity
from evenhand.metrics.catalogue.compression import CHANGED

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding, GroupCounts
    from evenhand.keys import Key
    from evenhand.metrics import Measured
    from evenhand.metrics.counts.joint import JointTally

AXES: Final = ("group", "true", "original", "predicted")
FLIPS: Final = ("flip_rate", "negative_flip_rate", "positive_flip_rate")
OF: Final = (("of", "original"),)


def from_joint(record: AuditRecord, key: Key, level: float) -> Finding | None:
    """Return the finding of a key that the joint counts of both models say; None when they do not.

    Parameters
    ----------
    record : AuditRecord
        Of an audit beside an original.
    key : Key
        A flip rate, the change of a rate or its comparison between groups, or the change of a gap; ``of=original``.
    level : float
        Two-sided confidence.
    """
    name = canonical(key.metric)
    if name is None or key.qualifiers != OF:
        return None
    joint_ones = (part for part in record.tallies if part.model == "joint" and part.axes == AXES)
    counts = next((part for part in joint_ones if part.columns == key.columns), None)
    if counts is None:
        return None
    from evenhand.metrics import compare
    from evenhand.metrics.answers.findings import disparity_finding, value_finding
    from evenhand.metrics.comparisons.disparity_changes import disparity_change
    from evenhand.metrics.counts.joint import JointTally

    joint = JointTally.of_counts(counts.counts, counts.weights, counts.squared_weights)  # type: ignore[arg-type]
    told = partial(_name, counts)
    split = parse_disparity(name)
    if split is not None and not key.group:
        values = _measured(split[0], joint, level)
        return disparity_finding(key, "counts", compare(values, split[1], level), told, level) if values else None
    gap = parse_disparity(name.removesuffix("_change")) if name.endswith("_change") else None
    if gap is not None and not key.group and gap[1] != "ratio":
        return disparity_finding(key, "counts", disparity_change(*gap, joint, level), told, level)
    found = _measured(name, joint, level)
    wanted = tuple(dict(key.group).get(column, "") for column in counts.columns)
    if found is None or (counts.columns and wanted not in counts.groups):
        return None
    return value_finding(key, "counts", found, counts.groups.index(wanted) if counts.columns else 0, level)


def is_change(name: str) -> bool:
    """Whether a name is that of the change of a rate."""
    return name.endswith("_change") and name.removesuffix("_change") in CHANGED


def _measured(name: str, joint: JointTally, level: float) -> Measured | None:
    from evenhand.metrics import measure
    from evenhand.metrics.comparisons.changes import excess_change, measure_change

    if name in FLIPS:
        share = joint.share(
            {
                "flip_rate": lambda truth, old, new: old != new,
                "negative_flip_rate": lambda truth, old, new: (old == truth) & (new != truth),
                "positive_flip_rate": lambda truth, old, new: (old != truth) & (new == truth),
            }[name]
        )
        return replace(measure("selection_rate", share, level), metric=name)
    if name == "excess_accuracy_change":
        return excess_change("accuracy", joint, level)
    return measure_change(name, joint, level) if is_change(name) else None


def _name(counts: GroupCounts, group: int) -> str:
    return group_name(zip(counts.columns, counts.groups[group], strict=True))
