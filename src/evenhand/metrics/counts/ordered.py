"""Scores of every group in order, positives and negatives apart: sorted once, for areas, calibration and thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """Scores by group and truth, each part in increasing order."""

    negatives: tuple[Floats, ...]
    """(G,) the sorted scores of each group's negative rows."""
    positives: tuple[Floats, ...]
    """(G,) the sorted scores of each group's positive rows."""

    @property
    def rows(self) -> Ints:
        """(G,) rows of each group."""
        return np.array([len(n) + len(p) for n, p in zip(self.negatives, self.positives, strict=True)], dtype=np.int64)


def order_scores(y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1) -> Ordered:
    """Sort scores within group and truth.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
    score : (n,) array
    codes : (n,) integer array
        The group of each row.
    n_groups : int
        The number of groups G.
    """
    true, scores, groups = np.asarray(y_true), np.asarray(score, dtype=np.float64), np.asarray(codes)
    if n_groups == 1:  # only the truth is distinguished
        positive = true == 1
        return Ordered((np.sort(scores[~positive]),), (np.sort(scores[positive]),))
    kind = "int16" if n_groups < 1 << 14 else "int64"  # small whole numbers are sorted by their digits
    key = (2 * groups.astype(kind)).astype(kind) + (true == 1)
    scores = scores[np.argsort(key, kind="stable")]
    edges = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=2 * n_groups))])
    parts = [np.sort(scores[edges[at] : edges[at + 1]]) for at in range(2 * n_groups)]
    return Ordered(tuple(parts[::2]), tuple(parts[1::2]))


def placements(group: int, ordered: Ordered) -> tuple[Floats, Floats]:
    """Return the share of negatives that each positive outranks, and of positives that outrank each negative.

    Equal scores count half. Positives are looked up among the negatives once; how many are above each negative follows
    by counting.
    """
    negatives, positives = ordered.negatives[group], ordered.positives[group]
    below = np.searchsorted(negatives, positives, "left")
    upto = np.searchsorted(negatives, positives, "right")
    size = len(negatives) + 1
    reached = (np.bincount(below, minlength=size) + np.bincount(upto, minlength=size))[:-1].cumsum()
    return (below + upto) / (2 * len(negatives)), np.asarray(1 - reached / (2 * len(positives)), dtype=np.float64)


def bins_of(group: int, ordered: Ordered, bins: int) -> Floats:
    """Return a group's reliability table (b, 4), a row a bin of equal count: rows, mean score, positives, share."""
    negatives, positives = ordered.negatives[group], ordered.positives[group]
    everyone = np.sort(np.concatenate([negatives, positives]), kind="stable")  # two runs in order are only merged
    if not len(everyone):
        return np.empty((0, 4))
    at = np.ceil(np.arange(1, bins) / bins * len(everyone) - 1e-9).astype(np.int64) - 1
    edges = np.unique(everyone[np.maximum(at, 0)])
    ends, hits = (np.append(np.searchsorted(part, edges, "right"), len(part)) for part in (everyone, positives))
    sums = np.diff(np.concatenate([[0.0], np.concatenate([[0.0], np.cumsum(everyone)])[ends]]))
    rows, found = np.diff(ends, prepend=0), np.diff(hits, prepend=0)
    filled = rows > 0
    share = rows / len(everyone)
    return np.column_stack([part[filled] for part in (rows, sums / np.maximum(rows, 1), found, share)])


def counts_of(ordered: Ordered, edges: Floats) -> Ints:
    """Return counts (G, 2, B + 1) of [group, truth, how many of the B increasing edges the score reaches]."""
    out = np.empty((len(ordered.positives), 2, len(edges) + 1), dtype=np.int64)
    for group, parts in enumerate(zip(ordered.negatives, ordered.positives, strict=True)):
        for truth, scores in enumerate(parts):
            reached = np.concatenate([[0], np.searchsorted(scores, edges, "left"), [len(scores)]])
            out[group, truth] = np.diff(reached)
    return out
