"""How well scores rank: areas under curves, for all groups in one sort, from rows or from a tally of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Unpack

import numpy as np

from evenhand.messages import message
from evenhand.metrics.counts.ordered import Ordered, order_scores, placements
from evenhand.metrics.counts.score_tally import ScoreTally
from evenhand.metrics.counts.sums import rows_by
from evenhand.metrics.inference.intervals import clopper_pearson
from evenhand.metrics.inference.skewed import OF_FEW_ROWS
from evenhand.metrics.values.means import between_clusters, cluster_sums, finished, told

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Column, Floats, Ints, Marks, Worth
    from evenhand.metrics.values.rates import Measured


def roc_auc(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95, **more: Unpack[Worth]
) -> Measured:
    """Measure the area under the ROC curve of every group.

    Each end is the farther one of DeLong's on the logit scale, which few rows of a class make too short, and of
    Newcombe's, which inverts a test with the variance that the area in question would have (`areas_like`).

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
        The truth.
    score : (n,) array
        Scores on any scale.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.
    **more
        ``weight`` and ``frequency``, as for `ScoreTally.count`; with weights DeLong's variance is linearised.
        ``clusters``, what belongs together: the variance is then that between clusters (Obuchowski 1997, Biometrics
        53).

    Returns
    -------
    Measured

    References
    ----------
    DeLong et al. (1988), Biometrics 44; ranks as in Sun and Xu (2014); Newcombe (2006), Statistics in Medicine 25,
    method 5.

    Examples
    --------
    >>> roc_auc([0, 1, 0, 1], [0.1, 0.3, 0.6, 0.8], [0, 0, 0, 0]).estimate.tolist()
    [0.75]
    """
    if all(part is None for part in more.values()):
        return roc_auc_of(order_scores(y_true, score, codes, n_groups), level)
    tally = ScoreTally.count(y_true, score, codes, n_groups, more.get("weight"), more.get("frequency"))
    if more.get("clusters") is None:
        return roc_auc_of_tally(tally, level)
    return _clustered_areas(tally, np.asarray(y_true) == 1, np.asarray(score), np.asarray(codes), level, **more)


def roc_auc_of_tally(tally: ScoreTally, level: float = 0.95) -> Measured:
    """Measure the area under the ROC curve of every group from counts by score."""
    mass, squares, number = tally.total(tally.mass), tally.total(tally.squares), tally.rows
    with np.errstate(invalid="ignore", divide="ignore"):
        placed, area = _placed(tally, mass)
        spread = tally.total(tally.squares * (placed - area[tally.group][:, None]) ** 2) / mass**2
        # a single row has no spread: the greatest there is
        spread = np.where(number > 1, spread * number / np.maximum(number - 1, 1), 0.25)
        worth = np.nan_to_num(mass**2 / squares)  # rows, or what weighted rows are worth (Kish)
    missing = (mass <= 0).any(axis=1)
    area = np.where(missing, np.nan, area)
    return _areas(area, np.sqrt(spread.sum(axis=1)), worth, number.sum(axis=1), level)


def _placed(tally: ScoreTally, mass: Floats) -> tuple[Floats, Floats]:
    """Return for each block what a negative and a positive of it show of the area, (B, 2), and the areas (G,)."""
    negatives, positives = tally.mass.T
    outranks = (tally.below(negatives) + negatives / 2) / mass[tally.group, 0]
    outranked = 1 - (tally.below(positives) + positives / 2) / mass[tally.group, 1]
    return np.column_stack([outranked, outranks]), tally.total(positives * outranks) / mass[:, 1]


def _clustered_areas(
    tally: ScoreTally, true: Marks, score: Column, codes: Column, level: float, **more: Unpack[Worth]
) -> Measured:
    """Measure areas with the variance between clusters of what each row adds to them."""
    mass, group = tally.total(tally.mass), codes.astype(np.intp)
    weight, clusters = more.get("weight"), np.asarray(more.get("clusters"))
    one = np.ones(len(true)) if weight is None else np.asarray(weight, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        placed, area = _placed(tally, mass)
        # rows in the order of the tally's blocks, and back
        order = np.lexsort((score, codes))
        block = np.empty(len(true), dtype=np.intp)
        block[order] = np.repeat(np.arange(len(tally.group)), tally.counts.sum(axis=1))
        side = true.astype(np.intp)
        adds = one * (placed[block, side] - area[group]) / mass[group, side]
        squares, number = between_clusters(np.nan_to_num(adds), codes, clusters, tally.n_groups)
        error = np.sqrt(squares * number / (number - 1))
    missing = (mass <= 0).any(axis=1) | (number < 2)
    sides = [rows_by(cluster_sums(one[of], group[of], clusters[of], tally.n_groups)[1], tally.n_groups)
             for of in (~true, true)]  # fmt: skip
    worth = np.stack(sides, axis=1).astype(np.float64)
    area, rows = np.where(missing, np.nan, area), tally.rows.sum(axis=1)
    return _areas(area, error, worth, rows, level, ", clusters")


def roc_auc_of(ordered: Ordered, level: float = 0.95) -> Measured:
    """Measure the area under the ROC curve of every group from scores in order."""
    found, sides = np.full((2, len(ordered.positives)), np.nan), np.zeros((len(ordered.positives), 2))
    for group, (negatives, positives) in enumerate(zip(ordered.negatives, ordered.positives, strict=True)):
        sides[group] = len(negatives), len(positives)
        if len(negatives) and len(positives):
            above, below = placements(group, ordered)
            # a single row has no spread: the greatest there is
            parts = (part.var(ddof=1) / len(part) if len(part) > 1 else 0.25 for part in (above, below))
            found[:, group] = above.mean(), np.sqrt(sum(parts))
    return _areas(found[0], found[1], sides, ordered.rows, level)


def _areas(area: Floats, error: Floats, worth: Floats, rows: Ints, level: float, more: str = "") -> Measured:
    """Return areas with their intervals; `worth` (G, 2) is how many rows the negatives and the positives count for."""
    reasons = told(np.isfinite(area), message("Only one class has rows: the area needs both."))

    def ends(z: float) -> tuple[Floats, Floats]:
        wide = z * (1 + OF_FEW_ROWS / np.sqrt(np.maximum(worth.min(axis=1), 1)))
        inside = (area > 0) & (area < 1) & (error > 0)
        low, high = logit_interval(np.where(inside, area, 0.5), np.where(inside, error, 1.0), wide)
        least, most = areas_like(area, worth, wide)
        return np.where(inside, np.minimum(low, least), least), np.where(inside, np.maximum(high, most), most)

    return finished("roc_auc", area, rows, reasons, f"delong and newcombe{more}", ends, level)


HALVINGS: Final = 40
"""Steps in which a limit is found."""


def areas_like(area: Floats, worth: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Return the least and the greatest area that would not be rejected, given the area seen.

    The variance of an area t over m negatives and n positives is that under exponential scores with N - 1 in place of
    m - 1 and n - 1, N their mean: ``t (1 - t) (1 + (N - 1) ((1 - t) / (2 - t) + t / (1 + t))) / (m n)``.

    Parameters
    ----------
    area : (G,)
        The areas seen.
    worth : (G, 2)
        How many rows the negatives and the positives count for.
    z : (G,)
        Critical values.

    Source: Newcombe (2006), Statistics in Medicine 25, method 5; Hanley and McNeil (1982), Radiology 143.
    """
    product, middle = np.maximum(worth.prod(axis=1), 1), np.maximum(worth.mean(axis=1) - 1, 0)

    def rejected(t: Floats) -> Marks:
        spread = t * (1 - t) * (1 + middle * ((1 - t) / (2 - t) + t / (1 + t))) / product
        return np.asarray(np.abs(area - t) > z * np.sqrt(np.maximum(spread, 0)))

    found = []
    for far in (0.0, 1.0):
        inside, outside = area.copy(), np.full(len(area), far)
        for _ in range(HALVINGS):
            half = (inside + outside) / 2
            out = rejected(half)
            inside, outside = np.where(out, inside, half), np.where(out, half, outside)
        found.append(outside)
    return found[0], found[1]


