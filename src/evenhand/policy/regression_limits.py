"""Compute how much worse a finding became since an earlier audit, with an interval."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.findings import Finding, Interval
from evenhand.messages import message

if TYPE_CHECKING:
    from evenhand.keys import Key

INDEPENDENT: Final = "mover of two independent audits"
METHOD: Final = "always valid"
ROUGHLY: Final = "always valid, asymptotic"


def drop_key(key: Key) -> Key:
    """Return the name of the change: ``roc_auc[;vs=baseline]``; ``since=baseline`` where the key has a ``vs``."""
    name = "vs" if key.qualifier("vs") is None else "since"
    return type(key)(key.metric, key.features, (*key.qualifiers, (name, "baseline")))


def drop(now: Finding | None, before: Finding | None) -> Finding | None:
    """Return how much worse `now` is than `before`: positive is worse, in the direction of the finding.

    The two audits may rest on different rows, so they are taken as independent: square-and-add over both intervals
    (Zou and Donner 2008). Rows that both share make that interval wider than it need be, never narrower. None when
    either is missing.
    """
    if now is None or before is None:
        return None
    undefined = now.undefined or before.undefined
    blank = replace(
        now, key=drop_key(now.key), estimate=None, interval=None, unadjusted=None, critical=None, deciding=None,
        groups=(), component="", undefined=undefined or message("It has no direction in which it could be worse."),
        direction="lower_is_better", note=message("Unpaired: the two audits are taken as independent."),
    )  # fmt: skip
    if now.estimate is None or before.estimate is None or now.direction == "neutral":
        return blank
    sign = 1.0 if now.direction == "higher_is_better" else -1.0
    estimate = sign * (before.estimate - now.estimate)
    interval = _interval(now, before, sign, estimate)
    return replace(blank, estimate=estimate, interval=interval, undefined="")


def independent_change(now: Finding, before: Finding) -> tuple[float | None, Interval | None]:
    """Return `now` minus `before` with the interval of two independent audits; None where one has no value."""
    if now.estimate is None or before.estimate is None:
        return None, None
    change = now.estimate - before.estimate
    return change, _interval(now, before, -1.0, change)


def paired_drop(now: Finding | None, change: Finding) -> Finding:
    """Return how much worse `now` is from a paired change, new minus old, over rows that both audits share."""
    sign = -1.0 if now is not None and now.direction == "higher_is_better" else 1.0
    estimate, interval = change.estimate, change.interval
    assert estimate is not None  # a paired change without a value is None itself
    assert interval is not None
    ends = sorted(sign * end for end in (interval.low, interval.high) if end is not None)
    return replace(
        change,
        key=drop_key(change.key),
        estimate=sign * estimate,
        interval=replace(interval, low=ends[0], high=ends[-1]),
        direction="lower_is_better",
    )


def _interval(now: Finding, before: Finding, sign: float, estimate: float) -> Interval | None:
    if now.interval is None or before.interval is None:
        return None
    first, second = _margins(before), _margins(now)
    below, above = (first[0], second[1]), (first[1], second[0])
    if sign < 0:
        below, above = (second[0], first[1]), (second[1], first[0])
    low, high = estimate - math.hypot(*below), estimate + math.hypot(*above)
    level = min(now.interval.level, before.interval.level)
    held = now.interval.method.startswith(METHOD)
    method = f"{ROUGHLY}; {INDEPENDENT}" if held else INDEPENDENT
    return Interval(_finite(low), _finite(high), level, method)


def _margins(finding: Finding) -> tuple[float, float]:
    """Return how far the interval reaches below and above the estimate; an open end reaches without end."""
    interval, estimate = finding.interval, finding.estimate
    assert interval is not None  # asked for by the caller
    assert estimate is not None
    below = math.inf if interval.low is None else estimate - interval.low
    above = math.inf if interval.high is None else interval.high - estimate
    return below, above


def _finite(end: float) -> float | None:
    return end if math.isfinite(end) else None
