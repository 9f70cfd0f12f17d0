"""Walks of a score that is a sum over players: a running sum of numbers, and no question to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]


class Walker(Protocol):
    """A model that can be walked from one row to another without composing rows."""

    asked: int
    """The rows that the model predicted."""

    def walk(self, rows: Ints, background: Ints, order: Ints) -> Floats:
        """Return (pairs, 2, d - 1): the scores along each order from the background row, and along its complement."""
        ...

    def subsets(self, rows: Ints, background: Ints, which: Ints) -> Floats:
        """Return (pairs, 2^d - 2): the scores of all subsets but the empty and the full one, bit j being player j."""
        ...


class Summed:
    """A score that is a sum over players.

    `mine`, `theirs` (n, m) and (b, m): the summands of the explained rows and of the background rows.
    """

    def __init__(self, mine: NDArray[np.float64], theirs: NDArray[np.float64]) -> None:
        self.asked = 0
        self._mine, self._theirs = mine, theirs
        self._mine_whole, self._theirs_whole = mine.sum(axis=1), theirs.sum(axis=1)

    def walk(self, rows: Ints, background: Ints, order: Ints) -> Floats:
        """Return (pairs, 2, d - 1), as in `Walker`."""
        steps = np.cumsum(self._change(rows, background, order)[:, :-1], axis=1)
        return np.stack(
            [self._theirs_whole[background][:, None] + steps, self._mine_whole[rows][:, None] - steps], axis=1
        )

    def subsets(self, rows: Ints, background: Ints, which: Ints) -> Floats:
        """Return (pairs, 2^d - 2), as in `Walker`."""
        d = which.shape[1]
        inside = ((np.arange(1, 2**d - 1)[:, None] >> np.arange(d)[None, :]) & 1).astype(np.float64)
        steps = self._change(rows, background, which) @ inside.T
        return np.asarray(self._theirs_whole[background][:, None] + steps, dtype=np.float64)

    def _change(self, rows: Ints, background: Ints, which: Ints) -> Floats:
        mine = np.take_along_axis(self._mine[rows], which, axis=1)
        return np.asarray(mine - np.take_along_axis(self._theirs[background], which, axis=1), dtype=np.float64)
