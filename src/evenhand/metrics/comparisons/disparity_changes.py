"""How compression changed a disparity: the gap between groups after, less the gap before, on the same rows.

A gap is an extreme over groups, so its bootstrap does not cover. Here each end rests on an inequality that holds
whatever the true rates are. Let (i, j) be the groups that make the gap of the compressed model. The original's gap is
at least that of the same two groups, so the change of the gap is at most the change of i less the change of j; and with
the groups that make the original's gap it is at least that. Which groups those are is not known, only which ones they
may be; over all of these the extreme end is taken. No correction for their number is needed, for one of them is the
right one (intersection-union). Where the other model has the two groups surely the other way round, its gap is at
least that of j over i, too: then the change is at most what i has over j in the sum of both rates, which tells that a
gap was closed where no order of the groups is left. Where nearly all groups may make a gap all of this is weak; then
the ends of both gaps, each separately, are sharper. Both bounds are taken, the error is shared between them, and the
better one counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.messages import lowered, message
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS, describe
from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.comparisons.disparities import Disparity, compare
from evenhand.metrics.inference.intervals import sidak_z, z_of
from evenhand.metrics.values.rates import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.metrics.catalogue.entry import How
    from evenhand.metrics.comparisons.disparities import Measuring
    from evenhand.metrics.counts.arrays import Floats, Indices, Side
    from evenhand.metrics.counts.joint import JointTally

    Groups: TypeAlias = Indices
    Deciding: TypeAlias = tuple[int, ...]
    Bound: TypeAlias = tuple[float, Deciding]

SPENT: Final = 0.1
"""The part of each side's error that is spent on telling which groups may make a gap, half of it on telling which are
surely the other way round under the other model; as much goes to each gap alone."""
PAIRED: Final = 1 - 3 * SPENT
"""The part that is left for the paired changes."""
METHOD: Final = "mover of two paired changes, over the groups that may make the gap"
TURNED: Final = "mover of two paired changes, or of two sums, over the groups that may make the gap"
"""Of gaps."""


def disparity_change(metric: str, how: How, joint: JointTally, level: float = 0.95) -> Disparity:
    """Return the change of a disparity, compressed less original.

    Parameters
    ----------
    metric : str
        A rate such as ``recall``, or ``equalized_odds``.
    how : {"difference", "group_min", "group_max"}
        The widest gap over the groups, or the least or greatest rate of a group.
    joint : JointTally
        G groups.
    level : float
        Two-sided confidence.
    """
    rates = EQUALIZED_ODDS if metric == "equalized_odds" else (metric,)
    return changed_gap(how, [moved(rate, joint, measure_change(rate, joint, level), level) for rate in rates], level)


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """A rate of every group under both models, and its change."""

    change: Measured
    new: Measured
    """Of the compressed model."""
    old: Measured
    """Of the original."""


def moved(metric: str, joint: JointTally, change: Measured, level: float, by: Measuring = measure) -> Moved:
    """Measure a rate whose change is known under both models, once for all of its disparities."""
    new, old = (by(metric, tally, level) for tally in (joint.compressed, joint.original))
    return Moved(*(replace(one, ends=cache(one.ends)) for one in (change, new, old)))


def changed_gap(how: How, rates: Sequence[Moved], level: float) -> Disparity:
    """Return the change of a disparity of one rate, or of the greater of those of two; see `disparity_change`."""
    parts = [_changed(how, each, level) for each in rates]
    return parts[0] if len(parts) == 1 else worse_changed(parts, rates)


def _changed(how: How, rate: Moved, level: float) -> Disparity:
    change, new, old, metric = rate.change, rate.new, rate.old, rate.new.metric
    chosen = np.flatnonzero(change.defined)
    empty = Disparity.empty(change, ~change.defined, z_of(_part(level, PAIRED)))
    if len(chosen) < (2 if how == "difference" else 1):
        reason = message(
            "Too few groups have a {metric} under both models, so there is nothing to compare.",
            metric=lowered(describe(metric).label),
        )
        return replace(empty, reason=reason)
    low, high, deciding = _ends(how, change, new, old, chosen, level)
    estimate = _value(how, new.estimate[chosen]) - _value(how, old.estimate[chosen])
    ends = (None, None) if empty.undefined else (float(low), float(high))
    decides = ((), ()) if empty.undefined else deciding
    method = TURNED if how == "difference" else METHOD
    return replace(empty.told(estimate, ends, ends), method=method, pair=_pair(change, chosen), deciding=decides)


def resampled_change(metric: str, how: How, drawn: Floats) -> Floats:
    """Return (replicates,) changes of a disparity over rows drawn again: how far they spread, not an interval.

    Parameters
    ----------
    metric : str
        A rate, or ``equalized_odds``.
    how : {"difference", "group_min", "group_max"}
    drawn : (replicates, G, 4, 4)
        Cells of a joint tally drawn again, as ``resample(joint.tally)`` gives them.
    """
    if metric == "equalized_odds":
        sides = [[_over_draws(rate, how, drawn, who) for rate in EQUALIZED_ODDS] for who in (0, 1)]
        return np.asarray(np.maximum(*sides[1]) - np.maximum(*sides[0]))
    return _over_draws(metric, how, drawn, 1) - _over_draws(metric, how, drawn, 0)


def _over_draws(metric: str, how: How, drawn: Floats, who: int) -> Floats:
    """Return a disparity of the original (0) or the compressed model (1) in every draw; nan where none is defined."""
    cells = drawn[:, :, :2].reshape(*drawn.shape[:2], 2, 2, 2).sum(axis=4 - who)
    entry = METRICS[metric]
    top, bottom = (
        sum(cells[:, :, truth, decided] for truth, decided in part) for part in (entry.numerator, entry.denominator)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = np.asarray(top / bottom)
    known = np.isfinite(rates)
    most, least = np.where(known, rates, -np.inf).max(axis=1), np.where(known, rates, np.inf).min(axis=1)
    found = {"difference": most - least, "group_min": least, "group_max": most}[how]
    return np.where(known.any(axis=1), found, np.nan)


def _value(how: How, rates: Floats) -> float:
    if how == "difference":
        return float(np.ptp(rates))
    return float(rates.min() if how == "group_min" else rates.max())


def _pair(change: Measured, chosen: Groups) -> tuple[int, int]:
    """Return the groups whose rate changed least, or fell most, and most."""
    moved = change.estimate[chosen]
    return int(chosen[np.argmin(moved)]), int(chosen[np.argmax(moved)])


def _part(level: float, share: float) -> float:
    """Return the level of an interval that may err by a share of what one of `level` may."""
    return 1 - (1 - level) * share


def _ends(
    how: How, change: Measured, new: Measured, old: Measured, chosen: Groups, level: float
) -> tuple[float, float, tuple[Deciding, Deciding]]:
    """Return the better of both bounds on either side, and the groups that make it."""
    (low, lowest), (high, highest) = _of_pairs(how, change, new, old, chosen, level)
    alone = _part(level, SPENT)
    after, before = (compare(rates.at(chosen), how, alone) for rates in (new, old))
    ends = (after.low, after.high, before.low, before.high)
    if None in ends:
        return low, high, (lowest, highest)
    low_alone, high_alone = after.low - before.high, after.high - before.low  # type: ignore[operator]
    if low_alone > low:
        low, lowest = low_alone, _places(after.deciding[0], chosen)
    if high_alone < high:
        high, highest = high_alone, _places(after.deciding[1], chosen)
    return low, high, (lowest, highest)


def _places(deciding: Deciding, chosen: Groups) -> Deciding:
    return tuple(int(chosen[at]) for at in deciding)


def _of_pairs(
    how: How, change: Measured, new: Measured, old: Measured, chosen: Groups, level: float
) -> tuple[Bound, Bound]:
    """Return the bounds by the groups that may make the gap after, and before."""
    z = z_of(_part(level, PAIRED)) * (change.apart if how == "difference" else 1.0)
    low, high = change.ends(z)
    told = SPENT / 2 if how == "difference" else SPENT
    by_new, by_old = (_may_make(rates, chosen, level, told) for rates in (new, old))
    if how == "difference":
        moved, total = (change.estimate, low, high), _sum(new, old, z)
        upper = max(_gaps(moved, total, *by_new, _telling(old, level)))
        lower, pair = max(_gaps(_turned(moved), total, *by_old, _telling(new, level)))
        return (-lower, pair), upper
    place = 1 if how == "group_min" else 0
    of_low, of_high = (by_new, by_old) if how == "group_min" else (by_old, by_new)
    lows, highs = of_low[place], of_high[place]
    least, most = int(lows[np.argmin(low[lows])]), int(highs[np.argmax(high[highs])])
    return (float(low[least]), (least,)), (float(high[most]), (most,))


def _may_make(rates: Measured, chosen: Groups, level: float, spent: float) -> tuple[Groups, Groups]:
    """Return the groups that may have the greatest rate, and those that may have the least."""
    error = (1 - level) / 2 * spent
    low, high = (end[chosen] for end in rates.ends(sidak_z(2 * len(chosen), 1 - 2 * error)))
    return chosen[high >= low.max()], chosen[low <= high.min()]


def _telling(rates: Measured, level: float) -> Side:
    """Return rates with ends that tell which of two groups has more, the two that make the gap under the other model.

    That is one comparison, whichever two they are, so no correction is made for the number of groups.
    """
    return rates.estimate, *rates.ends(z_of(1 - (1 - level) * SPENT / 2) * rates.apart)


def _sum(new: Measured, old: Measured, z: float) -> Side:
    """Return the sums of the rates under both models, with ends as far off as the two rates' together."""
    (new_low, new_high), (old_low, old_high) = new.ends(z), old.ends(z)
    return new.estimate + old.estimate, new_low + old_low, new_high + old_high


