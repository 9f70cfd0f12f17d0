"""Changes of a rate between two models on the same rows, with paired intervals."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PairedChange:
    """The change of one proportion between two models over the same rows, group by group."""

    estimate: NDArray[np.float64]
    """(G,) new share minus old share; nan where the group has no row in the denominator."""
    low: NDArray[np.float64]
    """(G,) lower ends."""
    high: NDArray[np.float64]
    """(G,) upper ends."""
    gained: NDArray[np.int64]
    """(G,) rows that count only under the new model."""
    lost: NDArray[np.int64]
    """(G,) rows that count only under the old model."""
    support: NDArray[np.int64]
    """(G,) rows in the denominator."""
    method: str = "newcombe-paired"
    """Newcombe (1998b), Statistics in Medicine 17, 2635-2650, method 10."""


def paired_change(
    both: NDArray[np.int64],
    gained: NDArray[np.int64],
    lost: NDArray[np.int64],
    neither: NDArray[np.int64],
    level: float = 0.95,
) -> PairedChange:
    """Return the paired change ``(gained - lost) / n`` of a proportion, with Newcombe's square-and-add interval.

    Parameters
    ----------
    both, gained, lost, neither : (G,) integer arrays
        Rows that count under both models, only under the new one, only under the old one, under neither.
    level : float
        Two-sided confidence.

    Notes
    -----
    The Wilson limits of the two shares are combined with their correlation phi, corrected for continuity where it is
    positive. Unlike the Wald interval it does not collapse to a point when no row changed.
    """
    a, b, c, d = (np.asarray(part, dtype=np.float64) for part in (both, gained, lost, neither))
    n = a + b + c + d
    z = NormalDist().inv_cdf(0.5 + level / 2)
    new, new_low, new_high = _wilson(a + b, n, z)
    old, old_low, old_high = _wilson(a + c, n, z)
    phi = _correlation(a, b, c, d)
    below = _add(new - new_low, old_high - old, phi)
    above = _add(new_high - new, old - old_low, phi)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = (b - c) / n
    return PairedChange(
        estimate,
        np.maximum(estimate - below, -1.0),
        np.minimum(estimate + above, 1.0),
        b.astype(np.int64),
        c.astype(np.int64),
        n.astype(np.int64),
    )


def _wilson(
    k: NDArray[np.float64], n: NDArray[np.float64], z: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k / n
        middle = (k + z * z / 2) / (n + z * z)
        half = z / (n + z * z) * np.sqrt(k * (n - k) / n + z * z / 4)
    return p, middle - half, middle + half


def _correlation(
    both: NDArray[np.float64], gained: NDArray[np.float64], lost: NDArray[np.float64], neither: NDArray[np.float64]
) -> NDArray[np.float64]:
    n = both + gained + lost + neither
    scale = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    cross = both * neither - gained * lost
    corrected = np.where(cross > 0, np.maximum(cross - n / 2, 0.0), cross)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(scale > 0, corrected / np.sqrt(scale), 0.0)


def _add(a: NDArray[np.float64], b: NDArray[np.float64], phi: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(a * a - 2 * phi * a * b + b * b, 0.0))


def paired_auc_change(
    y_true: NDArray[np.int8], old: NDArray[np.float64], new: NDArray[np.float64], level: float = 0.95
) -> tuple[float, float, float]:
    """Return the change of the area under the ROC curve, new minus old, and its paired DeLong interval.

    Parameters
    ----------
    y_true : (n,)
        1 for positives; both classes must be there, each with two rows at least.
    old, new : (n,)
        The scores of both models for the same rows.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845: the variance is that of the difference of the
    placement values, so that what both models share cancels. Where no placement changed there is no spread to
    estimate; then the interval is as wide as one changed pair in each class would make it.
    """
    positive = np.asarray(y_true) == 1
    parts = []
    for scores in (new, old):
        hits, misses = np.sort(scores[positive]), np.sort(scores[~positive])
        parts.append((_share_below(misses, scores[positive]), 1 - _share_below(hits, scores[~positive])))
    above, below = (parts[0][side] - parts[1][side] for side in (0, 1))
    change = float(above.mean())
    variance = sum(max(float(part.var(ddof=1)), 1 / len(part) ** 2) / len(part) for part in (above, below))
    half = NormalDist().inv_cdf(0.5 + level / 2) * float(np.sqrt(variance))
    return change, max(change - half, -1.0), min(change + half, 1.0)


def _share_below(others: NDArray[np.float64], mine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each of `mine` the share of sorted `others` below it, equal ones by half."""
    left, right = np.searchsorted(others, mine, "left"), np.searchsorted(others, mine, "right")
    return np.asarray((left + right) / 2 / len(others), dtype=np.float64)
