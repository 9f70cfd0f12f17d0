"""How well scores rank: areas under curves, for all groups in one sort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evenhand.metrics.averages import finished
from evenhand.metrics.intervals import wilson
from evenhand.metrics.ordered import Ordered, order_scores, placements
from evenhand.metrics.sums import rows_by, sums_by

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from evenhand.metrics.measuring import Measured

    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Sorted:
    """Rows in the order of group and score, and the blocks of equal scores among them."""

    group: NDArray[np.int64]
    true: NDArray[np.bool_]
    weight: Floats
    block: NDArray[np.int64]
    """(n,) the block of each row."""
    block_group: NDArray[np.int64]
    """(B,) the group of each block."""
    positives: Floats
    """(B,) weight of the positive rows in the block."""
    negatives: Floats
    """(B,) weight of the negative rows in the block."""
    n_groups: int

    def below(self, sums: Floats) -> Floats:
        """Return (B,) what lies in the blocks of lower scores of the same group."""
        before = np.concatenate([[0.0], np.cumsum(sums)])
        first = np.searchsorted(self.block_group, np.arange(self.n_groups))
        return np.asarray(before[:-1] - before[first][self.block_group])

    def total(self, sums: Floats) -> Floats:
        """Return (G,) sums of blocks over each group."""
        return sums_by(self.block_group, sums, self.n_groups)


def _in_order(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int, weight: ArrayLike | None
) -> _Sorted:
    scores, groups = np.asarray(score, dtype=np.float64), np.asarray(codes)
    order = np.lexsort((scores, groups)) if n_groups > 1 else np.argsort(scores, kind="stable")
    scores, group = scores[order], groups[order].astype(np.int64)
    true = np.asarray(y_true)[order] == 1
    one = np.ones(len(scores)) if weight is None else np.asarray(weight, dtype=np.float64)[order]
    new = np.ones(len(scores), dtype=bool)
    new[1:] = (scores[1:] != scores[:-1]) | (group[1:] != group[:-1])
    block = np.cumsum(new) - 1
    positives = sums_by(block, one * true, int(new.sum()))
    negatives = sums_by(block, one * ~true, int(new.sum()))
    return _Sorted(group, true, one, block, group[new], positives, negatives, n_groups)


def roc_auc(
    y_true: ArrayLike,
    score: ArrayLike,
    codes: ArrayLike,
    n_groups: int = 1,
    level: float = 0.95,
    weight: ArrayLike | None = None,
) -> Measured:
    """Measure the area under the ROC curve of every group, with DeLong's interval on the logit scale.

    Where a group's area is 0 or 1 DeLong's variance is 0; there the interval is Wilson's over the smaller class.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
    score : (n,) array
    codes : (n,) integer array
        The group of each row.
    n_groups : int
        The number of groups G.
    weight : (n,) array, optional
        Sampling weights; DeLong's variance is then linearised.

    Source: DeLong et al. (1988), Biometrics 44; ranks as in Sun and Xu (2014).
    """
    if weight is None:
        return roc_auc_of(order_scores(y_true, score, codes, n_groups), level)
    ordered = _in_order(y_true, score, codes, n_groups, weight)
    return _areas(*_delong(ordered), rows_by(ordered.group, n_groups), level)


def roc_auc_of(ordered: Ordered, level: float = 0.95) -> Measured:
    """Measure the area under the ROC curve of every group from scores in order."""
    found = np.full((3, len(ordered.positives)), np.nan)
    for group, (negatives, positives) in enumerate(zip(ordered.negatives, ordered.positives, strict=True)):
        if len(negatives) and len(positives):
            above, below = placements(group, ordered)
            # a class of a single row says nothing of its own spread: the greatest there is
            parts = (part.var(ddof=1) / len(part) if len(part) > 1 else 0.25 for part in (above, below))
            found[:, group] = above.mean(), np.sqrt(sum(parts)), min(len(negatives), len(positives))
    return _areas(found[0], found[1], np.nan_to_num(found[2]), ordered.rows, level)


def _areas(area: Floats, error: Floats, smaller: Floats, rows: NDArray[np.int64], level: float) -> Measured:
    def ends(z: float) -> tuple[Floats, Floats]:
        return _logit_ends(area, error, smaller, z)

    reasons = tuple("" if ok else "Only one class has rows: the area needs both." for ok in np.isfinite(area))
    return finished("roc_auc", area, rows, reasons, "delong, logit", ends, level)


def _delong(rows: _Sorted) -> tuple[Floats, Floats, Floats]:
    """Return the area, its standard error and the size of the smaller class of each group."""
    hits, misses = rows.total(rows.positives), rows.total(rows.negatives)
    with np.errstate(invalid="ignore", divide="ignore"):
        # the share of negatives that a positive of the block outranks, and of positives that outrank a negative of it
        outranks = (rows.below(rows.negatives) + rows.negatives / 2) / misses[rows.block_group]
        outranked = 1 - (rows.below(rows.positives) + rows.positives / 2) / hits[rows.block_group]
        area = rows.total(rows.positives * outranks) / hits
        variance = _part(rows, rows.true, outranks, area, hits) + _part(rows, ~rows.true, outranked, area, misses)
    missing = (hits <= 0) | (misses <= 0)
    return np.where(missing, np.nan, area), np.sqrt(variance), np.minimum(hits, misses)


def _part(rows: _Sorted, chosen: NDArray[np.bool_], placement: Floats, area: Floats, total: Floats) -> Floats:
    """Return the variance that one class contributes: 1/4 where it has a single row."""
    group, weight = rows.group[chosen], rows.weight[chosen]
    squares = (weight * (placement[rows.block[chosen]] - area[group])) ** 2
    number = rows_by(group, rows.n_groups)
    spread = sums_by(group, squares, rows.n_groups) / total**2
    return np.where(number > 1, spread * number / np.maximum(number - 1, 1), 0.25)


def _logit_ends(area: Floats, error: Floats, smaller: Floats, z: float) -> tuple[Floats, Floats]:
    inside = (area > 0) & (area < 1) & (error > 0)
    low, high = logit_interval(np.where(inside, area, 0.5), np.where(inside, error, 1.0), z)
    edge = wilson(np.nan_to_num(area) * smaller, smaller, z)
    return np.where(inside, low, edge[0]), np.where(inside, high, edge[1])


def logit_interval(share: Floats, error: Floats, z: float) -> tuple[Floats, Floats]:
    """Return the limits of a number between 0 and 1 that is normal, with this error, on the logit scale."""
    logit, half = np.log(share / (1 - share)), z * error / (share * (1 - share))
    return 1 / (1 + np.exp(-(logit - half))), 1 / (1 + np.exp(-(logit + half)))


def average_precision(
    y_true: ArrayLike,
    score: ArrayLike,
    codes: ArrayLike,
    n_groups: int = 1,
    level: float = 0.95,
    weight: ArrayLike | None = None,
) -> Measured:
    """Measure the area under the precision-recall curve (average precision) of every group.

    The interval is binomial over the positive rows on the logit scale, which covers best of those that Boyd et al.
    (2013), ECML, compared. Equal scores are taken together, as scikit-learn does.
    """
    rows = _in_order(y_true, score, codes, n_groups, weight)
    hits, everyone = rows.total(rows.positives), rows.total(rows.positives + rows.negatives)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = hits[rows.block_group] - rows.below(rows.positives)
        taken = everyone[rows.block_group] - rows.below(rows.positives + rows.negatives)
        area = rows.total(rows.positives * found / taken) / hits
    number = rows_by(rows.group[rows.true], n_groups).astype(np.float64)

    def ends(z: float) -> tuple[Floats, Floats]:
        error = np.sqrt(area * (1 - area) / np.maximum(number, 1))
        return _logit_ends(area, error, number, z)

    reasons = tuple("" if ok else "No row whose truth is positive: there is nothing to find." for ok in hits > 0)
    counted = rows_by(rows.group, n_groups)
    return finished("average_precision", area, counted, reasons, "binomial, logit", ends, level)
