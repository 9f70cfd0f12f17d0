"""Counts of truth x decision by group: what every count metric is computed from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.errors import InputError, raise_all
from evenhand.metrics.counts.kernels import WORTH_IT, compiled
from evenhand.metrics.counts.sums import rows_by, sums_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from evenhand.metrics.counts.arrays import Column, Floats, Indices, Ints


FIELDS: Final = ("counts", "weights", "squared_weights", "moments", "clusters")
"""What a tally holds of each group."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tally:
    """Columnar counts, made in one pass over the rows. Adding two tallies of the same groups merges their rows.

    There are G groups and C classes; two classes, 0 and 1, by default.

    Examples
    --------
    >>> both = Tally.count([1, 1, 0], [1, 0, 0]) + Tally.count([1, 0, 0], [1, 1, 0])
    >>> both.counts[0].tolist()
    [[2, 1], [1, 2]]
    """

    counts: Ints
    """(G, C, C) rows of [group, truth, decision]."""
    weights: Floats | None = None
    """(G, C, C) sums of sampling weights; None when rows are not weighted."""
    squared_weights: Floats | None = None
    """(G, C, C) sums of squared sampling weights."""
    moments: Floats | None = None
    """(G, C*C, C*C) sums over clusters of v v', where v holds the cluster's cells; None when rows are independent."""
    clusters: Ints | None = None
    """(G,) the number of clusters with a row in the group."""
    shared: int = 0
    """By how many all groups' clusters are more than there are: 0 where each has rows in one group only. Of some of the
    groups that were counted it is that of all."""
    threshold: float | None = None
    """The probability from which on rows were decided positive; None where they were decided otherwise."""

    def __repr__(self) -> str:
        groups, classes = self.counts.shape[:2]
        weighted = "" if self.weights is None else ", weighted"
        return f"Tally of {int(self.counts.sum()):,} rows: {groups:,} groups, {classes:,} classes{weighted}"

    @classmethod
    def count(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        codes: ArrayLike | None = None,
        n_groups: int = 1,
        sample_weight: ArrayLike | None = None,
        frequency: ArrayLike | None = None,
        clusters: ArrayLike | None = None,
        n_classes: int = 2,
        squared_weight: ArrayLike | None = None,
        threshold: float | None = None,
    ) -> Tally:
        """Count rows.

        Parameters
        ----------
        y_true, y_pred : (n,) arrays of classes, 0 to C - 1
        codes : (n,) integer array, optional
            The group of each row, from 0; one group of all rows when absent.
        n_groups : int
            The number of groups G.
        sample_weight : (n,) array, optional
            Sampling weights, finite and at least 0.
        frequency : (n,) array, optional
            The number of rows that each row represents: counts of a table of counts, exact up to 2**63.
        clusters : (n,) integer array, optional
            The cluster of each row, from 0: the same person many times, a household. Rows of a cluster are similar, so
            there is less to learn from them than from as many rows apart.
        n_classes : int
            The number of classes C.
        squared_weight : (n,) array, optional
            Sums of squared weights, with sums of weights as `sample_weight` and a `frequency`.
        threshold : float, optional
            The probability from which on rows were decided positive, where they were.

        Raises
        ------
        InputError
            When lengths differ, values are not classes, codes are out of range, or weights are not usable.
        """
        true, predicted = np.asarray(y_true), np.asarray(y_pred)
        groups = None if codes is None else np.asarray(codes)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        raise_all(InputError, _problems(true, predicted, groups, n_groups, weight, n_classes))
        shape, cells = (n_groups, n_classes, n_classes), n_groups * n_classes**2
        if weight is None and frequency is None and clusters is None:
            return cls(count_cells((groups, true, predicted), shape), threshold=threshold)
        cell = np.zeros(true.shape, dtype=np.intp) if groups is None else groups.astype(np.intp)
        for part in (true, predicted):
            cell *= n_classes
            cell += part.astype(np.intp, copy=False)
        if frequency is not None:
            exact = np.zeros(cells, dtype=np.int64)
            np.add.at(exact, cell, np.asarray(frequency, dtype=np.int64))
            if weight is None or squared_weight is None:
                return cls(exact.reshape(shape), threshold=threshold)
            summed = (sums_by(cell, np.asarray(part), cells).reshape(shape) for part in (weight, squared_weight))
            return cls(exact.reshape(shape), next(summed), next(summed), threshold=threshold)
        found = cls(np.bincount(cell, minlength=cells).reshape(shape).astype(np.int64), threshold=threshold)
        if weight is not None:
            sums, squares = (sums_by(cell, part, cells).reshape(shape) for part in (weight, weight * weight))
            found = replace(found, weights=sums, squared_weights=squares)
        if clusters is None:
            return found
        moments, number, there = _moments(cell, np.asarray(clusters), weight, n_groups, n_classes**2)
        return replace(found, moments=moments, clusters=number, shared=int(number.sum()) - there)

    def __add__(self, other: Tally) -> Tally:
        """Merge the rows of two tallies over the same groups; no cluster has rows in both."""
        if self.counts.shape != other.counts.shape or (self.weights is None) != (other.weights is None):
            raise InputError("Only tallies of the same groups, both weighted or both not, can be added.")
        return Tally(
            self.counts + other.counts,
            _sum(self.weights, other.weights),
            _sum(self.squared_weights, other.squared_weights),
            _sum(self.moments, other.moments),
            None if self.clusters is None or other.clusters is None else self.clusters + other.clusters,
            self.shared + other.shared,
            self.threshold if self.threshold == other.threshold else None,
        )

    def overall(self) -> Tally:
        """Return the tally of all groups together, as one group."""
        return self.select(np.zeros(len(self.counts), dtype=np.intp), 1)

    def select(self, new_groups: Indices, n_groups: int) -> Tally:
        """Return the tally in which group g has become group ``new_groups[g]``; groups merged so are summed.

        A cluster with rows in several of the merged groups counts as several; count the rows again where that matters.
        """

        def merge(cells: NDArray[Any] | None) -> NDArray[Any] | None:
            if cells is None:
                return None
            out = np.zeros((n_groups, *cells.shape[1:]), dtype=cells.dtype)
            np.add.at(out, new_groups, cells)
            return out

        return self.each(merge)

    def each(self, change: Callable[[NDArray[Any] | None], NDArray[Any] | None]) -> Tally:
        """Return the tally with the same change, along groups, made to all that is counted."""
        parts = (change(getattr(self, name)) for name in FIELDS)
        return replace(Tally(*parts), shared=self.shared, threshold=self.threshold)  # type: ignore[arg-type]  # counts are never None

    def rest(self) -> Tally:
        """Return for each group the tally of the rows of all others.

        What a cluster has in one of them times what it has in another is not kept. The square of a sum of m parts is at
        most m times their squares: with m the groups that a cluster is in on average.
        """
        rest = self.each(lambda cells: None if cells is None else cells.sum(axis=0)[None] - cells)
        if rest.moments is None or self.clusters is None or not self.shared:
            return rest
        total = int(self.clusters.sum())
        parts = min(total / max(total - self.shared, 1), len(self.counts) - 1)
        return replace(rest, moments=rest.moments * max(parts, 1.0))

    def turned(self) -> Tally:
        """Return the tally in which 0 and 1 have changed places, in the truth and in the decision."""
        return self.collapse(np.eye(4, dtype=np.int64)[::-1])

    def one_vs_rest(self, chosen: int) -> Tally:
        """Return the tally of two classes: one class, as 1, against all others."""
        other = np.eye(self.classes, dtype=np.int64)[chosen]
        cells = [2 * int(true) + int(decided) for true in other for decided in other]
        return self.collapse(np.eye(4, dtype=np.int64)[cells])

    def agreement(self) -> Tally:
        """Return the tally in which a right decision is a true positive, and a wrong one a false negative."""
        cells = [3 if true == decided else 2 for true in range(self.classes) for decided in range(self.classes)]
        return self.collapse(np.eye(4, dtype=np.int64)[cells])

    def collapse(self, to: Ints) -> Tally:
        """Return the tally whose cells are sums of this one's; `to` (C*C, D*D) has a 1 where an old cell goes."""
        size = math.isqrt(to.shape[1])

        def fold(cells: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if cells is None else (cells.reshape(len(cells), -1) @ to).reshape(-1, size, size)

        moments = None if self.moments is None else np.einsum("gij,ik,jl->gkl", self.moments, to, to)
        counts, weights, squared = (fold(part) for part in (self.counts, self.weights, self.squared_weights))
        return Tally(counts, weights, squared, moments, self.clusters, self.shared)  # type: ignore[arg-type]  # counts are never None

    @property
    def mass(self) -> NDArray[Any]:
        """(G, C, C) rows, or sums of weights where rows are weighted."""
        return self.counts if self.weights is None else self.weights

    @property
    def classes(self) -> int:
        """The number of classes C."""
        return int(self.counts.shape[1])

    @property
    def rows(self) -> Ints:
        """(G,) rows of each group."""
        return np.asarray(self.counts.sum(axis=(1, 2)), dtype=np.int64)


CHUNK = 1 << 17
"""Rows counted at a time: their codes stay in the cache."""


def count_cells(parts: Sequence[Column | None], shape: tuple[int, ...], *, compiled_from: int = WORTH_IT) -> Ints:
    """Return counts of the combinations of codes, an array of `shape`; a part that is None is all zeros.

    Rows are taken in chunks, so that no array as long as the table is made; three columns of `compiled_from` rows or
    more are counted by a compiled loop, where numba is installed.
    """
    cells = int(np.prod(shape))
    rows = next(len(part) for part in parts if part is not None)
    if rows >= compiled_from and len(parts) == 3 and (kernel := compiled()) is not None:
        first, second, third = (np.zeros(1, np.int8) if part is None else part for part in parts)
        if len(first) == len(second) == len(third):
            return kernel(first, second, third, cells, shape[1], shape[2]).reshape(shape)
    kind = np.uint16 if cells <= 1 << 16 else np.int64
    total = np.zeros(cells, dtype=np.int64)
    # two arrays for all chunks: they stay in the cache, where new ones would push each other out
    cell, own = (np.empty(min(CHUNK, rows), dtype=kind) for _ in range(2))
    for start in range(0, rows, CHUNK):
        width = min(CHUNK, rows - start)
        _mix(parts, shape, slice(start, start + width), cell[:width], own[:width])
        found = np.bincount(cell[:width])
        total[: len(found)] += found
    return total.reshape(shape)


def _mix(
    parts: Sequence[Column | None], shape: tuple[int, ...], rows: slice, cell: NDArray[Any], own: NDArray[Any]
) -> None:
    """Write into `cell` the code of each row's combination, by way of `own`."""
    cells = int(np.prod(shape))
    cell[:] = 0 if parts[0] is None else parts[0][rows]
    for part, size in zip(parts[1:], shape[1:], strict=True):
        if size < cells:  # else it is the only size above 1, and might not fit
            cell *= cell.dtype.type(size)
        if part is not None:
            own[:] = part[rows]
            cell += own


def _moments(
    cell: Indices, clusters: Column, weight: Floats | None, n_groups: int, size: int
) -> tuple[Floats, Ints, int]:
    """Return the sums of v v' over clusters, v of `size` cells, and their number, for each group; and in all."""
    known, own = np.unique(clusters, return_inverse=True)
    number = int(own.max(initial=0)) + 1
    pairs, position = np.unique((cell // size) * number + own, return_inverse=True)
    one = np.ones(len(cell)) if weight is None else weight
    sums = sums_by(position * size + cell % size, one, size * len(pairs)).reshape(-1, size)
    group = pairs // number
    moments = np.zeros((n_groups, size, size))
    np.add.at(moments, group, sums[:, :, None] * sums[:, None, :])
    return moments, rows_by(group, n_groups), len(known)


def _sum(left: Floats | None, right: Floats | None) -> Floats | None:
    return None if left is None or right is None else left + right


def _only_classes(values: Column, classes: int) -> bool:
    """Whether whole numbers run from 0 to C - 1: a fast check before looking for other values."""
    if values.dtype == np.bool_ or not values.size:
        return True
    return values.dtype.kind in "iu" and bool(values.min() >= 0) and bool(values.max() < classes)


def _problems(
    true: Column, predicted: Column, groups: Column | None, n_groups: int, weight: Floats | None, n_classes: int
) -> Iterator[str]:
    given = {"y_true": true, "y_pred": predicted, "codes": groups, "sample_weight": weight}
    for name, values in given.items():
        if values is not None and values.shape != true.shape:
            yield f"{name} has shape {values.shape} and y_true {true.shape}; they must be equal."
            return
    for name, values in (("y_true", true), ("y_pred", predicted)):
        if _only_classes(values, n_classes):
            continue
        wrong = ~np.isin(values, np.arange(n_classes))
        if wrong.any():
            known = "0 and 1" if n_classes == 2 else f"classes 0 to {n_classes - 1}"
            yield f"{name} holds {values[wrong][0]!r}; a tally counts {known} only."
    if groups is not None and groups.size and (groups.min() < 0 or groups.max() >= n_groups):
        yield f"codes run from {groups.min()} to {groups.max()}; they must be 0 to {n_groups - 1}."
    if weight is not None and not (np.isfinite(weight).all() and (weight >= 0).all()):
        yield "sample_weight must be finite and at least 0 in every row."
