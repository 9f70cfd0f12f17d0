"""The search: all slices are compared with the other rows, and those beyond what chance shows anywhere are found.

All rows are searched, and all rows say how much worse a slice is: the threshold allows for the search (`permuting`),
and so does what is stated of a slice (`effects`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.slices.lattice import Counted, Rows, Slice, counted, depth_of, inflated, totals_of
from evenhand.metrics.slices.permuting import maxima

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats, Marks
    from evenhand.metrics.slices.permuting import Chance, Statistic

NESTED: Final = 0.95
"""A slice with this much of its rows inside another is a part of it, whatever its words."""
ALIKE: Final = 0.8
"""Two slices that share this much of their union of rows are the same slice in other words."""
MOST_ALIKE: Final = 50
"""How many slices are looked at for each that is returned."""
LEAST_Z: Final = 2.0
"""Slices below it are not candidates, whatever the number of tests."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was searched, and what was found."""

    slices: tuple[Slice, ...]
    """Those beyond the threshold, the strongest first, none of them another in other words."""
    rows: int
    """How many rows."""
    tested: int
    """Slices with enough rows."""
    depth: int
    """Features crossed at most."""
    threshold: float
    """The z that a slice must be above."""
    alpha: float = 0.025
    """The chance that any slice is found if none is worse in truth."""
    folded: int = 0
    """Slices that add nothing to a stronger one: parts of it at no other rate, or the same rows in other words."""
    chance: Chance | None = None
    """What permutations show, which the threshold is from; None where no slice looks worse at all."""


def find_slices(
    rows: Rows, *, least_rows: int, alpha: float = 0.025, depth: int = 3, most: int = 20, seed: int = 0
) -> Search:
    """Return the slices whose share of marked rows is above that of the others.

    Parameters
    ----------
    rows : Rows
        Features, and what is counted; of one group, or of two and a gap is wider than elsewhere.
    least_rows : int
        Slices with fewer rows, or leaving fewer, are not looked at.
    alpha : float
        The chance that any slice is found if none is worse in truth.
    depth : int
        Features crossed at most; one less where there would be too many combinations.
    most : int
        Slices returned at most.
    seed : int
        Of the permutations.
    """
    statistic, depth = (weaker if rows.group is None else wider), depth_of(len(rows.codes), depth)
    tested, candidates = scan(rows, statistic, least_rows, depth)
    if not candidates:
        return Search((), len(rows), tested, depth, np.inf, alpha)
    chance = maxima(rows, statistic, least_rows, depth, alpha, seed)
    threshold = max(chance.beyond(alpha), LEAST_Z)
    held = _strongest(candidates, threshold)
    if not rows.alike:
        held = _strongest([_checked(part, rows) for part in held[: most * MOST_ALIKE]], threshold)
    kept = tuple(distinct(held, rows.codes, most))
    return Search(kept, len(rows), tested, depth, threshold, alpha, len(held) - len(kept), chance)


def _strongest(slices: list[Slice], threshold: float) -> list[Slice]:
    return sorted((part for part in slices if part.z > threshold), key=lambda part: (-part.z, part.features))


def _checked(found: Slice, rows: Rows) -> Slice:
    """Return a slice with the z that its own clusters and weights leave of it."""
    own = inflated(found, rows)
    # of a gap the two groups' variances are not known apart here: the greater inflation counts
    kept = min(before / after for before, after in zip(found.inflation, own, strict=True))
    return replace(found, z=found.z * sqrt(kept), inflation=own)


def scan(rows: Rows, statistic: Statistic, least: int, depth: int) -> tuple[int, list[Slice]]:
    """Return how many slices have enough rows, and those that are candidates."""
    totals, tested, found = totals_of(rows), 0, []
    for part in counted(rows, totals, least, depth):
        tested += len(part.kept)
        z = statistic(part.hits, part, totals.hits, totals.mass)
        shape = tuple(rows.sizes[feature] for feature in part.features)
        size, marked = part.rows.sum(axis=0), part.marked.sum(axis=0)
        for at in np.flatnonzero(z > LEAST_Z):
            place = tuple(int(value) for value in np.unravel_index(part.kept[at], shape))
            inflation = tuple(part.inflation[:, at].tolist())
            found.append(Slice(part.features, place, int(size[at]), int(marked[at]), float(z[at]), inflation))
    return tested, found


def weaker(marked: Floats, part: Counted, hits: Floats, mass: Floats) -> Floats:
    """Return the signed root of the deviance of a slice having the rate of the other rows, in standard errors.

    Of a small slice and a rare outcome it is nearer to the normal than the difference over its standard error, which
    chance makes great there, and which then sets the threshold for all others.
    """
    inside, size, inflation = marked[..., 0, :], part.mass[0], part.inflation[0]
    total, n = hits[..., 0, None], float(mass[0])
    left, rate = n - size, total / n
    with np.errstate(invalid="ignore", divide="ignore"):
        z: Floats = (inside - size * rate) / np.sqrt(rate * (1 - rate) * size * left / n * inflation)
    z = np.nan_to_num(z)
    far = z > LEAST_Z
    if not far.any():
        return z
    at = np.nonzero(far)
    slices, events, p = at[-1], inside[at], np.broadcast_to(rate, z.shape)[at]
    tables = ((events, size[slices]), (np.broadcast_to(total, z.shape)[at] - events, left[slices]))
    z[at] = np.sqrt(_deviance(tables, p) / inflation[slices])
    return z


def _deviance(tables: Iterable[tuple[Floats, Floats]], rate: Floats) -> Floats:
    """Return twice the log likelihood of events among rows having rates of their own, to that of one rate."""
    from scipy.special import xlogy

    found: Floats = np.zeros(len(rate))
    for events, rows in tables:
        others = np.maximum(rows - events, 0.0)
        found += xlogy(events, events / (rows * rate)) + xlogy(others, others / (rows * (1 - rate)))
    return np.asarray(np.maximum(2 * found, 0.0))


def wider(marked: Floats, part: Counted, hits: Floats, mass: Floats) -> Floats:
    """Return by how many standard errors the gap of a slice, group 1 less group 0, is above that of the other rows."""
    size, rest = part.mass, mass[:, None] - part.mass
    outside = hits[..., None] - marked
    spread = sum(
        (smooth := (events + 0.5) / (rows + 1)) * (1 - smooth) / rows
        for events, rows in ((marked, size), (outside, rest))
    ) * part.inflation  # fmt: skip
    more = marked / size - outside / rest
    return np.asarray(np.nan_to_num((more[..., 1, :] - more[..., 0, :]) / np.sqrt(spread.sum(axis=-2))))


def distinct(candidates: list[Slice], codes: Sequence[NDArray[np.int32]], most: int) -> Iterator[Slice]:
    """Yield the strongest slices, without those of nearly the same rows."""
    kept: list[tuple[Slice, Marks]] = []
    for candidate in candidates[: most * MOST_ALIKE]:
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
