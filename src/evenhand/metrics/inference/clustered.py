"""Changes of a share between two models whose rows are in clusters, such as the answers to one document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.inference.skewed import Tails, margin_above

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats, Ints

LEAST: Final = 20.0
"""So many clusters must have changed for the spread between them to be known; below, exact limits are combined."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusteredChange:
    """The change of a share over clusters: gained less lost rows, over all rows.

    Examples
    --------
    >>> gained, lost = np.array([1.0, 0.0]), np.array([0.0, 1.0])  # two cells: 30 clusters gained a row, 10 lost one
    >>> rows = np.array([30.0, 10.0])
    >>> change = clustered_change(np.diag(rows)[None], rows[None], (gained, lost), np.ones(2), np.array([40]))
    >>> change.estimate.tolist(), change.error.round(3).tolist()
    ([0.5], [0.139])
    """

    estimate: Floats
    """(G,) the change; nan without a row in the denominator."""
    error: Floats
    """(G,) its standard error; nan with fewer than two clusters."""
    clusters: Ints
    """(G,) clusters."""
    correlation: Floats
    """(G,) correlation of the gained and the lost share; nan where one of them does not vary."""
    changed: Floats
    """(G,) the number of equal clusters that those with a change are worth."""
    tails: Tails
    """How skew the changes of clusters are; not at all where a fair coin for each changed cluster shows as much."""

    @property
    def known(self) -> Floats:
        """(G,) whether enough clusters changed for limits from the spread between them."""
        return np.asarray((self.changed >= LEAST) & (self.error > 0))

    def ends(self, z: float) -> tuple[Floats, Floats]:
        """Return the low and the high ends: those of the mean of skew values, by Student's distribution."""
        number = self.clusters.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            above = margin_above(self.error, number, self.tails, z)
            below = margin_above(self.error, number, self.tails.turned(), z)
        return np.maximum(self.estimate - below, -1.0), np.minimum(self.estimate + above, 1.0)


def clustered_change(
    moments: Floats, mass: Floats, sides: tuple[Floats, Floats], inside: Floats, clusters: Ints
) -> ClusteredChange:
    """Return the change of a share from sums over clusters.

    Parameters
    ----------
    moments : (G, K, K)
        Sums over clusters of v v', v a cluster's rows in each of K cells.
    mass : (G, K)
        Rows in each cell.
    sides : two (K,) arrays
        Which cells are gained, and which are lost.
    inside : (K,)
        Which cells are in the denominator.
    clusters : (G,)
        Clusters with a row in the denominator.

    Notes
    -----
    The estimate is a ratio of sums over clusters, and its error that of the residuals gained - lost - change x rows
    (Cochran 1977, Sampling Techniques, 6.4); with clusters of one size it is the paired t-test of their means.
    """
    gained, lost = (side * inside for side in sides)
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = mass @ inside
        estimate = (mass @ gained - mass @ lost) / rows
        residual = gained - lost - np.nan_to_num(estimate)[:, None] * inside
        squares = np.einsum("gi,gij,gj->g", residual, moments, residual)
        number = clusters.astype(np.float64)
        error = np.sqrt(np.maximum(squares, 0.0) * number / (number - 1)) / rows
        parts = [side - np.nan_to_num(mass @ side / rows)[:, None] * inside for side in (gained, lost)]
        both, own, other = (
            np.einsum("gi,gij,gj->g", a, moments, b)
            for a, b in ((parts[0], parts[1]), (parts[0], parts[0]), (parts[1], parts[1]))
        )
        correlation = np.clip(both / np.sqrt(own * other), -1.0, 1.0)
        change, tails = _tails(moments, mass, (gained, lost), estimate, number, squares)
    return ClusteredChange(estimate, np.where(number > 1, error, np.nan), clusters, correlation, change, tails)


def _tails(
    moments: Floats, mass: Floats, sides: tuple[Floats, Floats], estimate: Floats, number: Floats, squares: Floats
) -> tuple[Floats, Tails]:
    """Return how many clusters changed and how skew their changes are, from sums and sums of squares of both sides.

    A cluster that gained is as heavy as that in which an average gained row is found; the same of lost ones.
    """
    sums = [mass @ side for side in sides]
    twos = [np.einsum("i,gij,j->g", side, moments, side) for side in sides]
    heavy = [np.nan_to_num(two / one) for one, two in zip(sums, twos, strict=True)]
    changed = np.asarray(sum(np.nan_to_num(one**2 / two) for one, two in zip(sums, twos, strict=True)))
    mean = np.nan_to_num((sums[0] - sums[1]) / number)
    cubes = twos[0] * heavy[0] - twos[1] * heavy[1] - 3 * mean * (twos[0] + twos[1]) + 2 * number * mean**3
    known = squares > 0  # of one cluster they are 0, or what rounding leaves of it
    skew = np.where(known & (number > 1), np.sqrt(number) * cubes / np.where(known, squares, 1.0) ** 1.5, 0.0)
    skew = np.where(np.abs(skew) * changed > np.sqrt(number), skew, 0.0)
    total = np.where(np.isfinite(estimate) & (estimate != 0), (sums[0] - sums[1]) / estimate, 1.0)
    return changed, Tails(skew, (-heavy[1] - mean) / total, (heavy[0] - mean) / total)
