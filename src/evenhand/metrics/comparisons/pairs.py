"""The extreme ends over all ordered pairs of groups, without looking at every pair of ten thousand groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from evenhand.metrics.catalogue.names import describe
from evenhand.metrics.inference.intervals import (
    added_difference_interval,
    difference_interval,
    share_difference_interval,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics.counts.arrays import Floats, Indices, Side
    from evenhand.metrics.values.rates import Measured

Interval: TypeAlias = "Callable[[Side, Side], tuple[Floats, Floats]]"
"""From estimate, low and high end of two sides to the ends of their comparison."""


class Bound(NamedTuple):
    """An extreme end, and the two groups whose comparison it is, in the order in which they are compared."""

    end: float
    pair: tuple[int, int]


FEW: Final = 150
"""Groups of which simply all pairs are compared."""


def difference_of(metric: str) -> Interval:
    """Return what makes the interval of a difference of two values: shares have a corner to mind, errors a bias."""
    entry = describe(metric)
    if metric == "calibration_error":
        return added_difference_interval
    return share_difference_interval if (entry.lowest, entry.highest) == (0, 1) else difference_interval


def extreme_pairs(
    values: Measured, chosen: Indices, z: float, interval: Interval, extreme: Callable[..., Any]
) -> tuple[Bound, Bound]:
    """Return the extreme low end and the extreme high end over ordered pairs of different groups, each with its pair.

    The ends of a comparison rise with the estimate and the ends of its first side and fall with those of its second. So
    a pair is extreme only if no other group is beyond its sides both in the estimate and in the end that counts; with
    two layers of such groups, for a pair must be of different groups, nothing is lost.
    """
    low, high = values.ends(z * values.apart)
    sides, groups = np.column_stack([values.estimate[chosen], low[chosen], high[chosen]]), chosen
    if len(sides) > FEW:
        kept = outermost(sides)
        sides, groups = sides[kept], chosen[kept]
    left, right = np.meshgrid(np.arange(len(sides)), np.arange(len(sides)), indexing="ij")
    apart = left != right
    first, second = sides[left[apart]].T, sides[right[apart]].T
    lows, highs = interval((first[0], first[1], first[2]), (second[0], second[1], second[2]))
    pairs = np.column_stack([groups[left[apart]], groups[right[apart]]])
    return _bound(lows, pairs, extreme), _bound(highs, pairs, extreme)


def _bound(ends: Floats, pairs: Indices, extreme: Callable[..., Any]) -> Bound:
    at = int(extreme(ends))
    first, second = (int(group) for group in pairs[at])
    return Bound(float(ends[at]), (first, second))


def outermost(sides: Floats) -> Indices:
    """Return the positions that may be one side of an extreme pair."""
    kept: set[int] = set()
    for end in (1, 2):
        for sign in (1, -1):
            points = sign * sides[:, [0, end]]
            for _ in range(2):
                front = _front(points)
                kept.update(front.tolist())
                points[front] = -np.inf
    return np.array(sorted(kept), dtype=np.intp)


def _front(points: Floats) -> Indices:
    """Return the positions of points (n, 2) that no other point exceeds in one coordinate and equals in the other."""
    order = np.lexsort((-points[:, 1], -points[:, 0]))
    second = points[order, 1]
    best = np.concatenate([[-np.inf], np.maximum.accumulate(second)[:-1]])
    front = order[second > best]
    return np.asarray(front[np.isfinite(points[front, 0])])
