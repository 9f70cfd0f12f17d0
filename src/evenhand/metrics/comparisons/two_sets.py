"""What two sets of rows, those a model was fitted on and those it is judged on, differ by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics.comparisons.pairs import difference_of
from evenhand.metrics.inference.intervals import clopper_pearson, share_difference_interval, z_of
from evenhand.metrics.values.rates import Measured

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats, Side

__all__ = ["alike_share", "gap_of_sets", "seen_excess"]

MOSTLY = 0.5
"""Up to this share of rows that are alike, pairs are counted as one row each; beyond it their margin is added."""


def gap_of_sets(
    metric: str, theirs: Measured, ours: Measured, level: float, absent: str, *, reverse: bool = False
) -> Measured:
    """Return, for every group, the value of one set of rows less that of another, which share no row.

    Parameters
    ----------
    metric : str
        The declared metric that it is.
    theirs, ours : Measured
        One metric of the same G groups.
    level : float
        Two-sided confidence.
    absent : str
        Why a group has no value of which `theirs` has no row.
    reverse : bool
        Whether it is that of `ours` less that of `theirs`, as of errors.

    Returns
    -------
    Measured
        With the rows of `ours`.

    Examples
    --------
    >>> from evenhand.metrics import Tally, measure
    >>> seen, new = (measure("accuracy", Tally.count([1] * 8, [1] * n + [0] * (8 - n))) for n in (8, 6))
    >>> gap_of_sets("generalization_gap", seen, new, 0.95, "No row.").estimate.tolist()
    [0.25]
    """
    joined = difference_of(ours.metric)
    first, other = (ours, theirs) if reverse else (theirs, ours)

    def ends(z: float) -> tuple[Floats, Floats]:
        return joined((first.estimate, *first.ends(z)), (other.estimate, *other.ends(z)))

    defined = theirs.defined & ours.defined
    reasons = tuple(
        "" if ok else (ours.reason[at] or (theirs.reason[at] if theirs.rows[at] else absent))
        for at, ok in enumerate(defined)
    )
    estimate = np.where(defined, first.estimate - other.estimate, np.nan)
    low, high = ends(z_of(level))
    method = f"mover of two sets of rows, {ours.method}"
    return Measured(
        metric, estimate, low, high, defined, ours.support, ours.rows, reasons, method, ends, ours.uncovered
    )


def alike_share(alike: int, rows: int, pairs: int, z: float) -> Side:
    """Return the share of rows that equal another row, with the ends of the share of new rows that would equal one.

    Rows that are alike come by twos and more, so their share varies more than that of independent rows:
    ``(n1 (1 - n1 / n) + 2 n2) / n ** 2`` is its variance about the share of new rows, n1 and n2 the values that occur
    once and twice. Limits are exact ones of as many independent rows.

    Parameters
    ----------
    alike : int
        Rows that equal another one.
    rows : int
        All rows.
    pairs : int
        Values that occur in two rows.
    z : float
        Critical value.

    References
    ----------
    Good (1953), Biometrika 40; Esty (1983), Annals of Statistics 11, for the variance.

    Examples
    --------
    >>> share, low, high = alike_share(20, 1_000, 10, 1.96)
    >>> float(share[0]), float(low[0].round(4)), float(high[0].round(4))
    (0.02, 0.0096, 0.0366)
    """
    share = np.array([alike / rows])
    if alike <= MOSTLY * rows:
        own, more = max(alike, 1) * (rows - alike) / rows**2, max(2 * pairs, 1) / rows
        worth = rows * own / (own + more)
        low, high = clopper_pearson(share * worth, np.array([worth]), z)
        return share, low, high
    low, high = clopper_pearson(np.array([alike]), np.array([rows]), z)
    far = z * np.sqrt(2 * pairs) / rows
    return share, np.maximum(share - np.hypot(share - low, far), 0), np.minimum(share + np.hypot(high - share, far), 1)


def seen_excess(seen: tuple[int, int], alike: tuple[int, int, int], level: float) -> tuple[float, float, float]:
    """Return how many more evaluation rows equal a fitted row than new rows would, as a share, with its ends.

    Parameters
    ----------
    seen : (int, int)
        Evaluation rows that equal a fitted one, and all of them.
    alike : (int, int, int)
        Fitted rows that equal another fitted one, all of them, and values that two of them have.
    level : float
        Two-sided confidence.

    Examples
    --------
    >>> [round(each, 3) for each in seen_excess((30, 100), (0, 100, 0), 0.95)]
    [0.3, 0.187, 0.4]
    """
    z = z_of(level)
    share = np.array([seen[0] / seen[1]])
    mine = (share, *clopper_pearson(np.array([seen[0]]), np.array([seen[1]]), z))
    theirs = alike_share(*alike, z)
    low, high = share_difference_interval(mine, theirs)
    return float(share[0] - theirs[0][0]), float(low[0]), float(high[0])
