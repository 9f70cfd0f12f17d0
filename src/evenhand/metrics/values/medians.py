"""Medians by group, with exact limits: they rest on no moment, so a heavy tail does not widen them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from evenhand.metrics.values.means import effective_rows, finished, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics.counts.arrays import Floats, Indices, Ints, Marks
    from evenhand.metrics.values.means import Means
    from evenhand.metrics.values.rates import Ends, Measured

WOODRUFF: Final = "order statistics, one more cluster"
FARTHEST: Final = 0.05
"""From so near to 0 or 1 on, an end of the share leaves that of the median open: no value may have been seen there."""


def measured_median(
    metric: str,
    values: Floats,
    group: Indices,
    rows: Ints,
    level: float,
    mean_of: Callable[..., Means],
    weight: Floats,
    among: Callable[[Marks, float], Measured] | None = None,
) -> Measured:
    """Return medians of `values` (n,) by group as a metric's values.

    The limits are order statistics: the number of rows below the true median is binomial with chance 1/2, whatever the
    distribution (Conover, Practical Nonparametric Statistics, 1999, section 3.2). Weighted rows are as many as the
    share of rows at or below the median says that they are worth. Of rows in clusters the limits are the values up to
    which both ends of that share lie (Woodruff 1952, JASA 47). With too few rows for a limit at all (5 for 95 %) the
    end is open.

    Parameters
    ----------
    values : (n,)
    group : (n,)
        The group of each row, from 0.
    rows : (G,)
        Rows of each group.
    mean_of : callable
        Returns the means of (n,) numbers by group, for weighted and clustered rows too.
    weight : (n,)
        Sampling weights; 1 where rows are not weighted.
    among : callable, optional
        Returns the share of marked rows in each group at a level, as its clusters tell it; of rows in clusters.
    """
    order = np.lexsort((values, group))
    ordered, one = values[order], weight[order]
    ends = np.cumsum(rows)
    starts, upto = ends - rows, np.concatenate([[0.0], np.cumsum(one)])
    total = upto[ends] - upto[starts]

    def at(share: Floats, side: Literal["left", "right"]) -> Floats:
        """Return the value of each group up to which `share` of its weight lies."""
        wanted = upto[starts] + share * total
        slack = 1e-9 * total
        place = np.searchsorted(upto, wanted - slack if side == "left" else wanted + slack, side) - 1
        inside = np.clip(place, starts, np.maximum(ends - 1, starts))
        return np.asarray(ordered[np.minimum(inside, len(ordered) - 1)])

    half = np.full(len(rows), 0.5)
    middle = (at(half, "left") + at(half, "right")) / 2 if len(ordered) else np.full(len(rows), np.nan)
    middle = np.where(rows > 0, middle, np.nan)
    below_it = values <= middle[group]
    if among is not None:
        share = among(below_it, level)
        found = finished(metric, middle, rows, told(rows), WOODRUFF, _of_share(share, at), level)
        return replace(found, note=share.note)
    size = effective_rows(mean_of(below_it))

    def limits(z: float) -> tuple[Floats, Floats]:
        below = _ranks(size, z)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(below > 0, below / size, 0.5)
        low, high = at(share, "left"), at(1 - share, "right")
        return np.where(below > 0, low, np.nan), np.where(below > 0, high, np.nan)

    return finished(metric, middle, rows, told(rows), "order statistics", limits, level)


def _of_share(share: Measured, at: Callable[[Floats, Literal["left", "right"]], Floats]) -> Ends:
    """Return what finds the values up to which both ends of a share lie; none beyond the values that there are."""

    def limits(z: float) -> tuple[Floats, Floats]:
        low, high = (np.nan_to_num(end, nan=0.0) for end in share.ends(z))
        below, above = at(low, "left"), at(high, "right")
        return np.where(low > FARTHEST, below, np.nan), np.where(high < 1 - FARTHEST, above, np.nan)

    return limits


def _ranks(size: Floats, z: float) -> Floats:
    """Return the greatest rank r with P(Binomial(size, 1/2) < r) at most the chance of error; 0 where there is none."""
    from scipy.special import bdtr, ndtr

    number = np.floor(np.maximum(np.nan_to_num(size), 0)).astype(np.int64)
    tail = ndtr(-z)
    rank = np.floor(number / 2 - z * np.sqrt(number) / 2) + 2
    for _ in range(5):  # from above down to the exact rank
        over = (rank > 0) & (bdtr(np.maximum(rank - 1, 0), number, 0.5) > tail)
        rank = np.where(over, rank - 1, rank)
    return np.asarray(np.maximum(rank, 0))
