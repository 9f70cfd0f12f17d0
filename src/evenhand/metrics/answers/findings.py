"""How measured arrays become findings: the same for an audit of rows and for counts read from a record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.findings import Deciding, Finding, GroupValue, Interval, Unit
from evenhand.messages import joined, lowered, message
from evenhand.metrics.catalogue.names import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from evenhand.keys import Key
    from evenhand.metrics.comparisons.disparities import Disparity
    from evenhand.metrics.values.rates import Measured

NO_SEQUENCE: Final = message("There is no interval of it that holds at all times.")
"""Why no limit that looks again and again rests on a finding."""


def number(value: float | np.floating) -> float | None:
    """Return a Python float, or None where the array holds nan.

    Parameters
    ----------
    value : float
        A number, or nan.

    Examples
    --------
    >>> number(float("nan")) is None, number(0.5)
    (True, 0.5)
    """
    return None if not np.isfinite(value) else float(value)


def value_finding(key: Key, audit: str, measured: Measured, group: int, level: float, unit: Unit = "share") -> Finding:
    """Return the finding of one group's value.

    Parameters
    ----------
    key : Key
        The finding's key.
    audit : str
        The name of the audit that states it.
    measured : Measured
        The metric, as `evenhand.metrics.measure` returns it.
    group : int
        The position of the group.
    level : float
        The confidence of its interval.
    unit : Unit
        What its number is.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.metrics import Tally, measure
    >>> recall = measure("recall", Tally.count([1, 1, 0], [1, 0, 0], [0, 0, 0], 1))
    >>> value_finding(eh.Key.parse("recall"), "mine", recall, 0, 0.95).estimate
    0.5
    """
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
        uncovered=measured.uncovered[group] if defined and measured.uncovered else "",
        undefined="" if defined else measured.reason[group],
        note=measured.note[group] if defined and measured.note else "",
    )


def disparity_finding(
    key: Key, audit: str, found: Disparity, name: Callable[[int], str], level: float, unit: Unit = "share"
) -> Finding:
    """Return the finding of a disparity; `name` gives each group as text."""
    undefined = tuple(name(group) for group in found.undefined)
    finding = Finding(
        key,
        audit,
        found.estimate,
        support=int(found.values.support.sum()),
        direction=describe(key.metric).direction,
        unit="ratio" if key.metric.endswith("_ratio") else unit,
        component=found.component,
        undefined_groups=undefined,
        note=_undefined_note(undefined, found.component),
    )
    if found.estimate is None:
        return replace(finding, undefined=found.reason)
    return replace(
        finding,
        interval=Interval(_end(found.low), _end(found.high), level, found.method),
        unadjusted=Interval(_end(found.unadjusted_low), _end(found.unadjusted_high), level, found.method),
        critical=found.critical,
        groups=() if found.pair is None else _groups(found.pair, found, name),
        deciding=Deciding(*(_groups(groups, found, name) for groups in found.deciding))
        if any(found.deciding)
        else None,
        uncovered=found.uncovered,
    )


def _end(value: float | None) -> float | None:
    """Return a finite end, or None for an open one."""
    return None if value is None else number(value)


def _groups(groups: Iterable[int], found: Disparity, name: Callable[[int], str]) -> tuple[GroupValue, ...]:
    values = found.values
    return tuple(
        GroupValue(name(group), number(values.estimate[group]), int(values.support[group]), int(values.rows[group]))
        for group in dict.fromkeys(groups)
    )


def _undefined_note(groups: tuple[str, ...], component: str) -> str:
    if not groups:
        return ""
    return message(
        "No {metric} can be computed for {groups}; the interval allows for any value of theirs.",
        metric=lowered(describe(component).label) if component else message("value"),
        groups=joined("; ", groups),
    )


def without_interval(found: Finding) -> Finding:
    """Return a finding without an interval, for none is known that holds at all times."""
    bare = {"interval": None, "unadjusted": None, "critical": None, "deciding": None}
    return replace(found, **bare, uncovered=found.uncovered or NO_SEQUENCE)  # type: ignore[arg-type]
