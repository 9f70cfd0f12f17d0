"""What the strongest of all slices would show by chance: outcomes permuted, and every slice counted again.

The threshold that a slice must be above is a quantile of these maxima, so that any false slice is as rare as stated
over all slices that were searched (Westfall and Young 1993). Outcomes of a person stay together: the rows of each get
the outcomes of another person with about as many rows, in their order. Weights stay with the rows, and outcomes go to
rows of about the same weight, so that what depends on the weight still does.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.slices.lattice import Counted, Rows, combinations_of, counted, crossed, totals_of
from evenhand.metrics.slices.tables import kinds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from evenhand.metrics.counts.arrays import Floats, Indices, Ints, Marks

    Statistic: TypeAlias = Callable[[Floats, Counted, Floats, Floats], Floats]
    """From sums of marked weights (..., g, K), the slices, and totals of marked weights (..., g) and of weights (g,):
    how far each slice is worse than the other rows (..., K)."""

DRAWS: Final = 399
"""Permutations, where they are not too costly."""
FEWEST: Final = 5
"""Permutations at or beyond the threshold, at least."""
BUDGET: Final = 100_000_000
"""Outcomes that are counted in all permutations together, at most: seconds. Above it fewer permutations are drawn, and
where those are too many, some of the rows are."""
LEAST_ROWS: Final = 2_000
"""Rows that are drawn at least, if there are as many."""
BATCH: Final = 100_000
"""Outcomes counted at once: what fits a cache."""
BLOCKS: Final = 10
"""Classes of rows or persons by weight, among which outcomes are exchanged."""


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """What chance shows."""

    greatest: Floats
    """(draws,) the greatest statistic of any slice, sorted."""
    rows: int
    """The rows that were permuted: all, or some where that is too costly."""

    def beyond(self, alpha: float) -> float:
        """Return the value beyond which p is at most `alpha`."""
        return float(self.greatest[-int(alpha * (len(self.greatest) + 1) + 1e-9)])

    def p(self, value: float) -> float:
        """Return the chance of any slice with as great a value."""
        above = len(self.greatest) - int(np.searchsorted(self.greatest, value))
        return (1 + above) / (1 + len(self.greatest))


def draws_for(alpha: float, work: float) -> int:
    """Return how many permutations are drawn for a chance of error, where each costs so much."""
    fewest = ceil(FEWEST / alpha - 1e-9) - 1
    return max(fewest, DRAWS if work * DRAWS <= BUDGET else 0)


def maxima(rows: Rows, statistic: Statistic, least: int, depth: int, alpha: float, seed: int) -> Chance:
    """Return the greatest statistic over all slices in each permutation of the outcomes."""
    rng = np.random.default_rng([seed, 7])
    sampled, share, units, outcomes, draws = _chosen(rows, combinations_of(len(rows.codes), depth), alpha, rng)
    totals = totals_of(sampled)
    held = list(counted(sampled, totals, max(ceil(least * share), min(least, 15)), depth))
    by_group = units.mass[:, None] * (units.place[:, None] == np.arange(units.groups))
    best = np.full(draws, -np.inf)
    start = 0
    for permuted in outcomes:
        found = _counted_again(units, permuted, held, depth)
        hits = permuted @ by_group
        part = best[start : start + len(permuted)]
        for slices, marked in found:
            if len(slices.kept):
                np.maximum(part, statistic(marked, slices, hits, totals.mass).max(axis=1), out=part)
        start += len(permuted)
    return Chance(np.sort(best), len(sampled))


def _chosen(
    rows: Rows, combinations: int, alpha: float, rng: np.random.Generator
) -> tuple[Rows, float, Rows, Iterator[Marks | Ints], int]:
    """Return the rows and their share of all, what outcomes are of, the permuted outcomes, and how many permutations.

    Outcomes are of rows, or where rows are of few kinds numbers of marked rows of each kind.
    """
    kinds = kinds_of(rows)
    if kinds is not None:
        draws = draws_for(alpha, len(kinds) * combinations)
        return rows, 1.0, rows.take(kinds.first), kinds.tables(draws, rng), draws
    work = _fewer(rows) * combinations + len(rows)
    draws = draws_for(alpha, work)
    sampled, share = _sampled(rows, min(BUDGET / (work * draws), 1.0), rng)
    return sampled, share, sampled, _permuted(sampled, draws, rng), draws


def _fewer(rows: Rows) -> int:
    """Return how many outcomes are counted: of marked rows, or of the others where those are fewer."""
    return max(int(min(rows.marks.sum(), (~rows.marks).sum())), 1)


def _sampled(rows: Rows, share: float, rng: np.random.Generator) -> tuple[Rows, float]:
    """Return a share of the rows, persons as a whole, and what share it is; slices are fewer rows in it."""
    share = max(share, LEAST_ROWS / len(rows))
    if share >= 1:
        return rows, 1.0
    units = np.arange(len(rows)) if rows.clusters is None else rows.clusters
    drawn = rng.random(int(units.max()) + 1) < share
    return rows.take(np.flatnonzero(drawn[units])), share


def _counted_again(
    rows: Rows, outcomes: Marks | Ints, held: list[Counted], depth: int
) -> Iterator[tuple[Counted, Floats]]:
    """Yield the slices of each combination, with their sums of marked weights (draws, g, K) of permuted outcomes."""
    draws, groups, single = len(outcomes), rows.groups, outcomes.dtype == np.bool_
    turned = single and outcomes.mean() > 0.5  # the fewer of marked rows and others are counted
    draw, row = np.nonzero(outcomes != turned)
    codes = [part[row].astype(np.intp) for part in rows.codes]
    weight = outcomes[draw, row] if not single else None if rows.weight is None else rows.mass[row]
    start = draw * groups + rows.place[row]
    for slices, (_, mixed, cells) in zip(held, crossed(codes, rows.sizes, depth, start, draws * groups), strict=True):
        if not len(slices.kept):
            continue
        sums = _sums(mixed, weight, draws * groups, cells, slices.kept).reshape(draws, groups, -1)
        yield slices, (slices.mass - sums if turned else sums)


def _sums(mixed: Indices, weight: Floats | Marks | Ints | None, tables: int, cells: int, kept: Indices) -> Floats:
    """Return (tables, K) sums in the cells that are kept; of many cells only those are counted, to spare memory."""
    if tables * cells <= 10 * BATCH:
        return np.bincount(mixed, weight, tables * cells).reshape(tables, cells)[:, kept].astype(np.float64)
    column = np.full(cells, len(kept))
    column[kept] = np.arange(len(kept))
    columns = len(kept) + 1
    found = np.bincount(mixed // cells * columns + column[mixed % cells], weight, tables * columns)
    return found.reshape(tables, columns)[:, :-1].astype(np.float64)


def _permuted(rows: Rows, draws: int, rng: np.random.Generator) -> Iterator[Marks]:
    """Yield permuted outcomes (draws, n), so many at once as a cache holds."""
    at_once = max(min(BATCH // _fewer(rows), 20 * BATCH // len(rows)), 1)
    donors = _donors(rows)
    for first in range(0, draws, at_once):
        yield np.stack([rows.marks[donors(rng)] for _ in range(min(at_once, draws - first))])


def _donors(rows: Rows) -> Callable[[np.random.Generator], Indices]:
    """Return what draws the row from which each row gets its outcome."""
    if rows.clusters is None:
        blocks = _blocks(rows.mass, rows.place)
        return lambda rng: _shuffled(blocks, len(rows), rng)
    unit = np.unique(rows.clusters * rows.groups + rows.place, return_inverse=True)[1]
    order = np.argsort(unit, kind="stable")
    size = rows_by(unit, int(unit.max()) + 1)
    first = np.cumsum(size) - size
    within = np.empty(len(rows), dtype=np.intp)
    within[order] = np.arange(len(rows)) - np.repeat(first, size)
    blocks = _blocks(sums_by(unit, rows.mass, len(size)), rows.place[order][first])

    def drawn(rng: np.random.Generator) -> Indices:
        donor = _shuffled(blocks, len(size), rng)
        turn = rng.integers(0, size)  # the first row of the donor that is taken
        found: Indices = order[first[donor][unit] + (within + turn[donor][unit]) % size[donor][unit]]
        return found

    return drawn


def _blocks(mass: Floats, place: Indices) -> list[Indices]:
    """Return the units among which outcomes are exchanged: of one group, and of about the same weight."""
    found = []
    for group in np.unique(place):
        mine = np.flatnonzero(place == group)
        values, back, counts = np.unique(mass[mine], return_inverse=True, return_counts=True)
        middle = (np.cumsum(counts) - counts / 2) / len(mine)
        number = min(BLOCKS, max(len(mine) // BLOCKS, 1)) if len(values) > 1 else 1
        block = np.floor(middle * number).astype(np.intp)[back]
        found += [mine[block == one] for one in np.unique(block)]
    return found


def _shuffled(blocks: list[Indices], units: int, rng: np.random.Generator) -> Indices:
    """Return the unit that each unit gets its outcomes from."""
    donor = np.arange(units)
    for block in blocks:
        donor[block] = rng.permutation(block)
    return donor
