"""All slices of rows by up to three features at once, counted with one bincount a combination of features."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.counts.sums import rows_by, sums_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats, Indices, Ints, Marks

MOST_COMBINATIONS: Final = 30_000
"""Combinations of features above which the search goes one feature less deep."""
LEAST_EFFECTIVE: Final = 15
"""Rows of a slice at least, by what they are worth: rows of one person, or of unequal weight, are worth less."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What is searched."""

    codes: Sequence[NDArray[np.int32]]
    """(n,) codes of each feature, from 0."""
    sizes: Sequence[int]
    """The number of codes of each feature."""
    marks: Marks
    """(n,) what is counted, such as errors."""
    weight: Floats | None = None
    """(n,) sampling weights; None where rows do not differ."""
    clusters: Ints | None = None
    """(n,) what belongs together, from 0; None where rows are independent."""
    group: Marks | None = None
    """(n,) which of two groups a row is of, where slices are compared by a gap; None where by a rate."""

    def __len__(self) -> int:
        return len(self.marks)

    @property
    def groups(self) -> int:
        """1 for a rate, 2 for a gap."""
        return 1 if self.group is None else 2

    @property
    def place(self) -> Indices:
        """(n,) the group of each row."""
        return np.zeros(len(self), dtype=np.intp) if self.group is None else self.group.astype(np.intp)

    @property
    def mass(self) -> Floats:
        """(n,) weights with a mean of 1."""
        return np.ones(len(self)) if self.weight is None else self.weight / self.weight.mean()

    @property
    def alike(self) -> bool:
        """Whether rows are independent, and each counts as one."""
        return self.weight is None and self.clusters is None

    def take(self, rows: Indices | Marks) -> Rows:
        """Return some of the rows, in that order."""
        weight = None if self.weight is None else self.weight[rows]
        group = None if self.group is None else self.group[rows]
        clusters = None if self.clusters is None else np.unique(self.clusters[rows], return_inverse=True)[1]
        codes = [part[rows] for part in self.codes]
        return Rows(codes, self.sizes, self.marks[rows], weight, clusters, group)


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows that have certain values in certain features."""

    features: tuple[int, ...]
    """Positions of the features, increasing."""
    values: tuple[int, ...]
    """The code of each."""
    rows: int
    """Rows in it."""
    marked: int
    """Rows in it that are marked."""
    z: float
    """How far it is worse than the other rows, in standard errors."""
    inflation: tuple[float, ...] = (1.0,)
    """(g,) the variance of its rate less that of the other rows, in terms of that of independent rows."""

    @property
    def share(self) -> float:
        """The share of marked rows."""
        return self.marked / self.rows

    def members(self, codes: Sequence[NDArray[np.int32]]) -> Marks:
        """Return which rows are in it."""
        inside = np.ones(len(codes[0]), dtype=bool)
        for feature, value in zip(self.features, self.values, strict=True):
            inside &= codes[feature] == value
        return inside


@dataclass(frozen=True, slots=True)
class Counted:
    """The slices of one combination of features that have enough rows: K of them, in g groups."""

    features: tuple[int, ...]
    cells: int
    """All codes of the combination."""
    kept: Indices
    """(K,) the codes of these slices."""
    rows: Ints
    """(g, K) rows."""
    marked: Ints
    """(g, K) marked rows."""
    mass: Floats
    """(g, K) sums of weights."""
    hits: Floats
    """(g, K) sums of weights of marked rows."""
    inflation: Floats
    """(g, K) the variance of a slice's rate less that of the other rows, in terms of that of independent rows."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all rows, (g,) each."""

    mass: Floats
    hits: Floats
    squares: Floats
    """Of squared weights."""
    together: Floats
    """Of squared sums of weights of clusters."""
    unequal: float
    """The variance of marked weights, in terms of that of as many marks that do not depend on the weights."""
    alike: float
    """The correlation of marks within clusters, in the same terms."""


def depth_of(features: int, depth: int) -> int:
    """Return the depth, less where there would be too many combinations."""
    while depth > 1 and combinations_of(features, depth) > MOST_COMBINATIONS:
        depth -= 1
    return depth


def combinations_of(features: int, depth: int) -> int:
    """Return the number of combinations of up to so many features."""
    return sum(comb(features, size) for size in range(1, depth + 1))


def crossed(
    codes: Sequence[Indices], sizes: Sequence[int], depth: int, start: Indices, starts: int
) -> Iterator[tuple[tuple[int, ...], Indices, int]]:
    """Yield every combination of up to `depth` features, the code of each row in it, and the number of codes.

    Codes begin with `start`, of which there are `starts`. What was crossed is crossed further, so a combination of
    three features costs one multiplication and one addition.
    """

    def further(before: tuple[int, ...], mixed: Indices, cells: int) -> Iterator[tuple[tuple[int, ...], Indices, int]]:
        for feature in range(before[-1] + 1 if before else 0, len(codes)):
            here = mixed * sizes[feature] + codes[feature]
            features, number = (*before, feature), cells * sizes[feature]
            yield features, here, number
            if len(features) < depth:
                yield from further(features, here, number)

    for features, mixed, cells in further((), start, starts):
        yield features, mixed, cells // starts


