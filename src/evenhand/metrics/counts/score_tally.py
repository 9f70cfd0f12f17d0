"""Counts of truth by group and distinct score: what metrics of weighted or repeated scores are computed from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.metrics.counts.sums import sums_by

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from evenhand.metrics.counts.arrays import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTally:
    """Blocks of rows of one group and one score, by group and then by score."""

    group: Ints
    """(B,) the group of each block."""
    score: Floats
    """(B,) the score of each block."""
    counts: Ints
    """(B, 2) rows whose truth is negative and positive."""
    n_groups: int
    """The number of groups G."""
    weights: Floats | None = None
    """(B, 2) sums of sampling weights; None when rows are not weighted."""
    squared_weights: Floats | None = None
    """(B, 2) sums of squared sampling weights."""

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
            The number of rows that each row represents.
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

    @property
    def mass(self) -> Floats:
        """(B, 2) rows, or sums of weights, whose truth is negative and positive."""
        return self.counts.astype(np.float64) if self.weights is None else self.weights

    @property
    def squares(self) -> Floats:
        """(B, 2) what the variance of a sum over the rows of a block is in units of its rows' variance."""
        return self.counts.astype(np.float64) if self.squared_weights is None else self.squared_weights

    @property
    def rows(self) -> Ints:
        """(G, 2) rows of each group whose truth is negative and positive."""
        return self.total(self.counts).astype(np.int64)

    def total(self, parts: NDArray[Any]) -> Floats:
        """Return sums of blocks, (B,) or (B, 2), over each group."""
        if parts.ndim == 2:
            return np.stack([self.total(parts[:, at]) for at in range(parts.shape[1])], axis=1)
        return sums_by(self.group, parts, self.n_groups)

    def below(self, parts: Floats) -> Floats:
        """Return (B,) the sum over blocks of lower scores of the same group."""
        before = np.concatenate([[0.0], np.cumsum(parts)])
        first = np.searchsorted(self.group, np.arange(self.n_groups))
        return np.asarray(before[:-1] - before[first][self.group])