def logit_interval(share: Floats, error: Floats, z: Floats | float) -> tuple[Floats, Floats]:
    """Return the limits of a number between 0 and 1 that is normal, with this error, on the logit scale."""
    logit, half = np.log(share / (1 - share)), z * error / (share * (1 - share))
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is the 0 that is meant
        return 1 / (1 + np.exp(-(logit - half))), 1 / (1 + np.exp(-(logit + half)))


def average_precision(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95, **more: Unpack[Worth]
) -> Measured:
    """Measure the area under the precision-recall curve (average precision) of every group.

    The interval is binomial over the positive rows: each end is the farther one of that on the logit scale, which
    covers best of those that Boyd et al. (2013), ECML, compared, and of the exact one; over what they are worth where
    rows are weighted (Kish), and over clusters that hold one where rows belong together. Equal scores are taken
    together, as scikit-learn does.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
        The truth.
    score : (n,) array
        Scores on any scale.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.
    **more
        ``weight``, ``clusters`` and ``frequency``, as for `means`.

    Returns
    -------
    Measured

    Examples
    --------
    >>> average_precision([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], [0, 0, 0, 0]).estimate.round(2).tolist()
    [1.0]
    """
    if all(part is None for part in more.values()):
        return average_precision_of(order_scores(y_true, score, codes, n_groups), level)
    tally = ScoreTally.count(y_true, score, codes, n_groups, more.get("weight"), more.get("frequency"))
    number = None
    if (clusters := more.get("clusters")) is not None:
        true, group = np.asarray(y_true) == 1, np.asarray(codes)
        pairs = np.unique(np.column_stack([group[true], np.asarray(clusters)[true]]), axis=0)
        number = rows_by(pairs[:, 0].astype(np.intp), n_groups).astype(np.float64)
    return average_precision_of_tally(tally, level, number)


