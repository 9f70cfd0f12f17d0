"""The extreme ends over ordered pairs of groups, of intervals that hold at all times.

The rules are those of any extreme over groups: the end that passes a limit is unadjusted, the one that fails it shares
its error between the pairs (Bonferroni). At all times together this costs little: an end moves with the root of the
logarithm of the error.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.comparisons.pairs import FEW, Bound, difference_of, extreme_pairs, outermost
from evenhand.metrics.comparisons.share_pairs import Ends
from evenhand.metrics.inference.intervals import ratio_interval, z_of
from evenhand.metrics.inference.sequences import Asymptotic, joined_low, shared, widest_lead

if TYPE_CHECKING:
    from evenhand.metrics.comparisons.pairs import Interval
    from evenhand.metrics.counts.arrays import Floats, Indices
    from evenhand.metrics.inference.sequences import Curve
    from evenhand.metrics.inference.two_shares import How
    from evenhand.metrics.values.rates import Measured

RANKED: Final = 65
"""Ways of sharing the evidence by which pairs are ranked."""
LOG_2: Final = math.log(2)
NEAR: Final = 0.02
"""Pairs this near to the extreme one, in parts of its margin, are refined."""


def of_sequences(how: How, values: Measured, chosen: Indices, level: float) -> Ends:
    """Return the ends of the greatest of p1 - p2, or of p1 / p2, over ordered pairs of groups, at all times."""
    error, pairs = (1 - level) / 2, len(chosen) * (len(chosen) - 1)
    strict = error / pairs
    low, plain_low = (greatest_low(how, values, chosen, part) for part in (strict, error))
    high = greatest_high(how, values, chosen, error)
    return Ends(low, max(plain_low, low), high, NormalDist().inv_cdf(1 - strict))


def greatest_low(how: How, values: Measured, chosen: Indices, error: float) -> Bound:
    """Return the greatest low end over ordered pairs, each of one-sided error `error` at all times."""
    if isinstance(values.sequence, Asymptotic):
        return extreme_pairs(
            values, chosen, NormalDist().inv_cdf(1 - error), _interval(how, values.metric), np.nanargmax
        )[0]
    return _extreme(how, values, chosen, -math.log(error), sign=1)


def greatest_high(how: How, values: Measured, chosen: Indices, error: float) -> Bound:
    """Return the greatest high end over ordered pairs, each of one-sided error `error` at all times."""
    if isinstance(values.sequence, Asymptotic):
        return extreme_pairs(
            values, chosen, NormalDist().inv_cdf(1 - error), _interval(how, values.metric), np.nanargmax
        )[1]
    found = _extreme(how, values, chosen, -math.log(error), sign=-1)
    end = -found.end if how == "difference" else math.inf if found.end <= 0 else 1 / found.end
    return Bound(end, (found.pair[1], found.pair[0]))


def of_curves(first: Measured, second: Measured) -> bool:
    """Whether both have intervals that hold exactly at all times."""
    return all(of.sequence is not None and not isinstance(of.sequence, Asymptotic) for of in (first, second))


def pair_lows(how: How, first: tuple[Curve, Indices], second: tuple[Curve, Indices], error: float | Floats) -> Floats:
    """Return the low ends of first - second, or of first / second, for (P,) pairs of independent values.

    Values that are themselves made of two get half the error each.
    """
    (one, at), (other, beside), evidence = first, second, np.broadcast_to(-np.log(error), np.shape(first[1]))
    if one.direct and other.direct:
        return joined_low(COMBINED[how], first, second, evidence)
    return COMBINED[how](one.low(at, evidence + LOG_2), other.high(beside, evidence + LOG_2))


def pair_highs(how: How, first: tuple[Curve, Indices], second: tuple[Curve, Indices], error: float | Floats) -> Floats:
    """Return the high ends for (P,) pairs of independent values."""
    lows = pair_lows(how, second, first, error)
    with np.errstate(divide="ignore"):
        return np.asarray(-lows if how == "difference" else np.where(lows > 0, 1 / lows, np.inf))


def _interval(how: How, metric: str) -> Interval:
    return ratio_interval if how == "ratio" else difference_of(metric)


def _difference(first: Floats, second: Floats) -> Floats:
    return first - second


@np.errstate(divide="ignore", invalid="ignore")
def _ratio(first: Floats, second: Floats) -> Floats:
    return np.asarray(np.where(second > 0, first / second, np.where(first > 0, np.inf, 0.0)))


COMBINED: Final = {"difference": _difference, "ratio": _ratio}


def _extreme(how: How, values: Measured, chosen: Indices, evidence: float, *, sign: int) -> Bound:
    """Return the greatest (sign 1) or the least (-1) low end over ordered pairs.

    All pairs are ranked by ways of sharing the evidence that are the same for all; those that may be extreme are then
    refined.
    """
    curve = values.sequence
    assert curve is not None and not isinstance(curve, Asymptotic)  # checked by the callers
    kept = _outer(values, chosen)
    rough = _ranked(how, curve, kept, evidence)
    rough[np.eye(len(kept), dtype=bool)] = -sign * np.inf
    best = rough.max() if sign > 0 else rough.min()
    reach = NEAR * (abs(best - _estimate(how, values, kept)) if math.isfinite(best) else 0.0)
    left, right = np.nonzero(sign * rough >= sign * best - reach)
    lows = pair_lows(how, (curve, kept[left]), (curve, kept[right]), math.exp(-evidence))
    at = int(lows.argmax() if sign > 0 else lows.argmin())
    return Bound(float(lows[at]), (int(kept[left[at]]), int(kept[right[at]])))


def _ranked(how: How, curve: Curve, kept: Indices, evidence: float) -> Floats:
    """Return (n, n) low ends of all ordered pairs, about."""
    if not curve.direct:
        half = np.array(evidence + LOG_2)
        return COMBINED[how](curve.low(kept, half)[:, None], curve.high(kept, half)[None, :])
    reach = widest_lead(evidence)
    own, others = shared(np.linspace(-reach, reach, RANKED), np.array(evidence))
    lows, highs = curve.low(kept[:, None], own), curve.high(kept[:, None], others)
    return np.array([COMBINED[how](low, highs).min(axis=1) for low in lows])


def _estimate(how: How, values: Measured, kept: Indices) -> float:
    """Return the greatest comparison of estimates."""
    of = values.estimate[kept]
    return float(COMBINED[how](of.max(keepdims=True), of.min(keepdims=True))[0])


def _outer(values: Measured, chosen: Indices) -> Indices:
    """Return the groups that may be one side of an extreme pair."""
    if len(chosen) <= FEW:
        return chosen
    low, high = (end[chosen] for end in values.ends(z_of(0.95)))
    return chosen[outermost(np.column_stack([values.estimate[chosen], low, high]))]
