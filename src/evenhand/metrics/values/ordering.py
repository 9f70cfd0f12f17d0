"""Where the items of lists stand, with equal scores in an order by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics.counts.sums import sums_by

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Column, Floats, Ints, Marks


@dataclass(frozen=True, slots=True, eq=False)
class Ordering:
    """Items in their lists, the higher score first.

    Items of a list with equal scores stand in any order with the same chance: what depends on their places is a mean
    over these orders (McSherry and Najork 2008, ECIR), and not whatever order the rows happen to have.

    Examples
    --------
    >>> order = Ordering.of([3.0, 1.0, 1.0, 5.0], ["a", "a", "a", "b"])
    >>> order.shown(2).tolist()
    [1.0, 0.5, 0.5, 1.0]
    """

    query: Ints
    """(n,) the list of each item, from 0, in the order of the lists' names."""
    number: int
    """How many lists there are."""
    first: Ints
    """(n,) the first of the places, from 1, that an item and those of its list with the same score take."""
    alike: Ints
    """(n,) how many items of the list have the same score, with itself."""

    @classmethod
    def of(cls, score: ArrayLike, queries: ArrayLike) -> Ordering:
        """Order items; of `queries`, (n,), equal values make a list.

        Parameters
        ----------
        score, queries : (n,) arrays
            By which items are ordered, and the list of each.
        """
        scores = np.asarray(score, dtype=np.float64)
        _, query = np.unique(np.asarray(queries), return_inverse=True)
        number = int(query.max(initial=-1)) + 1
        order = np.lexsort((-scores, query))
        start = np.searchsorted(query[order], np.arange(number))
        at = np.arange(len(order)) - start[query[order]] + 1
        new = np.ones(len(order), dtype=bool)
        new[1:] = (np.diff(scores[order]) != 0) | (np.diff(query[order]) != 0)
        block = np.cumsum(new) - 1
        first, alike = np.empty(len(order), dtype=np.int64), np.empty(len(order), dtype=np.int64)
        first[order], alike[order] = at[new][block], np.bincount(block, minlength=1)[block]
        return cls(query.astype(np.int64), number, first, alike)

    def shown(self, at: int) -> Floats:
        """Return (n,) the chance of each item to be among the first `at` of its list."""
        return np.asarray(np.clip((at - self.first + 1) / self.alike, 0.0, 1.0))

    def discount(self, at: int | None = None) -> Floats:
        """Return (n,) the expected ``1 / log2(1 + place)`` of each item; 0 beyond the first `at` places."""
        most = int((self.first + self.alike).max(initial=1))
        total = np.concatenate([[0.0], np.cumsum(1 / np.log2(1 + np.arange(1, most + 1)))])
        last, before = self.first + self.alike - 1, self.first - 1
        if at is not None:
            last, before = np.minimum(last, at), np.minimum(before, at)
        return np.asarray((total[last] - total[before]) / self.alike)

    def sums(self, values: Column) -> Floats:
        """Return (L,) the sum of (n,) `values` over each list."""
        return sums_by(self.query, values, self.number)

    def group(self, codes: Column) -> Ints | None:
        """Return (L,) the group that all rows of a list are in; None where the rows of some list are in several."""
        return of_list(self.query, self.number, codes)

    def hit(self, relevant: Marks, at: int) -> Floats:
        """Return (L,) the chance of each list that one of its `relevant` items is among the first `at`.

        Where the last place falls among items of equal scores, it is one less the chance that those drawn for the
        places left are all irrelevant (hypergeometric).
        """
        from scipy.special import gammaln

        whole = self.sums((relevant & (self.first + self.alike - 1 <= at)).astype(np.float64)) > 0
        cut = (self.first <= at) & (self.first + self.alike - 1 > at)
        size = np.zeros(self.number)
        size[self.query[cut]] = self.alike[cut]
        left = np.zeros(self.number)
        left[self.query[cut]] = at - self.first[cut] + 1
        poor = size - self.sums((cut & relevant).astype(np.float64))
        ways = (
            gammaln(poor + 1) - gammaln(np.maximum(poor - left, 0) + 1) - gammaln(size + 1) + gammaln(size - left + 1)
        )
        missed = np.where(poor >= left, np.exp(ways), 0.0)
        return np.where(whole, 1.0, 1.0 - missed)


def of_list(query: Ints, number: int, values: Column) -> Ints | None:
    """Return (L,) the whole number that all rows of a list share; None where the rows of some list differ."""
    given = np.asarray(values).astype(np.int64)
    first = np.zeros(number, dtype=np.int64)
    first[query] = given
    return None if (first[query] != given).any() else first
