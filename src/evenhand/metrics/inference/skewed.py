"""How far the ends of the mean of skew values are from it, from what the rows themselves show of their tails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats

SHORT: Final = 2.0
"""By how much the skewness that rows show is multiplied: few rows of a skew distribution show less than is there."""
OF_SQUARES: Final = 2.4
"""The same for squared errors, whose tails are the longest."""
FEW: Final = 20
"""Rows below which both limits count, not the nearer one."""
FARTHEST: Final = 1.5
"""How many times as far as Hall's the other limit may be there."""
OF_FEW_ROWS: Final = 0.5
"""By how much critical values of areas are widened, over the root of the rows of the smaller class, whose spread is
known from so many rows only."""
STEPS: Final = np.linspace(0, 1, 49)[1:, None]
"""Parts of the skewness over which the farthest limit is looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    """What the units of each group (rows, or clusters) add to its mean, less their part of it."""

    skew: Floats
    """(G,) skewness."""
    least: Floats
    """(G,) the least of the parts, below 0."""
    most: Floats
    """(G,) the greatest of the parts, above 0."""

    def turned(self) -> Tails:
        """Return what it is for values of the opposite sign."""
        return Tails(-self.skew, -self.most, -self.least)


def tails_of(*samples: Floats) -> tuple[float, float, float]:
    """Return skewness and extremes of what the rows of independent samples add to the sum of their means.

    Parameters
    ----------
    samples : (n,) arrays
        The values of each sample; those of one that is subtracted with the opposite sign.

    Returns
    -------
    skew, least, most : float
        As in `Tails`, for the rows of all samples together.
    """
    parts = np.concatenate([(sample - sample.mean()) / len(sample) for sample in samples])
    squares = float((parts**2).sum())
    skew = float(np.sqrt(len(parts)) * (parts**3).sum() / squares**1.5) if squares > 0 else 0.0
    return skew, float(parts.min()), float(parts.max())


def margin_above(error: Floats, number: Floats, tails: Tails, z: float, squared: bool = False) -> Floats:
    """Return how far the high end is above the mean, (G,).

    It is Hall's limit (1992, JRSS B 54: a cubic transformation of Student's statistic removes its skewness) for a
    skewness of `SHORT` times what is seen, or the farthest for any skewness less than that; never nearer than
    Student's. Where the limit of a gamma distribution for the rows seen and one more that is as heavy as the heaviest
    (Fay and Feuer 1997, Statistics in Medicine 16) is nearer, it is taken; with fewer than `FEW` rows where it is
    farther. It is not used for squared errors, of which the heaviest row seen says too little.

    Parameters
    ----------
    error : (G,)
        Standard errors.
    number : (G,)
        Rows, or clusters.
    tails : Tails
        Their skewness and their extremes.
    z : float
        The critical value under the normal distribution.
    squared : bool
        Whether the values are squares of errors without a bound.
    """
    from scipy.special import ndtr, stdtrit

    student = stdtrit(np.maximum(number - 1, 1), ndtr(z))
    bent = (
        (OF_SQUARES if squared else SHORT) * np.maximum(np.nan_to_num(tails.skew), 0) / np.sqrt(np.maximum(number, 1))
    )
    hall = _hall(student, bent) * error
    if squared:
        return np.asarray(hall)
    more = np.maximum(_one_more(student / z * error, number, tails, z), student * error)
    few = np.maximum(hall, np.minimum(more, FARTHEST * hall))
    return np.asarray(np.where(number < FEW, few, np.minimum(hall, more)))


def _hall(student: Floats, bent: Floats) -> Floats:
    """Return Hall's limit in standard errors, the farthest over skewness up to sqrt(n) `bent`."""
    part = STEPS * np.maximum(bent, 1e-6)
    limits = 3 / part * (1 - np.cbrt(1 - part * student - part**2 / 6))
    return np.asarray(np.maximum(limits.max(axis=0), student))


def _one_more(error: Floats, number: Floats, tails: Tails, z: float) -> Floats:
    root = np.sqrt(np.maximum(number, 1))
    return gamma_margin(error, -number * tails.least, (tails.most - tails.least) * (1 + 1 / root), z)


def gamma_margin(error: Floats, mean: Floats, more: Floats, z: float) -> Floats:
    """Return how far above `mean`, of values from 0 on, the limit of a gamma distribution is.

    Parameters
    ----------
    error : (G,)
        The standard error of the mean.
    mean : (G,)
        The mean, at least 0.
    more : (G,)
        What one more row would add to it.
    z : float
        The critical value under the normal distribution.

    Source: Fay and Feuer (1997), Statistics in Medicine 16, for directly standardized rates.
    """
    from scipy.special import gammaincinv, ndtr

    middle, variance = mean + more, error**2 + more**2
    with np.errstate(invalid="ignore", divide="ignore"):
        limit = gammaincinv(middle**2 / variance, ndtr(z)) * variance / middle
    return np.asarray(np.where((variance > 0) & (middle > 0), limit - mean, 0.0))


def gamma_low(error: Floats, mean: Floats, z: float) -> Floats:
    """Return the low limit of a gamma distribution with this mean, of values from 0 on, and standard error, (G,)."""
    from scipy.special import gammaincinv, ndtr

    with np.errstate(invalid="ignore", divide="ignore"):
        limit = gammaincinv((mean / error) ** 2, ndtr(-z)) * error**2 / mean
    return np.asarray(np.where(error > 0, limit, mean))