def average_precision_of(ordered: Ordered, level: float = 0.95) -> Measured:
    """Measure average precision from scores in order: precision at each positive's score, ties taken together."""
    area = np.full(len(ordered.positives), np.nan)
    for group, (negatives, positives) in enumerate(zip(ordered.negatives, ordered.positives, strict=True)):
        if len(positives):
            found = len(positives) - np.searchsorted(positives, positives, "left")
            false = len(negatives) - np.searchsorted(negatives, positives, "left")
            area[group] = (found / (found + false)).mean()
    hits = np.array([len(part) for part in ordered.positives], dtype=np.float64)
    return _precisions(area, hits, hits, ordered.rows, level)


def average_precision_of_tally(tally: ScoreTally, level: float = 0.95, worth: Floats | None = None) -> Measured:
    """Measure average precision from counts by score; `worth` (G,) is how many positive rows count as independent."""
    negatives, positives = tally.mass.T
    hits, everyone = tally.total(positives), tally.total(positives + negatives)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = hits[tally.group] - tally.below(positives)
        taken = everyone[tally.group] - tally.below(positives + negatives)
        area = tally.total(np.nan_to_num(positives * found / taken)) / hits
        area = np.where(area > 1 - 1e-12, 1.0, area)  # a sum of shares passes 1, or misses it, by rounding
        kish = hits**2 / tally.total(tally.squares[:, 1])
    number = np.nan_to_num(kish if worth is None else worth)
    return _precisions(area, hits, number, tally.rows.sum(axis=1), level)


def _precisions(area: Floats, hits: Floats, number: Floats, rows: Ints, level: float) -> Measured:
    """Return average precisions with their intervals; `number` (G,) is how many positive rows count as independent."""
    error = np.sqrt(area * (1 - area) / np.maximum(number, 1))

    def ends(z: float) -> tuple[Floats, Floats]:
        exact = clopper_pearson(np.nan_to_num(area) * number, number, z)
        inside = (area > 0) & (area < 1)
        low, high = logit_interval(np.where(inside, area, 0.5), np.where(inside, error, 1.0), z)
        return np.where(inside, np.minimum(low, exact[0]), exact[0]), np.where(
            inside, np.maximum(high, exact[1]), exact[1]
        )

    reasons = told(hits > 0, message("No row whose truth is positive: there is nothing to find."))
    return finished("average_precision", area, rows, reasons, "binomial, exact and logit", ends, level)
