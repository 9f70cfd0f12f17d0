"""Counts of truth x decision by group: what every count metric is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import InputError, raise_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Columnar counts, made in one pass over the rows. Adding two tallies of the same groups merges their rows."""

    counts: NDArray[np.int64]
    """(G, 2, 2) rows of [group, truth, decision]."""
    weights: NDArray[np.float64] | None = None
    """(G, 2, 2) sums of sampling weights; None when rows are not weighted."""
    squared_weights: NDArray[np.float64] | None = None
    """(G, 2, 2) sums of squared sampling weights."""

    @classmethod
    def count(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        codes: ArrayLike | None = None,
        n_groups: int = 1,
        sample_weight: ArrayLike | None = None,
        frequency: ArrayLike | None = None,
    ) -> Tally:
        """Count rows.

        Parameters
        ----------
        y_true, y_pred : (n,) arrays of 0 and 1
        codes : (n,) integer array, optional
            The group of each row, from 0; one group of all rows when absent.
        n_groups : int
            The number of groups G.
        sample_weight : (n,) array, optional
            Sampling weights, finite and at least 0.
        frequency : (n,) array, optional
            For how many rows each row stands: counts of a table of counts, exact up to 2**63.

        Raises
        ------
        InputError
            When lengths differ, values are other than 0 and 1, codes are out of range, or weights are not usable.
        """
        true, predicted = np.asarray(y_true), np.asarray(y_pred)
        groups = None if codes is None else np.asarray(codes)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        raise_all(InputError, _problems(true, predicted, groups, n_groups, weight))
        cell = np.zeros(true.shape, dtype=np.intp) if groups is None else groups.astype(np.intp)
        for part in (true, predicted):
            cell *= 2
            cell += part.astype(np.int8, copy=False)
        shape, cells = (n_groups, 2, 2), n_groups * 4
        if frequency is not None:
            exact = np.zeros(cells, dtype=np.int64)
            np.add.at(exact, cell, np.asarray(frequency, dtype=np.int64))
            return cls(exact.reshape(shape))
        counts = np.bincount(cell, minlength=cells).reshape(shape).astype(np.int64)
        if weight is None:
            return cls(counts)
        return cls(
            counts,
            np.bincount(cell, weights=weight, minlength=cells).reshape(shape).astype(np.float64),
            np.bincount(cell, weights=weight * weight, minlength=cells).reshape(shape).astype(np.float64),
        )

    def __add__(self, other: Tally) -> Tally:
        """Merge the rows of two tallies over the same groups."""
        if self.counts.shape != other.counts.shape or (self.weights is None) != (other.weights is None):
            raise InputError("Only tallies of the same groups, both weighted or both not, can be added.")
        return Tally(
            self.counts + other.counts,
            _sum(self.weights, other.weights),
            _sum(self.squared_weights, other.squared_weights),
        )

    def overall(self) -> Tally:
        """Return the tally of all groups together, as one group."""
        return self.select(np.zeros(len(self.counts), dtype=np.intp), 1)

    def select(self, new_groups: NDArray[np.intp], n_groups: int) -> Tally:
        """Return the tally in which group g has become group ``new_groups[g]``; groups merged so are summed."""

        def merge(cells: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
            out = np.zeros((n_groups, 2, 2))
            np.add.at(out, new_groups, cells)
            return out

        counts = merge(self.counts).astype(np.int64)  # exact: a float64 counts to 2**53
        if self.weights is None or self.squared_weights is None:
            return Tally(counts)
        return Tally(counts, merge(self.weights), merge(self.squared_weights))

    @property
    def rows(self) -> NDArray[np.int64]:
        """(G,) rows of each group."""
        return np.asarray(self.counts.sum(axis=(1, 2)), dtype=np.int64)


def _sum(left: NDArray[np.float64] | None, right: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    return None if left is None or right is None else left + right


def _only_0_and_1(values: NDArray[np.generic]) -> bool:
    """Whether whole numbers run from 0 to 1; asked before the slower question which value is another."""
    if values.dtype == np.bool_ or not values.size:
        return True
    return values.dtype.kind in "iu" and bool(values.min() >= 0) and bool(values.max() <= 1)


def _problems(
    true: NDArray[np.generic],
    predicted: NDArray[np.generic],
    groups: NDArray[np.generic] | None,
    n_groups: int,
    weight: NDArray[np.float64] | None,
) -> Iterator[str]:
    given = {"y_true": true, "y_pred": predicted, "codes": groups, "sample_weight": weight}
    for name, values in given.items():
        if values is not None and values.shape != true.shape:
            yield f"{name} has shape {values.shape} and y_true {true.shape}; they must be equal."
            return
    for name, values in (("y_true", true), ("y_pred", predicted)):
        if _only_0_and_1(values):
            continue
        wrong = ~np.isin(values, (0, 1))
        if wrong.any():
            yield f"{name} holds {values[wrong][0]!r}; a tally counts 0 and 1 only."
    if groups is not None and groups.size and (groups.min() < 0 or groups.max() >= n_groups):
        yield f"codes run from {groups.min()} to {groups.max()}; they must be 0 to {n_groups - 1}."
    if weight is not None and not (np.isfinite(weight).all() and (weight >= 0).all()):
        yield "sample_weight must be finite and at least 0 in every row."
