"""Limits of a function of the shares of cells, such as kappa: a row is added, and one tail of a posterior is taken.

For one share the exact limit of Clopper and Pearson is a quantile of a Beta distribution after one more row was counted
on the worse side. Gaffke's limit carries that to any mean of cells: one row is added to the worst cell, and the end is
a quantile of the mean under Dirichlet weights of the rows. Here it is carried to a smooth function: at the end that is
sought, the function is replaced by its tangent, which is such a mean. Its tail is that of a weighted sum of gamma
variables, found by a saddlepoint expansion, so nothing is drawn at random and the cost does not grow with the rows.

Sources: Gaffke (2005), "Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative
variable", Mathematical Methods of Statistics 14; Learned-Miller and Thomas (2019), arXiv 1905.06208; Lugannani and
Rice (1980), Advances in Applied Probability 12, in the form of Barndorff-Nielsen (1986), Biometrika 73.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats

    Parts: TypeAlias = NDArray[np.float64] | NDArray[np.complex128]
    Function: TypeAlias = Callable[[Parts], Parts]
    """From sums of cells (..., G), real or complex, to values (G,); the same for cells and for their multiples. The
    groups come last, so that sums run along whole rows of memory."""

STEP: Final = 1e-30
"""The complex step (Squire and Trapp 1998, SIAM Review 40): a gradient exact to the last digits."""
TURNS: Final = 60
"""Most steps of a search; twelve are usual."""
CLOSE: Final = 1e-9
"""A search ends where no share of cells is to change by more."""
FLAT: Final = 1e-12
"""Slopes that differ by less, relative to the greatest, are equal."""
TINY: Final = 1e-300
TIED: Final = 1e-9
"""Cells that are as bad up to this part of the range are ties; the first is taken, on every machine the same."""


@dataclass(frozen=True, slots=True, eq=False)
class ShareFunction:
    """A function of the shares of K cells."""

    function: Function
    """Of sums of cells."""
    parts: Floats
    """(..., K): which cells each of those sums has, and how often."""

    def value(self, cells: Floats) -> Floats:
        """Return the values at cells (K, ...); nan where there is none."""
        return self.after(np.tensordot(self.parts, cells, axes=1))

    def after(self, sums: Floats) -> Floats:
        """Return the values at sums of cells."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.real(self.function(sums)), dtype=np.float64)

    def gradient(self, cells: Floats) -> Floats:
        """Return the derivative by each of the cells (K, G); 0 where there is none."""
        sums = np.tensordot(self.parts, cells, axes=1)
        moves = 1j * STEP * np.eye(sums[..., 0].size).reshape(*sums.shape[:-1], -1, 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            slopes = np.imag(self.function(sums[..., None, :] + moves)) / STEP
        by_sum = np.where(np.isfinite(slopes), slopes, 0.0)
        return np.asarray(self.parts.reshape(len(by_sum), -1).T @ by_sum, dtype=np.float64)


def effective_rows(what: ShareFunction, cells: Floats, squared: Floats | None) -> Floats:
    """Return how many unweighted rows tell as much of the function, (G,): the lesser of Kish's and the linearised size.

    Parameters
    ----------
    what : ShareFunction
        Of K cells.
    cells : (K, G) array
        Rows, or sums of sampling weights.
    squared : (K, G) array, optional
        Sums of squared weights; without any, each row counts as one.
    """
    total = cells.sum(axis=0)
    if squared is None:
        return np.asarray(total, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        kish = total**2 / squared.sum(axis=0)
        slopes = what.gradient(cells)  # their mean over the rows is 0
        spread = (slopes**2 * cells).sum(axis=0) * total / (slopes**2 * squared).sum(axis=0)
    return np.asarray(np.fmin(kish, np.where(spread > 0, spread, kish)), dtype=np.float64)


def limits(what: ShareFunction, cells: Floats, z: float) -> tuple[Floats, Floats]:
    """Return the low and high end of a function of the shares of cells, for every group.

    Parameters
    ----------
    what : ShareFunction
        Of K cells.
    cells : (K, G) array
        Rows, or effective rows.
    z : float
        The critical value: each end errs about 1 - Phi(z), and less for few rows.
    """
    groups = cells.shape[1]
    signs = np.repeat([1.0, -1.0], groups)  # the high end is the low end of the opposite
    ends = signs * _low(what, np.concatenate([cells, cells], axis=1), signs, z)
    return ends[:groups], ends[groups:]


def _low(what: ShareFunction, cells: Floats, signs: Floats, z: float) -> Floats:
    """Return the low end: of two places for the added row, the one that is worse."""
    each = np.eye(len(cells))
    after = signs * what.after(np.tensordot(what.parts, cells, axes=1)[..., None, :] + what.parts[..., None])
    first = each[:, _least(np.where(np.isfinite(after), after, np.inf))]
    # to second order the estimate is expected to be this much too great: sum of x f''(x) / 2, as x f'(x) sums to 0
    bias = np.nansum(cells * (after - signs * what.value(cells)), axis=0)
    shares, distance = _search(what, cells + first, signs, z)
    low = signs * what.value(shares)
    second = each[:, _least(signs * what.gradient(shares))]
    other = np.flatnonzero((first != second).any(axis=0))
    if len(other):
        mixed = (cells + (first + second) / 2)[:, other]
        shares, _ = _search(what, mixed, signs[other], z, (shares[:, other], distance[other]))
        low[other] = np.fmin(low[other], signs[other] * what.value(shares))
    return np.asarray(low - np.maximum(bias, 0.0))


def _least(values: Floats) -> NDArray[np.int64]:
    """Return the place of the least value of each column; of ties the first."""
    least = values.min(axis=0)
    most = np.where(np.isfinite(values), values, -np.inf).max(axis=0)
    with np.errstate(invalid="ignore"):
        tied = values <= least + TIED * np.maximum(most - least, 0)
    return np.asarray(tied.argmax(axis=0))


def _search(
    what: ShareFunction, rows: Floats, signs: Floats, z: float, start: tuple[Floats, Floats] | None = None
) -> tuple[Floats, Floats]:
    """Return the shares at which the posterior's low tail begins, and the distances of `_tilted`."""
    shares, distance = (rows / rows.sum(axis=0), np.full(rows.shape[1], np.nan)) if start is None else start
    part, last = np.full(rows.shape[1], 0.5), np.zeros_like(rows)
    moving = np.arange(rows.shape[1])
    for turn in range(TURNS):
        now = shares[:, moving]
        found, distance[moving] = _tilted(rows[:, moving], signs[moving] * what.gradient(now), distance[moving], z)
        miss = found - now
        if turn:
            part[moving] = _relaxed(part[moving], miss, last[:, moving])
        last[:, moving] = miss
        shares[:, moving] = now + part[moving] * miss
        moving = moving[np.abs(miss).max(axis=0) > CLOSE]
        if not len(moving):
            break
    return shares, distance


def _relaxed(part: Floats, miss: Floats, last: Floats) -> Floats:
    """Return what part of the next step to take (Irons and Tuck 1969): less where steps go to and fro."""
    change = miss - last
    bottom = (change**2).sum(axis=0)
    new = -part * (last * change).sum(axis=0) / np.maximum(bottom, TINY)
    return np.asarray(np.clip(np.where(bottom > 0, new, part), 0.2, 1.0))


def _tilted(rows: Floats, slopes: Floats, distance: Floats, z: float) -> tuple[Floats, Floats]:
    """Return the shares at which the tangent's tail begins, by steps of Newton from a distance, and the new distance.

    Where a mean ``sum_c v_c p_c`` is least at a given likelihood, shares are ``p_c ~ rows_c / (v_c - min v + d)``. The
    greater d is, the nearer they are to those of the rows; `distance` is its logarithm, with v from 0 to 1.
    """
    filled = rows > 0
    least = np.where(filled, slopes, np.inf).min(axis=0)
    span = np.where(filled, slopes, -np.inf).max(axis=0) - least
    flat = span <= FLAT * np.abs(slopes).max(axis=0)
    above = np.where(filled, slopes - least, 0.0) / np.where(flat, 1.0, span)
    total = rows.sum(axis=0)
    new = np.isnan(distance)
    if new.any():
        mean = (rows * above).sum(axis=0) / total
        spread = np.sqrt((rows * (above - mean) ** 2).sum(axis=0) / total)
        distance = np.where(new, np.log(np.maximum(spread * np.sqrt(total) / z, FLAT)), distance)
    for _ in range(4 if new.any() else 1):
        distance = _nearer(rows, above, total, distance, z)
    tilted = np.where(flat, rows, rows / (above + np.exp(distance)))
    return tilted / tilted.sum(axis=0), distance


def _nearer(rows: Floats, above: Floats, total: Floats, distance: Floats, z: float) -> Floats:
    """Return the distance after one step of Newton towards a tail of z, on the logarithm, which is nearly straight."""
    h = above + np.exp(distance)
    inverse = rows / h
    s = inverse.sum(axis=0)
    off = (h - total / s) * (s / total)
    part = off / (1 + off)
    # the same sum as of the logarithms alone, with no term below 0, so that many rows leave no rounding error
    root = np.sqrt(np.maximum(2 * (rows * (np.log1p(off) - part)).sum(axis=0), TINY))
    curvature = np.sqrt((rows * part**2).sum(axis=0))
    tail = np.maximum(root + np.log(np.maximum(curvature / root, TINY)) / root, 0.05)
    slope = np.exp(distance) * (total * (inverse / h).sum(axis=0) / s - s) / root
    return np.asarray(distance + np.clip(np.log(tail / z) * tail / np.maximum(slope, FLAT), -3.0, 3.0))
