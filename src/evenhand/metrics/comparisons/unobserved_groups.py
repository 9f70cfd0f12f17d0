"""Rates of unobserved groups: known by a probability per row, an error matrix, or only the groups' shares.

The estimate assumes that decisions do not depend on the true
group given the probability; the bounds need no such assumption.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError
from evenhand.metrics.inference.intervals import clopper_pearson, z_of
from evenhand.metrics.inference.share_functions import ShareFunction, limits

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats

NOTHING: Final = (float("nan"), float("nan"), float("nan"), 0.0)
BINS: Final = 20
"""Rows of nearly the same probability are taken together, in so many bins of equal count a group at most."""
BIN_ROWS: Final = 25
"""Rows of a bin at least, where there are more probabilities than bins: of fewer no margin is known."""


@dataclass(frozen=True, slots=True, eq=False)
class ProxyRates:
    """A rate of each group that is known only by probabilities."""

    estimate: Floats
    """(G,) if decision and true group are independent given the probability; nan where nothing is known."""
    low: Floats
    """(G,) the least the rate may be, less what sampling allows."""
    high: Floats
    """(G,) the greatest it may be, and what sampling allows."""
    expected_rows: Floats
    """(G,) the expected number of rows of the group in the denominator."""


def proxy_rates(events: ArrayLike, probabilities: ArrayLike, level: float = 0.95) -> ProxyRates:
    """Return the rate of each group from the probability of each row to belong to it.

    Parameters
    ----------
    events : (n,) array of 0 and 1
        What is counted, among the rows of the denominator: decisions, for the selection rate.
    probabilities : (n, G) array
        The chance of each row to be of each group; rows sum to 1.
    level : float
        Two-sided confidence.

    Raises
    ------
    InputError
        When probabilities are outside [0, 1] or do not sum to 1.

    Notes
    -----
    Among rows of one probability a of which a share m is counted, between max(0, m + a - 1) and min(m, a) of the rows
    are both (Frechet). Source: Kallus, Mao and Zhou (2022), Management Science 68. Sampling is told in `_high`.

    Examples
    --------
    >>> import numpy as np
    >>> found = proxy_rates(np.array([1, 1, 0, 0]), np.tile([0.5, 0.5], (4, 1)))
    >>> found.estimate.tolist()
    [0.5, 0.5]
    """
    event, chance = np.asarray(events, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if chance.ndim != 2 or len(chance) != len(event):
        raise InputError(f"Probabilities have shape {chance.shape}; ({len(event)}, groups) is needed.")
    if (chance < 0).any() or (chance > 1).any() or (np.abs(chance.sum(axis=1) - 1) > 1e-3).any():
        raise InputError("The probabilities of a row lie in [0, 1] and sum to 1 over the groups.")
    columns = [_of_group(event, column, level) for column in chance.T]
    return ProxyRates(*(np.array(column) for column in zip(*columns, strict=True)))


def share_bounds(events: int, rows: int, shares: ArrayLike, level: float = 0.95) -> ProxyRates:
    """Return what a rate of each group may be at worst and at best when only the groups' shares are known."""
    share = np.asarray(shares, dtype=np.float64)
    if (share < 0).any() or abs(float(share.sum()) - 1) > 1e-3:
        raise InputError(f"The groups' shares are at least 0 and sum to 1; these sum to {share.sum():.4g}.")
    counts = np.array([float(rows)]), np.array([float(events)])
    columns = [
        _bounds(*counts, np.array([part]), events / rows, level) if part > 0 and rows else NOTHING for part in share
    ]
    return ProxyRates(*(np.array(column) for column in zip(*columns, strict=True)))


def _of_group(event: Floats, chance: Floats, level: float) -> tuple[float, float, float, float]:
    expected = float(chance.sum())
    if expected <= 0:
        return NOTHING
    return _bounds(*_bins(event, chance), float((event * chance).sum() / expected), level)


def _bounds(
    rows: Floats, counted: Floats, share: Floats, estimate: float, level: float
) -> tuple[float, float, float, float]:
    """Return estimate, bounds and expected rows of a group, from bins of rows of one probability each."""
    z = z_of(level)
    high, low = _high(rows, counted, share, z), 1 - _high(rows, rows - counted, share, z)  # least: not of the others
    return estimate, min(low, estimate), max(high, estimate), float((rows * share).sum())


def _high(rows: Floats, counted: Floats, share: Floats, z: float) -> float:
    """Return the greatest that the rate of a group may be, and what sampling allows.

    The bound is the mean of min(m, a) over the bins. Of the sample it is too low by its own noise wherever m is near a,
    in the worst case in every bin; so the shares m may move together as far as the sum of squared normal scores of
    their exact limits allows, where as many of them may be bound by a as look it (moment selection).

    Sources: Andrews and Soares (2010), Econometrica 78; Hirano and Porter (2012), Econometrica 80.
    """
    mean, expected = counted / rows, float((rows * share).sum())
    weight, missing = rows / expected, np.maximum(share - mean, 0.0)
    score, radius = _score(rows, counted, share), z
    for _ in range(2):  # once to see which bins may be bound, and once for the radius of so many
        margin = (clopper_pearson(counted, rows, radius)[1] - mean) / radius
        unit = np.where((missing > 0) & (score <= radius), missing / np.maximum(score, 1e-3), margin)
        near = np.abs(share - mean) <= unit * max(z, float(np.sqrt(2 * np.log(rows.sum()))))
        radius = _radius(int((near & (share > 0)).sum()) + bool((~near & (mean < share)).any()), z)
    reach = _farthest(weight * unit, weight * missing, radius)
    sampled = np.minimum(mean, share)
    most = float((weight * sampled).sum())
    # the probabilities of other rows would be others
    own = z * float(np.sqrt((rows * (sampled - most * share) ** 2).sum())) / expected
    return min(most + float(np.hypot(reach.sum(), own)), 1.0)


