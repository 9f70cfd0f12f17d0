"""Medians by group, with exact limits: they rest on no moment, so a heavy tail does not widen them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from evenhand.metrics.values.means import effective_rows, finished, told
from evenhand.metrics.values.undefined import of_one_cluster

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics.counts.arrays import Floats, Indices, Ints
    from evenhand.metrics.values.means import Means
    from evenhand.metrics.values.rates import Measured


def measured_median(
    metric: str,
    values: Floats,
    group: Indices,
    rows: Ints,
    level: float,
    mean_of: Callable[..., Means],
    weight: Floats,
) -> Measured:
    """Return medians of `values` (n,) by group as a metric's values.

    The limits are order statistics: the number of rows below the true median is binomial with chance 1/2, whatever the
    distribution (Conover, Practical Nonparametric Statistics, 1999, section 3.2). Weighted or clustered rows are as
    many as the share of rows at or below the median says that they are worth. With too few rows for a limit at all (5
    for 95 %) the end is open.

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
    below_it = mean_of(values <= middle[group])
    size = effective_rows(below_it)

    def limits(z: float) -> tuple[Floats, Floats]:
        below = _ranks(size, z)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(below > 0, below / size, 0.5)
        low, high = at(share, "left"), at(1 - share, "right")
        return np.where(below > 0, low, np.nan), np.where(below > 0, high, np.nan)

    found = finished(metric, middle, rows, told(rows), "order statistics", limits, level)
    return replace(found, note=of_one_cluster(below_it.freedom + 1, rows))


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