def counted(rows: Rows, totals: Totals, least: int, depth: int) -> Iterator[Counted]:
    """Yield the slices of each combination; those of fewer than `least` rows, or leaving fewer, are left out."""
    groups, place = rows.groups, rows.place
    codes = [part.astype(np.intp) for part in rows.codes]
    total = rows_by(place, groups)[:, None]
    for features, mixed, cells in crossed(codes, rows.sizes, depth, 2 * place + rows.marks, 2 * groups):
        counts = rows_by(mixed, 2 * groups * cells).reshape(groups, 2, cells)
        size = counts.sum(axis=1)
        kept = np.flatnonzero(((size >= least) & (total - size >= least)).all(axis=0))
        size, marked = size[:, kept], counts[:, 1, kept]
        mass, hits = size.astype(np.float64), marked.astype(np.float64)
        found = Counted(features, cells, kept, size, marked, mass, hits, np.ones(size.shape))
        yield found if rows.alike or not len(kept) else _worth(rows, totals, found, mixed)


def _worth(rows: Rows, totals: Totals, found: Counted, mixed: Indices) -> Counted:
    """Return the slices with their weights and the inflation of their variance, where enough rows are left by it."""
    groups, cells, kept = rows.groups, found.cells, found.kept
    mass = rows.mass
    by_mark = sums_by(mixed, mass, 2 * groups * cells).reshape(groups, 2, cells)[:, :, kept]
    weights, hits = by_mark.sum(axis=1), by_mark[:, 1]
    cell = rows.place * cells + mixed % cells
    squares = sums_by(cell, mass * mass, groups * cells).reshape(groups, cells)[:, kept]
    share = weights / totals.mass[:, None]
    own = (1 - 2 * share) * squares + share**2 * totals.squares[:, None]
    variance = totals.unequal * own
    if rows.clusters is not None and totals.alike > 0:
        within, with_all = _together(rows, cell, groups * cells)
        within, with_all = (part.reshape(groups, cells)[:, kept] for part in (within, with_all))
        pairs = within - 2 * share * with_all + share**2 * totals.together[:, None] - own
        variance = variance + totals.alike * pairs
    inflation = np.maximum(variance / (weights * (1 - share)), 1e-9)
    worth = np.minimum(weights, totals.mass[:, None] - weights) / np.maximum(inflation, 1.0)
    fit = (worth >= LEAST_EFFECTIVE).all(axis=0)
    counts, sums = (found.rows[:, fit], found.marked[:, fit]), (weights[:, fit], hits[:, fit], inflation[:, fit])
    return Counted(found.features, cells, kept[fit], *counts, *sums)


def _together(rows: Rows, cell: Indices, cells: int) -> tuple[Floats, Floats]:
    """Return (cells,) sums over clusters of their squared weight in the cell, and of that times their whole weight."""
    clusters, mass = rows.clusters, rows.mass
    assert clusters is not None  # called with clusters only
    number = int(clusters.max()) + 1
    if number * cells <= 8 * len(rows):
        inside = sums_by(clusters * cells + cell, mass, number * cells)
        within = (inside**2).reshape(number, cells).sum(axis=0)
    else:
        pairs, back = np.unique(clusters * cells + cell, return_inverse=True)
        within = sums_by(pairs % cells, sums_by(back, mass, len(pairs)) ** 2, cells)
    mine = clusters * rows.groups + rows.place
    whole = sums_by(mine, mass, number * rows.groups)
    return within, sums_by(cell, mass * whole[mine], cells)


def totals_of(rows: Rows) -> Totals:
    """Return the sums over all rows, and how far marks depend on weights and on clusters."""
    groups, place, mass = rows.groups, rows.place, rows.mass
    weights, hits = sums_by(place, mass, groups), sums_by(place, mass * rows.marks, groups)
    squares = sums_by(place, mass * mass, groups)
    if rows.alike:
        return Totals(weights, hits, squares, squares, 1.0, 0.0)
    rate = hits / np.maximum(weights, 1e-300)
    spread = np.sqrt(np.maximum(rate * (1 - rate), 1e-12))
    residual = mass * (rows.marks - rate[place]) / spread[place]
    unequal = max(float((residual**2).sum() / squares.sum()), 1e-9)
    if rows.clusters is None:
        return Totals(weights, hits, squares, squares, unequal, 0.0)
    mine = rows.clusters * groups + place
    number = groups * (int(rows.clusters.max()) + 1)
    whole = sums_by(mine, mass, number) ** 2
    pairs = float(whole.sum() - squares.sum())
    shared = float((sums_by(mine, residual, number) ** 2).sum() - (residual**2).sum())
    alike = float(np.clip(shared / pairs, 0, unequal)) if pairs > 0 else 0.0
    return Totals(weights, hits, squares, whole.reshape(-1, groups).sum(axis=0), unequal, alike)


def inflated(found: Slice, rows: Rows) -> tuple[float, ...]:
    """Return the inflation of the variance of a slice, no less than its own clusters and weights show.

    The search takes one correlation within clusters for all slices; a slice whose persons are more alike would be found
    by that, and is not.
    """
    if rows.alike:
        return found.inflation
    inside, mass, place = found.members(rows.codes), rows.mass, rows.place
    side = 2 * place + inside
    size, hits = (sums_by(side, values, 2 * rows.groups) for values in (mass, mass * rows.marks))
    smooth = (hits + 0.5) / (size + 1)
    part = mass * (rows.marks - (hits / size)[side]) / size[side] * np.where(inside, 1.0, -1.0)
    unit = np.arange(len(rows)) if rows.clusters is None else rows.clusters
    unit = unit * rows.groups + place
    sums = sums_by(unit, part, rows.groups * (int(unit.max()) // rows.groups + 1)).reshape(-1, rows.groups)
    held = np.bincount(unit[inside], minlength=sums.size).reshape(sums.shape) > 0
    many = np.maximum(held.sum(axis=0), 2)
    seen = (sums**2).sum(axis=0) * many / (many - 1)
    plain = (smooth * (1 - smooth) / size).reshape(-1, 2).sum(axis=1)
    return tuple(float(max(one, two)) for one, two in zip(found.inflation, seen / plain, strict=True))
