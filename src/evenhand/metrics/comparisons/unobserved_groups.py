"""Rates of unobserved groups: known by a probability per row, an error matrix, or only the groups' shares.

The estimate assumes that decisions do not depend on the true
group given the probability; the bounds need no such assumption.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError
from evenhand.metrics.inference.intervals import z_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats

NOTHING: Final = (float("nan"), float("nan"), float("nan"), 0.0)
BINS: Final = 20
"""Rows of nearly the same probability are taken together, in so many bins of equal count a group."""


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
    are both (Frechet). Source: Kallus, Mao and Zhou (2022), Management Science 68.

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
    n, mean = np.array([float(rows)]), np.array([events / max(rows, 1)])
    own = z_of(level) * float(np.sqrt(mean[0] * (1 - mean[0]) / max(rows, 1)))
    columns = [
        _bounds(n, mean, np.array([part]), float(mean[0]), own, level) if part > 0 and rows else NOTHING
        for part in share
    ]
    return ProxyRates(*(np.array(column) for column in zip(*columns, strict=True)))


def _of_group(event: Floats, chance: Floats, level: float) -> tuple[float, float, float, float]:
    expected = float(chance.sum())
    if expected <= 0:
        return NOTHING
    estimate = float((event * chance).sum() / expected)
    # where the estimate itself is the bound, it is no surer than it is
    own = z_of(level) * float(np.sqrt(((event - estimate) ** 2 * chance**2).sum())) / expected
    return _bounds(*_bins(event, chance), estimate, own, level)


def _bounds(
    rows: Floats, mean: Floats, share: Floats, estimate: float, own: float, level: float
) -> tuple[float, float, float, float]:
    """Return estimate, bounds and expected rows of a group, from bins of rows of one probability each."""
    expected = float((rows * share).sum())
    least, most = np.maximum(mean + share - 1, 0.0), np.minimum(mean, share)
    spread = mean * (1 - mean) * rows
    low, high = float((rows * least).sum() / expected), float((rows * most).sum() / expected)
    z = z_of(level)
    # a bound moves with the share counted only in the bins where that share is what binds
    below = z * float(np.sqrt(spread[mean + share > 1].sum())) / expected
    above = z * float(np.sqrt(spread[mean < share].sum())) / expected
    return estimate, max(min(low - below, estimate - own), 0.0), min(max(high + above, estimate + own), 1.0), expected


def _bins(event: Floats, chance: Floats) -> tuple[Floats, Floats, Floats]:
    """Return rows, share counted and mean probability of bins of nearly equal probability."""
    kinds, which = np.unique(chance, return_inverse=True)
    if len(kinds) > BINS:
        edges = np.unique(np.quantile(chance, np.linspace(0, 1, BINS + 1)[1:-1]))
        which = np.searchsorted(edges, chance, side="left")
    rows = np.bincount(which).astype(np.float64)
    filled = rows > 0
    counted, share = (np.bincount(which, weights=part)[filled] for part in (event, chance))
    return rows[filled], counted / rows[filled], share / rows[filled]


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
    Counts are the matrix times the true counts, so the true ones follow by solving for them; the error by the delta
    method over multinomial counts. Source: Lamy et al. (2019), NeurIPS.
    """
    matrix = np.asarray(errors, dtype=np.float64)
    if (np.abs(matrix.sum(axis=0) - 1) > 1e-6).any() or (matrix < 0).any():
        raise InputError("Each column of the error matrix holds chances that sum to 1: errors[recorded, true].")
    if np.linalg.matrix_rank(matrix, tol=1e-8) < len(matrix):
        raise InputError("The error matrix is singular: what was recorded says nothing of some true groups.")
    counted, among = np.asarray(events, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    inverse = np.linalg.inv(matrix)
    top, bottom = inverse @ counted, inverse @ among
    with np.errstate(invalid="ignore", divide="ignore"):
        value = top / bottom
        # each recorded row of group r moves the rate of group g by inverse[g, r] (event - rate) / rows of g
        hit = (inverse / bottom[:, None] * (1 - value[:, None])) ** 2 @ counted
        miss = (inverse / bottom[:, None] * value[:, None]) ** 2 @ (among - counted)
        half = z_of(level) * np.sqrt(hit + miss)
    known = (bottom > 0) & (value >= -1e-9) & (value <= 1 + 1e-9)
    value, half = np.where(known, np.clip(value, 0, 1), np.nan), np.where(known, half, np.nan)
    return ProxyRates(value, np.maximum(value - half, 0.0), np.minimum(value + half, 1.0), bottom)
