"""What one audit hands back, and the few ways in which measured arrays become findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from evenhand.findings import Finding, GroupValue, Interval, Unit
from evenhand.keys import Key
from evenhand.metrics import Disparity, Measured, describe

if TYPE_CHECKING:
    from evenhand.data import Grouping


@dataclass(frozen=True, slots=True)
class Statement:
    """The findings of one audit, or why there are none."""

    findings: tuple[Finding, ...] = ()
    """What the audit states."""
    reason: str = ""
    """Why it did not run, or what limits what it says."""
    ran: bool = True
    """False when there was nothing to work on."""


def not_applicable(reason: str) -> Statement:
    """Return the statement of an audit that has nothing to work on."""
    return Statement((), reason, ran=False)


def group_key(metric: str, grouping: Grouping, group: int) -> Key:
    """Return the key of a metric for one group of a grouping."""
    return Key.of(metric, dict(zip(grouping.columns, grouping.labels[group], strict=True)))


def group_label(grouping: Grouping, group: int) -> str:
    """Return the group as a person reads it."""
    return grouping.name(group)


def number(value: float | np.floating) -> float | None:
    """Return a Python float, or None where the array holds nan."""
    return None if not np.isfinite(value) else float(value)


def value_finding(key: Key, audit: str, measured: Measured, group: int, level: float, unit: Unit = "share") -> Finding:
    """Return the finding of one group's value."""
    defined = bool(measured.defined[group])
    estimate = float(measured.estimate[group]) if defined else None
    interval = None
    if defined:
        interval = Interval(number(measured.low[group]), number(measured.high[group]), level, measured.method)
    return Finding(
        key,
        audit,
        estimate,
        interval,
        support=int(measured.support[group]),
        direction=describe(key.metric).direction,
        unit=unit,
        groups=(GroupValue("", estimate, int(measured.support[group]), int(measured.rows[group])),),
        component=key.metric,
        undefined="" if defined else measured.reason[group],
    )


def disparity_finding(key: Key, audit: str, found: Disparity, grouping: Grouping, level: float) -> Finding:
    """Return the finding of a disparity over the groups of `grouping`."""
    undefined = tuple(group_label(grouping, group) for group in found.undefined)
    finding = Finding(
        key,
        audit,
        found.estimate,
        support=int(found.values.support.sum()),
        direction=describe(key.metric).direction,
        unit="ratio" if key.metric.endswith("_ratio") else "share",
        component=found.component,
        undefined_groups=undefined,
        note=_undefined_note(undefined, found.component),
    )
    if found.estimate is None:
        return replace(finding, undefined=found.reason)
    return replace(
        finding,
        interval=Interval(found.low, found.high, level, found.method),
        unadjusted=Interval(found.unadjusted_low, found.unadjusted_high, level, found.method),
        critical=found.critical,
        groups=_pair(found, grouping),
    )


def _pair(found: Disparity, grouping: Grouping) -> tuple[GroupValue, ...]:
    if found.pair is None:
        return ()
    values = found.values
    return tuple(
        GroupValue(
            group_label(grouping, group),
            number(values.estimate[group]),
            int(values.support[group]),
            int(values.rows[group]),
        )
        for group in dict.fromkeys(found.pair)
    )


def _undefined_note(groups: tuple[str, ...], component: str) -> str:
    if not groups:
        return ""
    words = describe(component).label.lower() if component else "the value"
    return f"No {words} can be computed for {', '.join(groups)}, so the interval is open on their side."