def _turned(sides: Side) -> Side:
    estimate, low, high = sides
    return -estimate, -high, -low


def _gaps(moved: Side, total: Side, most: Groups, least: Groups, other: Side) -> Iterator[Bound]:
    """Yield, for each group that may be greatest, the greatest upper end of its gap over one that may be least.

    The gap is that in what moved; or in the sums, where `other`, the rates under the other model, has the two
    surely the other way round and that is less. Each comes with both groups, the latter first.
    """
    for group in most:
        others = least[least != group]
        if len(others):
            ends, turned = _upper(moved, group, others), _upper(other, group, others) < 0
            ends = np.where(turned, np.minimum(ends, _upper(total, group, others)), ends)
            at = int(np.argmax(ends))
            yield float(ends[at]), (int(others[at]), int(group))


def _upper(sides: Side, group: int, others: Groups) -> Floats:
    """Return the upper ends of what a group has over others."""
    estimate, low, high = sides
    margins = np.hypot(high[group] - estimate[group], estimate[others] - low[others])
    return np.asarray(estimate[group] - estimate[others] + margins)


def worse_changed(parts: Sequence[Disparity], rates: Sequence[Moved]) -> Disparity:
    """Return the change of the greater of two gaps from that of each: either may be the greater, before and after."""
    known = [part for part in parts if part.estimate is not None]
    if len(known) < len(parts):
        return next(part for part in parts if part.estimate is None)
    sizes = [
        [float(np.ptp(values.estimate[rate.change.defined])) for rate, values in zip(rates, of, strict=True)]
        for of in ([rate.new for rate in rates], [rate.old for rate in rates])
    ]
    at = int(np.argmax(sizes[0]))
    lows, highs = ([getattr(part, end) for part in parts] for end in ("low", "high"))
    low, high = (None if None in ends else pick(ends) for ends, pick in ((lows, min), (highs, max)))
    deciding = tuple(
        () if end is None else parts[ends.index(end)].deciding[side]
        for side, (end, ends) in enumerate(((low, lows), (high, highs)))
    )
    estimate = max(sizes[0]) - max(sizes[1])
    undefined = tuple(sorted({group for part in parts for group in part.undefined}))
    told = parts[at].told(estimate, (low, high), (low, high))
    return replace(told, undefined=undefined, deciding=(deciding[0], deciding[1]))
