"""How far wrong labels could move a rate, and a gap between groups: bounds, whichever labels are wrong."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.entry import ALL

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats, Ints

ROUNDS: Final = 4
"""Rounds in which a tolerance is found."""
PARTS: Final = 32
"""Parts that a range is cut into in each."""


@dataclass(frozen=True, slots=True, eq=False)
class NoiseBounds:
    """The least and the greatest value that a rate of each group has with other labels."""

    low: Floats
    """(G,) the least; NaN where the rate is undefined whatever the labels are."""
    high: Floats
    """(G,) the greatest."""

    @property
    def difference(self) -> tuple[float, float]:
        """The least and the greatest difference between the groups; NaN with fewer than two groups that have a rate."""
        known = np.isfinite(self.low)
        low, high = self.low[known], self.high[known]
        if len(low) < 2:
            return float("nan"), float("nan")
        apart = high[:, None] - low[None, :]
        np.fill_diagonal(apart, 0.0)
        return max(0.0, float(low.max() - high.min())), float(apart.max())


def noise_bounds(rate: str, counts: Ints, share: float) -> NoiseBounds:
    """Return how far a rate of each group moves when at most a share of the group's labels is wrong.

    Parameters
    ----------
    rate : str
        A rate of cells, such as ``recall``.
    counts : (G, 2, 2) array
        Rows by group, label and decision.
    share : float
        The greatest share of each group's labels that is wrong, whichever those are.

    Returns
    -------
    NoiseBounds

    Notes
    -----
    A wrong label moves a row between two cells of one decision. The rate is a quotient of two sums of cells, and so
    has its extremes at corners of what can be moved: some cells wholly, one in part, the others not at all. All
    corners are looked at. The bounds are of the rates of these rows with right labels; they hold no sampling error.

    Examples
    --------
    >>> counts = np.array([[[40, 10], [10, 40]]])
    >>> found = noise_bounds("recall", counts, 0.05)
    >>> round(float(found.low[0]), 3), round(float(found.high[0]), 3)
    (0.727, 0.889)
    """
    low, high = _ends(rate, np.asarray(counts, dtype=np.float64), np.array([share]))
    return NoiseBounds(low[0], high[0])


def _ends(rate: str, cells: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """Return the least and the greatest values, (S, G), at several shares of wrong labels."""
    metric = METRICS[rate]
    budget = np.floor(shares[:, None] * cells.sum(axis=(1, 2)) + 1e-9)
    low, high = np.full(budget.shape, np.inf), np.full(budget.shape, -np.inf)
    for order in permutations(ALL):
        left = budget.copy()
        moved = np.broadcast_to(cells, (len(shares), *cells.shape)).copy()
        for at in range(len(order) + 1):
            if at:
                true, decided = order[at - 1]
                step = np.minimum(cells[:, true, decided], left)
                moved[..., true, decided] -= step
                moved[..., 1 - true, decided] += step
                left = left - step
            upper = sum(moved[..., true, decided] for true, decided in metric.numerator)
            lower = sum(moved[..., true, decided] for true, decided in metric.denominator)
            with np.errstate(invalid="ignore", divide="ignore"):
                value = np.where(lower > 0, upper / lower, np.nan)
            low, high = np.fmin(low, value), np.fmax(high, value)
    none = ~np.isfinite(low)
    return np.where(none, np.nan, low), np.where(none, np.nan, high)


def noise_tolerance(rate: str, counts: Ints) -> float:
    """Return the greatest share of wrong labels in each group at which the groups cannot be alike.

    Parameters
    ----------
    rate : str
        A rate of cells.
    counts : (G, 2, 2) array
        Rows by group, label and decision.

    Returns
    -------
    float
        0 where they are alike, or the slightest noise could make them so; NaN with fewer than two groups.

    Examples
    --------
    >>> counts = np.array([[[40, 10], [10, 40]], [[40, 10], [30, 20]]])
    >>> 0.1 < noise_tolerance("recall", counts) < 0.2
    True
    """
    cells = np.asarray(counts, dtype=np.float64)
    if not np.isfinite(noise_bounds(rate, counts, 0.0).difference[0]):
        return float("nan")
    low, step = 0.0, 1.0
    for _ in range(ROUNDS):
        step /= PARTS
        shares = np.asarray(low + step * np.arange(PARTS + 1), dtype=np.float64)
        apart = np.array(
            [NoiseBounds(*ends).difference[0] > 0 for ends in zip(*_ends(rate, cells, shares), strict=True)]
        )
        if not apart[0]:
            return low
        low = float(shares[np.argmin(apart) - 1 if not apart.all() else PARTS])
    return low
