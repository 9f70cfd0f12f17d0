"""Changes of a rate between two models on the same rows, with paired intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics.inference.intervals import clopper_pearson, z_of
from evenhand.metrics.inference.skewed import FEW, OF_FEW_ROWS, Tails, margin_above, tails_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats, Ints, Side


@dataclass(frozen=True, slots=True)
class PairedChange:
    """The change of one proportion between two models over the same rows, group by group.

    See Also
    --------
    evenhand.metrics.paired_change : Makes one.
    """

    estimate: Floats
    """(G,) new share minus old share; nan where the group has no row in the denominator."""
    low: Floats
    """(G,) lower ends."""
    high: Floats
    """(G,) upper ends."""
    gained: Ints
    """(G,) rows that count only under the new model."""
    lost: Ints
    """(G,) rows that count only under the old model."""
    support: Ints
    """(G,) rows in the denominator."""
    method: str = "mover of discordant rows, exact limits"
    """How the interval was found."""


def paired_change(both: Ints, gained: Ints, lost: Ints, neither: Ints, level: float = 0.95) -> PairedChange:
    """Return the paired change ``(gained - lost) / n`` of a proportion.

    Parameters
    ----------
    both, gained, lost, neither : (G,) integer arrays
        Rows that count under both models, only under the new one, only under the old one, under neither.
    level : float
        Two-sided confidence.

    Returns
    -------
    PairedChange

    Notes
    -----
    The exact limits of the two discordant shares are combined by square-and-add with their multinomial correlation.
    Unlike Wald's interval it does not collapse to a point when no row changed; unlike the score intervals of Tango
    (1998) and Newcombe (1998b) the error at either end is at most nominal (docs/design/compression_audit.md).

    Examples
    --------
    >>> import numpy as np
    >>> found = paired_change(np.array([70]), np.array([5]), np.array([15]), np.array([10]))
    >>> found.estimate.round(2).tolist(), found.support.tolist()
    ([-0.1], [100])
    """
    b, c = (np.asarray(part, dtype=np.float64) for part in (gained, lost))
    n = np.asarray(both, dtype=np.float64) + b + c + np.asarray(neither, dtype=np.float64)
    z = z_of(level)
    with np.errstate(invalid="ignore", divide="ignore"):
        p, q = b / n, c / n
    low, high = apart((p, *clopper_pearson(b, n, z)), (q, *clopper_pearson(c, n, z)), exclusive(p, q))
    return PairedChange(p - q, low, high, b.astype(np.int64), c.astype(np.int64), n.astype(np.int64))


def exclusive(p: Floats, q: Floats) -> Floats:
    """Return the correlation of the observed shares of two cells of one multinomial: a row is in one of them at
    most."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = -np.sqrt(p * q / ((1 - p) * (1 - q)))
    return np.asarray(np.maximum(np.nan_to_num(found, nan=0.0, neginf=-1.0), -1.0))


def apart(new: Side, old: Side, correlation: Floats) -> tuple[Floats, Floats]:
    """Return the ends of new - old from the estimate, low and high end of each and their correlation.

    Square-and-add (Zou and Donner 2008, Statistics in Medicine 27), with the covariance of the two sides.
    """
    (p, p_low, p_high), (q, q_low, q_high) = new, old
    below = _add(p - p_low, q_high - q, correlation)
    above = _add(p_high - p, q - q_low, correlation)
    return np.maximum(p - q - below, -1.0), np.minimum(p - q + above, 1.0)


def _add(a: Floats, b: Floats, correlation: Floats) -> Floats:
    return np.asarray(np.sqrt(np.maximum(a * a + b * b - 2 * correlation * a * b, 0.0)))


def paired_auc_change(
    y_true: NDArray[np.int8], old: Floats, new: Floats, level: float = 0.95
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
    placement values, so that what both models share cancels. Few rows change a lot and most little, so the ends allow
    for skewness as those of means do (`margin_above`), and for the few rows of the smaller class. Where no placement
    changed there is no spread to estimate; then the interval is as wide as one changed pair in each class would
    make it.
    """
    from scipy.special import ndtr, stdtrit

    positive = np.asarray(y_true) == 1
    parts = []
    for scores in (new, old):
        hits, misses = np.sort(scores[positive]), np.sort(scores[~positive])
        parts.append((_share_below(misses, scores[positive]), 1 - _share_below(hits, scores[~positive])))
    moved = [parts[0][side] - parts[1][side] for side in (0, 1)]
    change = float(moved[0].mean())
    sides = np.array([max(float(part.var(ddof=1)), 1 / len(part) ** 2) / len(part) for part in moved])
    smaller, z = min(len(part) for part in moved), z_of(level)
    number = np.array([max(2 * smaller, FEW)])
    wide = z * (1 + 2 * OF_FEW_ROWS / np.sqrt(smaller)) / stdtrit(number - 1, ndtr(z))
    error = wide * np.sqrt(sides.sum())
    skew, least, most = tails_of(*moved)
    scale = np.sqrt(number / len(positive))  # the skewness of as many rows as there are, told as that of `number`
    tails = Tails(skew * scale, np.array([least]), np.array([most]))
    below, above = (float(margin_above(error, number, side, z)[0]) for side in (tails.turned(), tails))
    return change, max(change - below, -1.0), min(change + above, 1.0)


def _share_below(others: Floats, mine: Floats) -> Floats:
    """Return for each of `mine` the share of sorted `others` below it, equal ones by half."""
    left, right = np.searchsorted(others, mine, "left"), np.searchsorted(others, mine, "right")
    return np.asarray((left + right) / 2 / len(others), dtype=np.float64)
