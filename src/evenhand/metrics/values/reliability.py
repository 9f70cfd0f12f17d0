"""Reliability tables: in bins of equal count, the mean score and the share of positives, for each group."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Unpack

import numpy as np

from evenhand.metrics.counts.ordered import bins_of, order_scores
from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.values.means import between_clusters

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Column, Floats, Indices, Worth

BINS: Final = 10
"""Bins of equal count in the calibration error."""
NOTHING: Final = 1e-24
"""Squares of sums, relative to the square of the whole, that are rounding errors of 0."""


def reliability(y_true: ArrayLike, score: ArrayLike, bins: int = BINS, **more: Unpack[Worth]) -> Floats:
    """Return the reliability table: one row a bin of equal count, with rows, mean score, positives and share of all
    rows, shape (b, 4).

    Equal scores stay in one bin, so there may be fewer bins than requested. Rows that are weighted or belong together
    are as many as they are worth (Kish; the variance between clusters), and positives their share of them.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
    score : (n,) array
    bins : int
        The most bins.
    **more
        ``weight``, ``clusters`` and ``frequency``, as for `means`.

    Examples
    --------
    >>> reliability([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], bins=2).round(2).tolist()
    [[2.0, 0.2, 0.0, 0.5], [2.0, 0.7, 2.0, 0.5]]
    """
    if all(part is None for part in more.values()):
        everyone = np.zeros(len(np.asarray(score)), dtype=np.int16)
        return bins_of(0, order_scores(y_true, score, everyone), bins)
    true, scores = np.asarray(y_true, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if not len(scores):
        return np.empty((0, 4))
    weight, frequency, clusters = more.get("weight"), more.get("frequency"), more.get("clusters")
    times = np.ones(len(scores)) if frequency is None else np.asarray(frequency, dtype=np.float64)
    one = times if weight is None else times * np.asarray(weight, dtype=np.float64)
    edges = _equal_count(scores, times, bins)
    which = np.searchsorted(edges, scores, side="left")
    count = partial(np.bincount, which, minlength=len(edges) + 1)
    total = count(weights=one)
    filled = total > 0
    mean, share, size = (
        part[filled] / total[filled] for part in (count(weights=one * scores), count(weights=one * true), total**2)
    )
    plain = np.ones(len(scores)) if weight is None else np.asarray(weight, dtype=np.float64)
    size = size * total[filled] / count(weights=times * plain**2)[filled]
    if clusters is not None:
        size = np.minimum(size, _worth_of_clusters(which, true, one, np.asarray(clusters), len(edges) + 1)[filled])
    return np.column_stack([size, mean, size * share, total[filled] / total.sum()])


def _equal_count(scores: Floats, times: Floats, bins: int) -> Floats:
    """Return the inner edges of bins with as many rows each, equal ones once."""
    order = np.argsort(scores, kind="stable")
    upto = np.cumsum(times[order])
    at = np.searchsorted(upto, np.arange(1, bins) / bins * upto[-1] - 1e-9)
    return np.unique(scores[order][np.minimum(at, len(scores) - 1)])


def _worth_of_clusters(which: Indices, true: Floats, one: Floats, clusters: Column, bins: int) -> Floats:
    """Return the effective number of independent rows of a bin, given its clusters."""
    total = sums_by(which, one, bins)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = sums_by(which, one * true, bins) / total
        squares, number = between_clusters(one * (true - share[which]), which, clusters, bins)
        worth = share * (1 - share) * total**2 / (squares * number / (number - 1))
    known = np.isfinite(worth) & (number > 1) & (squares > NOTHING * total**2)  # below it, squares are rounding
    return np.where(known, worth, number)


def shared_clusters(score: ArrayLike, bins: int = BINS, **more: Unpack[Worth]) -> Floats:
    """Return by how much the bins of a reliability table may be correlated, (b, b), as they share clusters.

    With S clusters in two bins of K and L clusters it is at most S / sqrt(K L): 1 where everybody is in all bins, and 0
    where everybody is in one.

    Examples
    --------
    >>> shared_clusters([0.1, 0.2, 0.8, 0.9], bins=2, clusters=[0, 1, 0, 1]).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    >>> shared_clusters([0.1, 0.2, 0.8, 0.9], bins=2, clusters=[0, 0, 1, 1]).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    scores = np.asarray(score, dtype=np.float64)
    if not len(scores):
        return np.empty((0, 0))
    one, times = (
        np.ones(len(scores)) if part is None else np.asarray(part, dtype=np.float64)
        for part in (more.get("weight"), more.get("frequency"))
    )
    which = np.searchsorted(_equal_count(scores, times, bins), scores, side="left")
    _, own = np.unique(np.asarray(more["clusters"]), return_inverse=True)
    there = np.zeros((bins, int(own.max()) + 1))
    np.add.at(there, (which, own), one * times)
    found = (there[there.sum(axis=1) > 0] > 0).astype(np.float64)
    both, alone = found @ found.T, found.sum(axis=1)
    return np.asarray(both / np.sqrt(np.outer(alone, alone)))


def reliability_tables(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, **more: Unpack[Worth]
) -> list[Floats]:
    """Return the reliability table of each group."""
    if all(part is None for part in more.values()):
        ordered = order_scores(y_true, score, codes, n_groups)
        return [bins_of(group, ordered, BINS) for group in range(n_groups)]
    true, scores, groups = np.asarray(y_true), np.asarray(score, dtype=np.float64), np.asarray(codes)
    order, edges = np.argsort(groups, kind="stable"), np.cumsum(rows_by(groups, n_groups))[:-1]
    given = {what: np.asarray(part) for what, part in more.items() if part is not None}
    return [
        reliability(true[rows], scores[rows], BINS, **{what: part[rows] for what, part in given.items()})
        for rows in np.split(order, edges)
    ]
