"""The best thresholds without lots: a search over the ROC points of the cells."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evenhand.mitigation.curves import Curve
    from evenhand.mitigation.demands import Demand
    from evenhand.mitigation.rates import Linear

SWEEPS: Final = 12
"""The most rounds over all pairs of cells."""
MET: Final = 1e-9
"""A demand that is exceeded by no more is met."""
PAIRS: Final = 3_000_000
"""Numbers that one round may compute: fewer points of each cell are tried where there are many cells."""


def thresholds(
    curves: Sequence[Curve], demands: Sequence[Demand], goal: Linear, start: NDArray[np.float64]
) -> tuple[NDArray[np.float64], bool]:
    """Return (k,) thresholds, one a cell, and whether they meet all demands.

    Two cells are moved at a time, to the best pair of their points, until none moves: a limit on the difference of two
    groups ties their thresholds to each other, and moving one alone would break it.

    Parameters
    ----------
    curves : sequence of Curve
        Of each cell.
    demands : sequence of Demand
        What is to be met; where that cannot be, what is exceeded by least is returned.
    goal : Linear
        What is to be great.
    start : NDArray[np.float64]
        (2 k,) shares selected to begin near, such as those of the best randomized thresholds.
    """
    k = len(curves)
    at = np.array([_nearest(curve, start[[cell, k + cell]]) for cell, curve in enumerate(curves)])
    most = max(20, int(np.sqrt(PAIRS / max(1, len(demands) + 1) / max(1, k * (k - 1) / 2))))
    tried = [_some(curve, most, here) for curve, here in zip(curves, at, strict=True)]
    pairs = [*combinations(range(k), 2)] or [(0, 0)]
    for _ in range(SWEEPS):
        before = at.copy()
        for one, other in pairs:
            at[one], at[other] = _best(curves, demands, goal, at, (one, other), tried)
        if (at == before).all():
            break
    shares = _shares(curves, at)
    met = all(float(demand.number.at(shares)) <= demand.bound + MET for demand in demands)
    return np.array([curve.thresholds[here] for curve, here in zip(curves, at, strict=True)]), met


def single(curves: Sequence[Curve], demands: Sequence[Demand], goal: Linear) -> tuple[float, bool]:
    """Return the best threshold for all cells, and whether it meets all demands.

    Parameters
    ----------
    curves : sequence of Curve
        Of each cell, at the same thresholds.
    demands : sequence of Demand
        What is to be met.
    goal : Linear
        What is to be great.
    """
    every = curves[0].thresholds
    shares = np.hstack([np.stack([curve.shares[:, truth] for curve in curves], axis=1) for truth in (0, 1)])
    worth, over = goal.at(shares), _exceeded(demands, shares)
    best = int(np.lexsort((-worth, np.where(over <= MET, 0.0, over)))[0])
    return float(every[best]), bool(over[best] <= MET)


def _best(
    curves: Sequence[Curve],
    demands: Sequence[Demand],
    goal: Linear,
    at: NDArray[np.intp],
    pair: tuple[int, int],
    tried: Sequence[NDArray[np.intp]],
) -> tuple[int, int]:
    """Return the best points of two cells, the others as they are."""
    (one, other), k = pair, len(curves)
    here = np.unique(np.append(tried[one], at[one]))
    there = np.unique(np.append(tried[other], at[other])) if other != one else np.array([0])
    grid = np.repeat(_shares(curves, at)[None, :], len(here) * len(there), axis=0)
    if other != one:
        grid[:, [other, k + other]] = np.tile(curves[other].shares[there], (len(here), 1))
    grid[:, [one, k + one]] = np.repeat(curves[one].shares[here], len(there), axis=0)
    over = _exceeded(demands, grid)
    best = int(np.lexsort((-goal.at(grid), np.where(over <= MET, 0.0, over)))[0])
    first = int(here[best // len(there)])
    return first, int(there[best % len(there)]) if other != one else first


def _exceeded(demands: Sequence[Demand], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n,) by how much demands are exceeded, all together."""
    found = np.zeros(len(shares))
    for demand in demands:
        found += np.maximum(demand.number.at(shares) - demand.bound, 0.0)
    return found


def _shares(curves: Sequence[Curve], at: NDArray[np.intp]) -> NDArray[np.float64]:
    parts = np.array([curve.shares[here] for curve, here in zip(curves, at, strict=True)])
    return np.concatenate([parts[:, 0], parts[:, 1]])


def _nearest(curve: Curve, shares: NDArray[np.float64]) -> int:
    return int(np.abs(curve.shares - shares).sum(axis=1).argmin())


def _some(curve: Curve, most: int, here: int) -> NDArray[np.intp]:
    """Return points to try: evenly spaced ones, and all that are near the present one."""
    even = np.linspace(0, len(curve.thresholds) - 1, min(most, len(curve.thresholds))).round().astype(np.intp)
    near = np.arange(max(0, here - most // 10), min(len(curve.thresholds), here + most // 10 + 1))
    return np.unique(np.concatenate([even, near]))
