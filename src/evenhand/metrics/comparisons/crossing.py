"""Find the groups, or pairs of groups, whose own bound crosses a limit: those that keep it from passing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.comparisons.pairs import difference_of
from evenhand.metrics.comparisons.sequences import pair_lows
from evenhand.metrics.comparisons.share_pairs import ends_beyond
from evenhand.metrics.inference.intervals import ratio_interval, z_of
from evenhand.metrics.inference.sequences import Asymptotic
from evenhand.metrics.inference.two_shares import Pair

if TYPE_CHECKING:
    from evenhand.metrics.catalogue.entry import How
    from evenhand.metrics.counts.arrays import Floats, Indices
    from evenhand.metrics.values.rates import Measured

MOST: Final = 150
"""Groups of which all pairs are looked at; of more, those whose bounds reach furthest on either side."""


def crossing_pairs(
    values: Measured, how: How, bound: float, level: float = 0.95
) -> list[tuple[float, tuple[int, int]]]:
    """Return how far each pair reaches beyond a limit on a difference or a ratio, the lesser group first.

    The furthest come first. Bounds are unadjusted, as those that let a limit pass are.
    """
    known = _furthest(values, np.flatnonzero(values.defined))
    left, right = np.triu_indices(len(known), 1)
    first, second = known[left], known[right]
    lesser = np.where(values.estimate[first] <= values.estimate[second], first, second)
    greater = np.where(lesser == first, second, first)
    both = ((greater, lesser), (lesser, greater))
    beyond = np.maximum(*(_reach(values, one, other, how, bound, level) for one, other in both))
    order = [int(at) for at in np.argsort(-beyond, kind="stable") if beyond[at] > 0]
    return [(float(beyond[at]), (int(lesser[at]), int(greater[at]))) for at in order]


def crossing_groups(values: Measured, how: How, bound: float) -> list[tuple[float, tuple[int]]]:
    """Return how far the own bound of each group reaches beyond a limit on the extreme over groups."""
    known = np.flatnonzero(values.defined)
    beyond = bound - values.low[known] if how == "group_min" else values.high[known] - bound
    order = [int(at) for at in np.argsort(-beyond, kind="stable") if beyond[at] > 0]
    return [(float(beyond[at]), (int(known[at]),)) for at in order]


def _reach(values: Measured, greater: Indices, lesser: Indices, how: How, bound: float, level: float) -> Floats:
    """Return how far the end of each comparison is beyond the limit."""
    if values.binomial is not None:
        limit = bound if how == "difference" else np.inf if bound <= 0 else 1 / bound
        (k, m), (x, y) = ((events[greater], events[lesser]) for events in reversed(values.binomial))
        ends = ends_beyond(how, Pair(x, k, y, m), limit, z_of(level))  # type: ignore[arg-type]
        with np.errstate(divide="ignore"):
            return np.asarray(ends - bound if how == "difference" else bound - 1 / ends)
    if values.sequence is not None and not isinstance(values.sequence, Asymptotic):
        curve, error = values.sequence, (1 - level) / 2
        # the lesser beside the greater, turned over
        lows = pair_lows(how, (curve, lesser), (curve, greater), error)  # type: ignore[arg-type]  # of two
        return np.asarray(-lows - bound if how == "difference" else bound - lows)
    one, other = ((values.estimate[at], values.low[at], values.high[at]) for at in (greater, lesser))
    if how == "ratio":
        return np.asarray(bound - ratio_interval(other, one)[0])
    return np.asarray(difference_of(values.metric)(one, other)[1] - bound)


def _furthest(values: Measured, known: Indices) -> Indices:
    if len(known) <= MOST:
        return known
    half = MOST // 2
    lowest, highest = np.argsort(values.low[known])[:half], np.argsort(-values.high[known])[:half]
    return np.asarray(known[np.unique(np.concatenate([lowest, highest]))])
