"""The mean of values between known bounds, with limits that allow for rows that were not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics.inference.skewed import gamma_margin
from evenhand.metrics.values.means import Means, finished, means, told

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats
    from evenhand.metrics.values.rates import Measured


def bounded_mean(
    metric: str,
    values: ArrayLike,
    codes: ArrayLike,
    n_groups: int,
    bounds: tuple[float, float],
    level: float,
    *,
    weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    frequency: ArrayLike | None = None,
) -> Measured:
    """Return means of values that lie within bounds as a metric's values.

    The limits allow for skewness (`Means.ends`), and on either side for one row more at the bound, as those of a gamma
    distribution do (Fay and Feuer 1997): where nearly all rows have one value, few rows show nothing of the others.

    Parameters
    ----------
    metric : str
        A declared metric.
    values : (n,) array
    codes : (n,) integer array
        The group of each row.
    n_groups : int
        The number of groups G.
    bounds : (low, high)
        What no value can be beyond.
    level : float
        Two-sided confidence.
    weight, clusters, frequency : (n,) arrays, optional
        As in `means`.

    Returns
    -------
    Measured

    Examples
    --------
    >>> found = bounded_mean("reason_flip_rate", [0.0] * 30, [0] * 30, 1, (0.0, 1.0), 0.95)
    >>> found.estimate.tolist(), found.low.tolist(), found.high.round(2).tolist()
    ([0.0], [0.0], [0.12])
    """
    low, high = bounds
    value = np.asarray(values, dtype=np.float64)
    plain = means(value, codes, n_groups, weight, clusters, frequency)
    above = means(value - low, codes, n_groups, weight, clusters, frequency)
    below = means(high - value, codes, n_groups, weight, clusters, frequency)

    def ends(z: float) -> tuple[Floats, Floats]:
        return np.maximum(high - _top(below, high - low, z), low), np.minimum(low + _top(above, high - low, z), high)

    return finished(metric, plain.mean, plain.rows, told(plain.rows), "hall, one more row", ends, level)


def _top(found: Means, most: float, z: float) -> Floats:
    """Return the high ends of means of values from 0 to `most`, which is that of one row or cluster alone."""
    more = most / np.maximum(found.freedom + 1, 1)
    high = np.maximum(found.ends(z)[1], found.mean + gamma_margin(found.error, found.mean, more, z))
    return np.asarray(np.where(np.isnan(high) & (found.rows > 0), most, high))
