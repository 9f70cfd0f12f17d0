"""Permutations of outcomes among rows of few kinds: tables are drawn, and no row is moved.

Rows that agree in every feature are of one kind. A permutation of the outcomes decides how many marked rows each kind
gets, and these numbers are of the multivariate hypergeometric distribution: to draw them is to permute the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.metrics.counts.arrays import Indices, Ints
    from evenhand.metrics.slices.lattice import Rows

MOST: Final = 2_000
"""Kinds of rows above which rows are permuted."""
FEWER: Final = 20
"""How many times fewer kinds than rows there are, at least."""
CELLS: Final = 1_000_000
"""Combinations of values that are looked at for kinds that there are."""
BATCH: Final = 400_000
"""Numbers drawn at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """The kinds of rows, each within its group."""

    first: Indices
    """(kinds,) a row of each."""
    rows: Ints
    """(kinds,) how many rows."""
    place: Indices
    """(kinds,) the group of each."""
    marked: Ints
    """(g,) marked rows of each group."""

    def __len__(self) -> int:
        return len(self.rows)

    def tables(self, draws: int, rng: np.random.Generator) -> Iterator[Ints]:
        """Yield (some draws, kinds): how many marked rows each kind gets where outcomes are permuted in each group."""
        at_once = max(BATCH // len(self), 1)
        for start in range(0, draws, at_once):
            drawn = np.empty((min(at_once, draws - start), len(self)), dtype=np.int64)
            for group, marked in enumerate(self.marked):
                mine = self.place == group
                drawn[:, mine] = rng.multivariate_hypergeometric(
                    self.rows[mine], int(marked), size=len(drawn), method="marginals"
                )
            yield drawn


def kinds_of(rows: Rows) -> Kinds | None:
    """Return the kinds, or None where they are not far fewer than the rows, or rows do not count alike."""
    cells = prod(rows.sizes) * rows.groups
    if not rows.alike or cells > CELLS:
        return None
    code = rows.place
    for part, size in zip(rows.codes, rows.sizes, strict=True):
        code = code * size + part
    number = np.bincount(code, minlength=cells)
    kept = np.flatnonzero(number)
    if len(kept) > min(MOST, len(rows) // FEWER):
        return None
    first = np.empty(cells, dtype=np.intp)
    first[code[::-1]] = np.arange(len(rows) - 1, -1, -1)
    marked = np.bincount(rows.place[rows.marks], minlength=rows.groups)
    return Kinds(first[kept], number[kept], kept // prod(rows.sizes), marked)