def _score(rows: Floats, counted: Floats, share: Floats) -> Floats:
    """Return the normal score at which the exact upper limit of a bin is its share: how far it is below, if it is."""
    from scipy.special import betainc, ndtri

    misses = np.maximum(rows - counted, 1.0)
    return np.where(counted >= rows, 0.0, -ndtri(betainc(misses, counted + 1, 1 - share)))


@cache
def _radius(bound: int, z: float) -> float:
    """Return the root of the quantile of a sum of squares of the positive ones among so many normal scores.

    That of one is z itself. Source: the chi-bar-squared distribution, Kudo (1963), Biometrika 50.
    """
    from scipy.special import chdtrc, comb

    if bound <= 1:
        return z
    scores = np.arange(1, bound + 1)
    chance, tail = comb(bound, scores) / 2.0**bound, NormalDist().cdf(-z)
    low, high = z, z + np.sqrt(2.0 * bound) + bound
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (chance * chdtrc(scores, middle**2)).sum() > tail else (low, middle)
    return float(high)


def _farthest(unit: Floats, most: Floats, radius: float) -> Floats:
    """Return steps x of at most `most` with the greatest sum while the sum of (x / unit)^2 is at most radius^2."""
    open_ = (most > 0) & (unit > 0)
    if not open_.any():
        return np.zeros_like(unit)
    unit = np.where(open_, unit, 1.0)
    most = np.where(open_, most, 0.0)
    if ((most / unit) ** 2).sum() <= radius**2:
        return most
    low, high = 0.0, float((most / unit**2).max())
    for _ in range(60):
        middle = (low + high) / 2
        far = ((np.minimum(most, middle * unit**2) / unit) ** 2).sum() > radius**2
        low, high = (low, middle) if far else (middle, high)
    return np.minimum(most, low * unit**2)


def _bins(event: Floats, chance: Floats) -> tuple[Floats, Floats, Floats]:
    """Return rows, those counted and mean probability of bins of nearly equal probability."""
    kinds, which = np.unique(chance, return_inverse=True)
    bins = max(min(BINS, len(chance) // BIN_ROWS), 1)
    if len(kinds) > bins and len(chance) / len(kinds) < BIN_ROWS:
        edges = np.unique(np.quantile(chance, np.linspace(0, 1, bins + 1)[1:-1]))
        # who is surely of a group, or surely not, is in a bin alone
        which = np.searchsorted(edges, chance, side="left") + 1
        which = np.where(chance <= 0, 0, np.where(chance >= 1, len(edges) + 2, which))
    rows = np.bincount(which).astype(np.float64)
    filled = rows > 0
    counted, share = (np.asarray(np.bincount(which, part)[filled], dtype=float) for part in (event, chance))
    return rows[filled], counted, share / rows[filled]


def corrected_rates(events: ArrayLike, rows: ArrayLike, errors: ArrayLike, level: float = 0.95) -> ProxyRates:
    """Return the rates of the true groups when the recorded group is sometimes wrong, by a known error matrix.

    Parameters
    ----------
    events, rows : (G,) arrays
        What is counted, and among how many, by the recorded group.
    errors : (G, G) array
        ``errors[recorded, true]``: the chance to be recorded so for each true group; columns sum to 1. Recording must
        not depend on the event, given the true group.
    level : float
        Two-sided confidence.

    Raises
    ------
    InputError
        When columns do not sum to 1, or recording is unrelated to the truth (a singular matrix).

    Notes
    -----
    Counts are the matrix times the true counts, so the true ones follow by solving for them. Each true rate is a
    quotient of two sums of recorded rows, with weights of either sign: a function of the shares of recorded group x
    event, with the limits of such functions. Where noise alone takes it beyond 0 or 1 it is 0 or 1; where no sampling
    could, it is not known; where the group might have no rows at all, its rate may be anything. Source: Lamy et al.
    (2019), NeurIPS.
    """
    matrix = np.asarray(errors, dtype=np.float64)
    if (np.abs(matrix.sum(axis=0) - 1) > 1e-6).any() or (matrix < 0).any():
        raise InputError("Each column of the error matrix holds chances that sum to 1: errors[recorded, true].")
    if np.linalg.matrix_rank(matrix, tol=1e-8) < len(matrix):
        raise InputError("The error matrix is singular: what was recorded says nothing of some true groups.")
    counted, among = np.asarray(events, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    cells = np.concatenate([counted, among - counted])[:, None]
    columns = [_corrected(weights, cells, z_of(level)) for weights in np.linalg.inv(matrix)]
    return ProxyRates(*(np.array(column) for column in zip(*columns, strict=True)))


def _corrected(weights: Floats, cells: Floats, z: float) -> tuple[float, float, float, float]:
    """Return rate, ends and rows of a true group from its weights of recorded groups; cells: events, then others."""
    parts = np.array([np.r_[weights, 0 * weights], np.r_[weights, weights]])
    top, bottom = (parts @ cells)[:, 0]
    if bottom <= 0:
        return NOTHING
    share = ShareFunction(lambda sums: sums[0] / sums[1], np.array([parts[1], np.ones(len(cells))]))
    if limits(share, cells, z)[0][0] <= 0:
        return float(np.clip(top / bottom, 0, 1)), 0.0, 1.0, float(bottom)
    low, high = (float(end[0]) for end in limits(ShareFunction(lambda sums: sums[0] / sums[1], parts), cells, z))
    if low > 1 or high < 0:
        return NOTHING
    rate = float(top / bottom)
    value, low, high = np.clip([rate, min(low, rate), max(high, rate)], 0, 1).tolist()
    return value, low, high, float(bottom)
