"""Counts of truth by group and score: what every metric of scores is computed from; exact, or in bins.

A tally of distinct scores loses nothing. In bins of one width it stays small whatever the number of rows, shards of it
add up, and what it can be wrong by is known: `auc_bound` for the area, a quarter of the squared width for Brier's
score.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from evenhand.errors import InputError
from evenhand.metrics.counts.sums import sums_by
from evenhand.metrics.counts.tally import count_cells

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

BINS: Final = 1_000
"""Bins of [0, 1] when nothing else is said."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTally:
    """Blocks of rows of one group and one score (or one bin of scores), by group and then by score."""

    group: NDArray[np.int64]
    """(B,) the group of each block."""
    score: NDArray[np.float64]
    """(B,) the score of each block; of a bin, the mean of its rows."""
    counts: NDArray[np.int64]
    """(B, 2) rows whose truth is negative and positive."""
    n_groups: int
    """The number of groups G."""
    weights: NDArray[np.float64] | None = None
    """(B, 2) sums of sampling weights; None when rows are not weighted."""
    squared_weights: NDArray[np.float64] | None = None
    """(B, 2) sums of squared sampling weights."""
    place: NDArray[np.int64] | None = None
    """(B,) the bin of each block, from 0; None when scores are exact."""
    width: float = 0.0
    """The width of a bin; 0 when scores are exact."""

    @classmethod
    def count(
        cls,
        y_true: ArrayLike,
        score: ArrayLike,
        codes: ArrayLike | None = None,
        n_groups: int = 1,
        sample_weight: ArrayLike | None = None,
        frequency: ArrayLike | None = None,
    ) -> ScoreTally:
        """Count rows by group and distinct score.

        Parameters
        ----------
        y_true : (n,) array of 0 and 1
        score : (n,) array, finite
        codes : (n,) integer array, optional
            The group of each row, from 0; one group of all rows when absent.
        n_groups : int
            The number of groups G.
        sample_weight : (n,) array, optional
            Sampling weights.
        frequency : (n,) array, optional
            For how many rows each row stands.
        """
        scores, true = np.asarray(score, dtype=np.float64), np.asarray(y_true) == 1
        group = np.zeros(len(scores), dtype=np.int64) if codes is None else np.asarray(codes)
        order = np.lexsort((scores, group)) if n_groups > 1 else np.argsort(scores, kind="stable")
        scores, group, true = scores[order], group[order].astype(np.int64), true[order]
        new = np.ones(len(scores), dtype=bool)
        new[1:] = (scores[1:] != scores[:-1]) | (group[1:] != group[:-1])
        cell, blocks = 2 * (np.cumsum(new) - 1) + true, int(new.sum())

        def summed(values: Floats) -> Floats:
            return sums_by(cell, values, 2 * blocks).reshape(-1, 2)

        if frequency is None:
            counts = np.bincount(cell, minlength=2 * blocks).astype(np.int64)
        else:
            counts = np.zeros(2 * blocks, dtype=np.int64)
            np.add.at(counts, cell, np.asarray(frequency, dtype=np.int64)[order])
        found = cls(group[new], scores[new], counts.reshape(-1, 2), n_groups)
        if sample_weight is None:
            return found
        weight = np.asarray(sample_weight, dtype=np.float64)[order]
        return replace(found, weights=summed(weight), squared_weights=summed(weight * weight))

    @classmethod
    def binned(
        cls,
        y_true: ArrayLike,
        score: ArrayLike,
        codes: ArrayLike | None = None,
        n_groups: int = 1,
        bins: int = BINS,
    ) -> ScoreTally:
        """Count probabilities in bins of equal width: one pass, no sort, and a size that does not grow with the rows.

        Raises
        ------
        InputError
            When a score lies outside [0, 1].
        """
        scores = np.asarray(score)
        if len(scores) and not (scores.min() >= 0 and scores.max() <= 1):
            raise InputError(f"Scores run from {scores.min()} to {scores.max()}; only probabilities are binned.")
        place = np.minimum((scores * bins).astype(np.int32), bins - 1)
        group = None if codes is None else np.asarray(codes)
        counts = count_cells((group, place, np.asarray(y_true)), (n_groups, bins, 2))
        cell = place if group is None else group.astype(np.int64) * bins + place
        sums = sums_by(cell, scores, n_groups * bins)
        filled = np.flatnonzero(counts.reshape(-1, 2).sum(axis=1))
        known = counts.reshape(-1, 2)[filled]
        mean = sums[filled] / known.sum(axis=1)
        return cls(filled // bins, mean, known, n_groups, place=filled % bins, width=1 / bins)

    def __add__(self, other: ScoreTally) -> ScoreTally:
        """Merge the rows of two tallies over the same groups; bins meet bins of the same width."""
        if self.n_groups != other.n_groups or self.width != other.width or self._weighted != other._weighted:
            raise InputError("Only tallies of the same groups, of the same bins, both weighted or not, can be added.")
        group = np.concatenate([self.group, other.group])
        score = np.concatenate([self.score, other.score])
        places = None if self.place is None or other.place is None else np.concatenate([self.place, other.place])
        place = score if places is None else places
        order = np.lexsort((place, group))
        new = np.ones(len(order), dtype=bool)
        new[1:] = (np.diff(place[order]) != 0) | (np.diff(group[order]) != 0)
        block = np.cumsum(new) - 1

        def merged(mine: NDArray[Any] | None, others: NDArray[Any] | None) -> NDArray[Any] | None:
            if mine is None or others is None:
                return None
            parts = np.concatenate([mine, others])[order]
            out = np.zeros((int(new.sum()), *parts.shape[1:]), dtype=parts.dtype)
            np.add.at(out, block, parts)
            return out

        counts = merged(self.counts, other.counts)
        assert counts is not None  # both tallies have counts
        rows = np.concatenate([self.counts, other.counts])[order].sum(axis=1)
        mean = sums_by(block, rows * score[order], len(counts)) / counts.sum(axis=1)
        return ScoreTally(
            group[order][new],
            mean if self.width else score[order][new],
            counts,
            self.n_groups,
            merged(self.weights, other.weights),
            merged(self.squared_weights, other.squared_weights),
            None if places is None else places[order][new],
            self.width,
        )

    @property
    def _weighted(self) -> bool:
        return self.weights is not None

    @property
    def mass(self) -> NDArray[np.float64]:
        """(B, 2) rows, or sums of weights, whose truth is negative and positive."""
        return self.counts.astype(np.float64) if self.weights is None else self.weights

    @property
    def squares(self) -> NDArray[np.float64]:
        """(B, 2) what the variance of a sum over the rows of a block is in units of its rows' variance."""
        return self.counts.astype(np.float64) if self.squared_weights is None else self.squared_weights

    @property
    def rows(self) -> NDArray[np.int64]:
        """(G, 2) rows of each group whose truth is negative and positive."""
        return self.total(self.counts).astype(np.int64)

    def total(self, parts: NDArray[Any]) -> NDArray[np.float64]:
        """Return sums of blocks, (B,) or (B, 2), over each group."""
        if parts.ndim == 2:
            return np.stack([self.total(parts[:, at]) for at in range(parts.shape[1])], axis=1)
        return sums_by(self.group, parts, self.n_groups)

    def below(self, parts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (B,) what lies in the blocks of lower scores of the same group."""
        before = np.concatenate([[0.0], np.cumsum(parts)])
        first = np.searchsorted(self.group, np.arange(self.n_groups))
        return np.asarray(before[:-1] - before[first][self.group])

    def edges(self) -> NDArray[np.float64]:
        """Return the lower edges of the bins: the thresholds at which binned decisions are exact."""
        if not self.width:
            return np.unique(self.score)
        return np.asarray(np.arange(round(1 / self.width)) * self.width, dtype=np.float64)

    def at_thresholds(self, edges: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return counts (G, 2, T + 1) of [group, truth, how many of the T increasing `edges` the score reaches]."""
        # the middle of a bin lies safely on its own side of its edges
        lower = self.score if self.place is None else (self.place + 0.5) * self.width
        reached = np.searchsorted(edges, lower, side="right")
        out = np.zeros((self.n_groups, len(edges) + 1, 2), dtype=np.int64)
        np.add.at(out, (self.group, reached), self.counts)
        return out.transpose(0, 2, 1)


def auc_bound(tally: ScoreTally) -> NDArray[np.float64]:
    """Return (G,) how far the area from bins can lie from that of the scores: half the pairs that share a bin.

    0 for exact scores: there pairs of one score count half by definition.
    """
    if not tally.width:
        return np.zeros(tally.n_groups)
    total = tally.total(tally.mass)
    with np.errstate(invalid="ignore", divide="ignore"):
        shared: Floats = tally.total(tally.mass.prod(axis=1)) / 2
        return shared / (total[:, 0] * total[:, 1])
