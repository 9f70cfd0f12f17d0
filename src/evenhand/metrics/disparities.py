"""Extremes over groups: differences, ratios, the worst group; with the interval that a verdict may rest on.

The two ends follow two rules. The end that lets a limit *pass* is the most extreme unadjusted pairwise bound
(intersection-union: the pair that makes the true extreme must be inside, whatever the others do). The end that lets it
*fail* is the most extreme simultaneous bound (union-intersection: some pair must be outside although all were looked
at). So neither the number of groups nor the upward bias of a maximum makes a fair model fail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.intervals import difference_interval, ratio_interval, sidak_z, simultaneous_z, z_of
from evenhand.metrics.measuring import Measured, measure
from evenhand.metrics.names import EQUALIZED_ODDS, How, describe, names, parse_disparity

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.metrics.tally import Tally

    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Disparity:
    """An extreme over groups."""

    estimate: float | None
    """Over the groups that have a value; None with fewer than two (for a group's extreme: one) of them."""
    low: float | None
    """The low end a verdict rests on; None is unbounded."""
    high: float | None
    """The high end a verdict rests on; None is unbounded."""
    unadjusted_low: float | None
    """The low end without a correction for the number of groups."""
    unadjusted_high: float | None
    """The high end without a correction for the number of groups."""
    critical: tuple[float, float]
    """Critical values, in standard errors, behind `low` and `high`."""
    pair: tuple[int, int] | None
    """The groups with the least and the greatest value."""
    undefined: tuple[int, ...]
    """Groups without a value; the interval is open on their side."""
    component: str
    """The metric that is compared."""
    method: str
    """How the interval was found."""
    values: Measured
    """The groups' own values."""
    reason: str = ""
    """Why there is no estimate."""


def disparity(name: str, tally: Tally, level: float = 0.95) -> Disparity:
    """Compare a count metric between the groups of a tally.

    Parameters
    ----------
    name : str
        Any accepted name, such as ``recall_difference``, ``demographic_parity_ratio``, ``accuracy_group_min``,
        ``equalized_odds_difference``.
    tally : Tally
        G groups, each with at least one row.
    level : float
        Two-sided confidence: (1 - level) / 2 is the chance of an error on either side.

    Raises
    ------
    InputError
        When there is no such disparity.
    """
    split = parse_disparity(name)
    if split is None:
        raise InputError(f"'{name}' is no disparity.{did_you_mean(name, names())} See: evenhand list metrics")
    metric, how = split
    if metric == "equalized_odds":
        return _equalized_odds(tally, how, level)
    return compare(measure(metric, tally, level), how, level)


def compare(values: Measured, how: How, level: float = 0.95) -> Disparity:
    """Compare values that were measured for each group, independent of each other."""
    chosen = np.flatnonzero(values.defined)
    undefined = tuple(int(group) for group in np.flatnonzero(~values.defined))
    empty = Disparity(
        None, None, None, None, None, (z_of(level), z_of(level)), None, undefined, values.metric, "", values
    )
    least = 1 if how in ("group_min", "group_max") else 2
    if len(chosen) < least:
        words = describe(values.metric).label.lower()
        return replace(empty, reason=f"Fewer than {least} groups have a {words}, so there is nothing to compare.")
    estimate = values.estimate[chosen]
    pair = (int(chosen[np.argmin(estimate)]), int(chosen[np.argmax(estimate)]))
    found = replace(empty, pair=pair)
    return _REDUCE[how](found, values, chosen, level)


def _difference(found: Disparity, values: Measured, chosen: NDArray[np.intp], level: float) -> Disparity:
    adjusted, plain = simultaneous_z(len(chosen), level), z_of(level)
    low = _pairs(values, chosen, adjusted, difference_interval)[0].max()
    plain_low, plain_high = _pairs(values, chosen, plain, difference_interval)
    estimate = values.estimate[chosen]
    top = None if found.undefined else float(plain_high.max())
    bounded = METRICS[values.metric].kind in ("rate", "composite") or values.metric == "roc_auc"
    return replace(
        found,
        estimate=float(estimate.max() - estimate.min()),
        low=max(float(low), 0.0),
        high=1.0 if top is None and bounded else top,
        unadjusted_low=max(float(plain_low.max()), 0.0),
        unadjusted_high=1.0 if top is None and bounded else top,
        critical=(adjusted, plain),
        method=f"mover, {values.method}",
    )


def _ratio(found: Disparity, values: Measured, chosen: NDArray[np.intp], level: float) -> Disparity:
    estimate = values.estimate[chosen]
    if estimate.max() <= 0:
        words = describe(values.metric).label.lower()
        return replace(found, pair=None, reason=f"The {words} is 0 in every group: their ratio is 0 of 0.")
    adjusted, plain = simultaneous_z(len(chosen), level), z_of(level)
    high = _pairs(values, chosen, adjusted, ratio_interval)[1].min()
    plain_low, plain_high = _pairs(values, chosen, plain, ratio_interval)
    low = 0.0 if found.undefined else float(plain_low.min())
    return replace(
        found,
        estimate=float(estimate.min() / estimate.max()),
        low=low,
        high=min(float(high), 1.0),
        unadjusted_low=low,
        unadjusted_high=min(float(plain_high.min()), 1.0),
        critical=(plain, adjusted),
        method=f"mover-r, {values.method}",
    )


def _group_min(found: Disparity, values: Measured, chosen: NDArray[np.intp], level: float) -> Disparity:
    adjusted = sidak_z(len(chosen), level)
    high = float(values.ends(adjusted)[1][chosen].min())
    low = 0.0 if found.undefined else float(values.low[chosen].min())
    return replace(
        found,
        estimate=float(values.estimate[chosen].min()),
        low=low,
        high=max(high, float(values.high[chosen].min())),
        unadjusted_low=low,
        unadjusted_high=float(values.high[chosen].min()),
        critical=(z_of(level), adjusted),
        method=f"{values.method}; sidak",
    )


def _group_max(found: Disparity, values: Measured, chosen: NDArray[np.intp], level: float) -> Disparity:
    adjusted = sidak_z(len(chosen), level)
    low = float(values.ends(adjusted)[0][chosen].max())
    high = None if found.undefined else float(values.high[chosen].max())
    return replace(
        found,
        estimate=float(values.estimate[chosen].max()),
        low=min(low, float(values.low[chosen].max())),
        high=high,
        unadjusted_low=float(values.low[chosen].max()),
        unadjusted_high=high,
        critical=(adjusted, z_of(level)),
        method=f"{values.method}; sidak",
    )


_REDUCE: dict[How, Callable[[Disparity, Measured, NDArray[np.intp], float], Disparity]] = {
    "difference": _difference,
    "ratio": _ratio,
    "group_min": _group_min,
    "group_max": _group_max,
}

Interval: TypeAlias = "Callable[[tuple[Floats, Floats, Floats], tuple[Floats, Floats, Floats]], tuple[Floats, Floats]]"


def _pairs(values: Measured, chosen: NDArray[np.intp], z: float, interval: Interval) -> tuple[Floats, Floats]:
    """Return low and high ends over all ordered pairs of different groups."""
    low, high = values.ends(z)
    left, right = (side.ravel() for side in np.meshgrid(chosen, chosen, indexing="ij"))
    apart = left != right
    left, right = left[apart], right[apart]

    def side(groups: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
        return values.estimate[groups], low[groups], high[groups]

    return interval(side(left), side(right))


def _equalized_odds(tally: Tally, how: How, level: float) -> Disparity:
    """The worse of two families: either may fail the limit, so the failing side is shared between them."""
    halved = 1 - (1 - level) / 2
    parts = [measure(rate, tally, level) for rate in EQUALIZED_ODDS]
    plain = [compare(part, how, level) for part in parts]
    strict = [compare(part, how, halved) for part in parts]
    known = [index for index, part in enumerate(plain) if part.estimate is not None]
    if not known:
        return replace(plain[0], reason=f"{plain[0].reason} {plain[1].reason}")
    sign = 1 if how == "difference" else -1
    worst = max(known, key=lambda index: sign * (plain[index].estimate or 0.0))
    found = plain[worst]
    undefined = tuple(sorted({group for part in plain for group in part.undefined}))
    if how == "difference":
        low = max(strict[index].low or 0.0 for index in known)
        high = 1.0 if undefined else max(plain[index].high or 0.0 for index in known)
        plain_low = max(plain[index].unadjusted_low or 0.0 for index in known)
        critical = (strict[worst].critical[0], found.critical[1])
        ends = {"low": low, "high": high, "unadjusted_low": plain_low, "unadjusted_high": high}
    else:
        low = 0.0 if undefined else min(plain[index].low or 0.0 for index in known)
        high = min(_or_one(strict[index].high) for index in known)
        plain_high = min(_or_one(plain[index].unadjusted_high) for index in known)
        critical = (found.critical[0], strict[worst].critical[1])
        ends = {"low": low, "high": high, "unadjusted_low": low, "unadjusted_high": plain_high}
    return replace(found, undefined=undefined, critical=critical, **ends)  # type: ignore[arg-type]


def _or_one(end: float | None) -> float:
    return 1.0 if end is None else end
