"""Means of paired differences of scores and losses: skew, so that Student's limits alone err on one side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

import numpy as np

from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.inference.intervals import z_of
from evenhand.metrics.values.means import means, measured_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats, Worth
    from evenhand.metrics.values.rates import Measured


def paired_means(
    metric: str, values: Floats, codes: NDArray[np.int32], groups: int, level: float, **more: Unpack[Worth]
) -> Measured:
    """Return the mean of paired differences in every group.

    Each end is the farther one of Student's and of Hall's (1992, JRSS B 54), which corrects for the skewness of the
    values. With weights, frequencies or clusters it is Student's alone.

    Parameters
    ----------
    metric : str
        A declared metric, such as ``excess_loss``.
    values : (n,)
        The difference of each row, compressed less original.
    codes : (n,)
        The group of each row, from 0 to `groups` - 1.
    level : float
        Two-sided confidence.
    """
    found = measured_mean(metric, means(values, codes, groups, **more), level)
    if any(part is not None for part in more.values()):
        return found
    mean, error, skew, rows = _moments(values, codes, groups)

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = found.ends(z)
        below, above = (mean - _quantile(sign * z, skew, rows) * error for sign in (1.0, -1.0))
        return np.fmin(low, below), np.fmax(high, above)

    low, high = ends(z_of(level))
    return replace(found, low=low, high=high, ends=ends, method="student and hall")


def _moments(values: Floats, codes: NDArray[np.int32], groups: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return mean, standard error, skewness and rows of every group; nan or 0 where they are not defined."""
    rows = rows_by(codes, groups).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums_by(codes, values, groups) / rows
        residual = values - mean[codes]
        spread = np.sqrt(sums_by(codes, residual**2, groups) / rows)
        skew = sums_by(codes, residual**3, groups) / rows / spread**3
        error = spread / np.sqrt(np.maximum(rows - 1, 0))
    return mean, error, np.nan_to_num(skew), rows


def _quantile(z: float, skew: Floats, rows: Floats) -> Floats:
    """Return the quantile of Student's statistic of skew values: Hall's cubic transformation, inverted."""
    from scipy.stats import norm, t

    x = t.ppf(norm.cdf(z), np.maximum(rows - 1, 1))
    root = np.sqrt(np.maximum(rows, 1))
    bent = np.where(np.abs(skew) > 1e-9, skew, 1.0)
    moved = 3 * root / bent * (np.cbrt(1 + bent * (x / root - bent / (6 * np.maximum(rows, 1)))) - 1)
    return np.asarray(np.where(np.abs(skew) > 1e-9, moved, x))
