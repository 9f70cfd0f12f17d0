"""Shapley values of one leaf with many players: every row against every background row, as products of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.trees.weights import weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELLS: Final = 1 << 22
"""Pairs of rows held at a time."""


def leaf_values(
    mine: NDArray[np.bool_],
    theirs: NDArray[np.bool_],
    share: NDArray[np.float64],
    blocks: NDArray[np.int64],
    values: NDArray[np.float64],
) -> None:
    """Add to `values` (players, n, blocks) those of a leaf that adds 1.

    `mine` (players, n), `theirs` (players, b): whether a row satisfies all conditions of a player; `share` (b,): what a
    background row counts in its block.
    """
    step = max(1, CELLS // max(theirs.shape[1], 1))
    for start in range(0, mine.shape[1], step):
        part = slice(start, start + step)
        _add(~mine[:, part], ~theirs, share, blocks, values[:, part])


def _add(
    mine: NDArray[np.bool_],
    theirs: NDArray[np.bool_],
    share: NDArray[np.float64],
    blocks: NDArray[np.int64],
    values: NDArray[np.float64],
) -> None:
    """Add the values where `mine` and `theirs` are the conditions that are failed."""
    single = np.float32
    both_fail = mine.T.astype(single) @ theirs.astype(single)
    rows, against = np.nonzero(both_fail == 0)
    if not len(rows):
        return
    shares = weights(len(mine))
    a, c = theirs.sum(axis=0), mine.sum(axis=0)
    for block in np.unique(blocks[against]):
        here = blocks[against] == block
        row, other = rows[here], against[here]
        given = np.zeros(both_fail.shape)
        given[row, other] = shares[a[other], c[row]] * share[other]
        lost = np.bincount(row, shares[c[row], a[other]] * share[other], len(given))
        values[:, :, block] += theirs @ given.T - mine * lost
