"""Slices of rows by up to three features at once, counted with one bincount a combination of features.

Works on arrays: features are codes, and a 0/1 mark (such as an error) is counted. The search and its false discoveries
are in `find_slices`; `confirm` checks a slice on other rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.comparisons.significance import holm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats, Indices, Ints, Marks

MOST_COMBINATIONS: Final = 30_000
"""Combinations of features above which the search goes one feature less deep."""
FALSE_DISCOVERIES: Final = 0.10
"""The share of false discoveries among candidates (Benjamini and Hochberg 1995); confirmation is stricter."""
NESTED: Final = 0.95
"""A slice with this much of its rows inside another is a part of it, whatever its words."""
ALIKE: Final = 0.8
"""Two slices that share this much of their union of rows are the same slice in other words."""


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
    """How many standard errors its share of marks is above that of the other rows."""

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
class Search:
    """What was searched, and what was found."""

    slices: tuple[Slice, ...]
    """Candidates, the strongest first, none of them another in other words."""
    tested: int
    """Slices with enough rows."""
    depth: int
    """Features crossed at most."""
    folded: int = 0
    """Candidates that add nothing to a stronger one: parts of it at no other rate, or the same rows in other words."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A slice on rows that took no part in finding it."""

    found: Slice
    """As it was found."""
    counts: Ints
    """(2, 2): [rest, slice] x [not marked, marked] rows."""
    p: float
    """Fisher's exact one-sided p-value, adjusted for all candidates (Holm 1979)."""


def find_slices(
    codes: Sequence[NDArray[np.int32]],
    sizes: Sequence[int],
    marks: Marks,
    *,
    least_rows: int,
    depth: int = 3,
    most: int = 20,
) -> Search:
    """Return the slices whose share of marked rows is above that of the others.

    Parameters
    ----------
    codes : sequence of (n,) integer arrays
        One a feature, from 0.
    sizes : sequence of int
        The number of codes of each feature.
    marks : (n,) boolean array
        What is counted.
    least_rows : int
        Slices with fewer rows, or leaving fewer, are not looked at.
    depth : int
        Features crossed at most; one less where there would be too many combinations.
    most : int
        Slices returned at most.
    """
    while depth > 1 and sum(comb(len(codes), size) for size in range(1, depth + 1)) > MOST_COMBINATIONS:
        depth -= 1
    found: list[Slice] = []
    values: list[Floats] = []
    marked, total = marks.astype(np.intp), int(marks.sum())
    for features, mixed, cells in crossed([2 * part.astype(np.intp) for part in codes], sizes, depth):
        slices, z = _cells(mixed + marked, cells, sizes, len(marks), total, features, least_rows)
        values.append(z)
        found += slices
    return searched(found, values, codes, depth, most)


def searched(
    found: list[Slice], values: list[Floats], codes: Sequence[NDArray[np.int32]], depth: int, most: int
) -> Search:
    """Return the search that found slices among all that were tested, by the `values` of z of each combination."""
    z = np.concatenate([np.empty(0), *values])
    threshold = threshold_of(z)
    candidates = sorted((part for part in found if part.z >= threshold), key=lambda part: (-part.z, part.features))
    kept = tuple(distinct(candidates, codes, most))
    return Search(kept, len(z), depth, len(candidates) - len(kept))


def confirm(slices: Sequence[Slice], codes: Sequence[NDArray[np.int32]], marks: Marks) -> list[Confirmed]:
    """Return each slice on other rows, with an exact p-value that is adjusted for the number of slices."""
    from scipy.stats import hypergeom

    counted, p = [], []
    for found in slices:
        inside = found.members(codes)
        counts = np.array([[np.sum(where & ~marks), np.sum(where & marks)] for where in (~inside, inside)])
        counted.append(counts.astype(np.int64))
        p.append(float(hypergeom.sf(counts[1, 1] - 1, len(marks), marks.sum(), inside.sum())))
    return [Confirmed(*parts) for parts in zip(slices, counted, holm(np.array(p)).tolist(), strict=True)]


def crossed(
    codes: Sequence[Indices], sizes: Sequence[int], depth: int
) -> Iterator[tuple[tuple[int, ...], Indices, int]]:
    """Yield every combination of up to `depth` features, the code of each row in it, and the number of codes.

    What was crossed is crossed further, so a combination of three features costs one multiplication and one addition.
    """

    def further(
        before: tuple[int, ...], mixed: Indices | None, cells: int
    ) -> Iterator[tuple[tuple[int, ...], Indices, int]]:
        for feature in range(before[-1] + 1 if before else 0, len(codes)):
            here = codes[feature] if mixed is None else mixed * sizes[feature] + codes[feature]
            features, number = (*before, feature), cells * sizes[feature]
            yield features, here, number
            if len(features) < depth:
                yield from further(features, here, number)

    yield from further((), None, 1)


def _cells(
    marked_codes: Indices,
    cells: int,
    sizes: Sequence[int],
    n: int,
    total: int,
    features: tuple[int, ...],
    least_rows: int,
) -> tuple[list[Slice], Floats]:
    """Return the slices of one combination that are above the rest, and z of all that have enough rows.

    Codes are twice the cell, and one more where the row is marked: one count gives both.
    """
    counts = np.bincount(marked_codes, minlength=2 * cells).reshape(cells, 2)
    rows, marked = counts.sum(axis=1), counts[:, 1]
    kept = np.flatnonzero((rows >= least_rows) & (n - rows >= least_rows))
    inside, hits = rows[kept], marked[kept]
    spread = np.sqrt(total / n * (1 - total / n) * (1 / inside + 1 / (n - inside)))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.nan_to_num((hits / inside - (total - hits) / (n - inside)) / spread)
    shape = tuple(sizes[feature] for feature in features)
    return [
        Slice(
            features,
            tuple(int(value) for value in np.unravel_index(kept[at], shape)),
            int(inside[at]),
            int(hits[at]),
            float(z[at]),
        )
        for at in np.flatnonzero(z > LEAST_Z)
    ], z


LEAST_Z: Final = 2.0
"""Slices below it are not candidates, whatever the number of tests."""


def threshold_of(z: Floats) -> float:
    """Return the z from which slices are candidates at the tolerated share of false discoveries."""
    from scipy.special import ndtr

    if not len(z):
        return np.inf
    ordered = np.sort(z)[::-1]
    within = ndtr(-ordered) <= FALSE_DISCOVERIES * np.arange(1, len(ordered) + 1) / len(ordered)
    return float(max(ordered[np.flatnonzero(within)[-1]], LEAST_Z)) if within.any() else np.inf


def distinct(candidates: list[Slice], codes: Sequence[NDArray[np.int32]], most: int) -> Iterator[Slice]:
    """Yield the strongest slices, without those of nearly the same rows."""
    kept: list[tuple[Slice, Marks]] = []
    for candidate in candidates[: most * 50]:
        if len(kept) == most:
            return
        inside = candidate.members(codes)
        if not any(_same(candidate, inside, other, rows) for other, rows in kept):
            kept.append((candidate, inside))
            yield candidate


def _same(one: Slice, rows: Marks, other: Slice, others: Marks) -> bool:
    """Whether `one` adds nothing to `other`: much the same rows, or a part (or the whole) of it at no other rate."""
    shared = int(np.sum(rows & others))
    if shared >= ALIKE * int(np.sum(rows | others)):
        return True
    if shared < NESTED * min(one.rows, other.rows):
        return False
    small, large = (one, other) if one.rows <= other.rows else (other, one)
    spread = np.sqrt(max(large.share * (1 - large.share), 1e-9) / small.rows)
    if small is one:  # a part is worth naming only where it is worse than the whole
        return bool(small.share - large.share < 2 * spread)
    return bool(abs(small.share - large.share) < 2 * spread)
