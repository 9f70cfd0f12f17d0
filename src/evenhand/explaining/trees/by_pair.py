"""Shapley values of leaves with many players, or of many leaves: pairs of rows followed down as long as they are alive.

A pair of a row and a background row is alive at a node where no player on the way is failed by both. Deep in a tree few
pairs are, whatever the number of players.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

from evenhand.explaining.trees.weights import weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.trees.forest import Tree
    from evenhand.explaining.trees.paths import Paths

    Bools: TypeAlias = NDArray[np.bool_]
    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]

CELLS: Final = 1 << 15
"""Pairs of rows that are followed together; a pair may be alive at several nodes of a depth."""


class Pairs(NamedTuple):
    """Pairs of rows that are alive at nodes of one depth; bit j of a mask says that the j-th player is failed."""

    node: NDArray[np.int64]
    row: NDArray[np.int64]
    other: NDArray[np.int64]
    mine: NDArray[np.uint64]
    """(pairs, words): what the row fails."""
    theirs: NDArray[np.uint64]
    """(pairs, words): what the background row fails."""

    def only(self, some: Bools | slice) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.node[some], self.row[some], self.other[some], self.mine[some], self.theirs[some])


def follow(tree: Tree, way: Paths, wanted: Bools, mine: Bools, theirs: Bools, rows: Ints) -> list[Pairs]:
    """Return, for each depth, the pairs of some rows with all background rows that are alive at wanted leaves.

    `wanted` (nodes,): those leaves; `mine` (nodes, n), `theirs` (nodes, b): who goes to the left.
    """
    leads = wanted.copy()
    for level in reversed(way.levels):
        leads[level] = leads[tree.left[level]] | leads[tree.right[level]]
    others, words = theirs.shape[1], int(way.count.max()) // 64 + 1
    row, other = np.repeat(rows, others), np.tile(np.arange(others), len(rows))
    nothing = np.zeros((len(row), words), dtype=np.uint64)
    pairs, found = Pairs(np.zeros(len(row), dtype=np.int64), row, other, nothing, nothing), []
    while len(pairs.node):
        leaf = tree.left[pairs.node] < 0
        found.append(pairs.only(leaf))
        inner = pairs.only(~leaf)
        goes, other_goes = mine[inner.node, inner.row], theirs[inner.node, inner.other]
        sides = [
            _child(way, inner, child.astype(np.int64), (goes != left, other_goes != left), leads)
            for child, left in ((tree.left, True), (tree.right, False))
        ]
        pairs = Pairs(*(np.concatenate(arrays) for arrays in zip(*sides, strict=True)))
    return found


def _child(way: Paths, pairs: Pairs, child: Ints, failed: tuple[Bools, Bools], leads: Bools) -> Pairs:
    """Return the pairs that are alive at one child of their nodes."""
    place, node = way.place[pairs.node], child[pairs.node]
    word, bit = (place >> 6)[:, None], (place & 63).astype(np.uint64)[:, None]
    here = (np.arange(pairs.mine.shape[1]) == word).astype(np.uint64) << bit
    mine, theirs = (mask | here * lost[:, None] for mask, lost in zip((pairs.mine, pairs.theirs), failed, strict=True))
    return Pairs(node, pairs.row, pairs.other, mine, theirs).only(leads[node] & ~(mine & theirs).any(axis=1))


def add_leaves(
    tree: Tree,
    way: Paths,
    wanted: Bools,
    mine: Bools,
    theirs: Bools,
    share: Floats,
    blocks: Ints,
    players: Ints,
    values: Floats,
) -> None:
    """Add what the wanted leaves add to `values` (players, n, blocks); `players` (nodes, most): those of each path."""
    step = max(1, CELLS // max(theirs.shape[1], 1))
    for start in range(0, mine.shape[1], step):
        rows = np.arange(start, min(start + step, mine.shape[1]))
        for pairs in follow(tree, way, wanted, mine, theirs, rows):
            for first in range(0, len(pairs.node), CELLS):
                _add(tree, pairs.only(slice(first, first + CELLS)), share, blocks, players, values)


def _add(tree: Tree, pairs: Pairs, share: Floats, blocks: Ints, players: Ints, values: Floats) -> None:
    most = players.shape[1]
    sides = [_bits(mask, most) for mask in (pairs.theirs, pairs.mine)]
    a, c = (side.sum(axis=1) for side in sides)
    worth, shares = tree.value[pairs.node] * share[pairs.other], weights(most)
    place = pairs.row * values.shape[2] + blocks[pairs.other]
    each = values.shape[1] * values.shape[2]
    for side, gain in zip(sides, (worth * shares[a, c], -worth * shares[c, a]), strict=True):
        pair, player = np.nonzero(side)
        cell = players[pairs.node[pair], player] * each + place[pair]
        values += np.bincount(cell, gain[pair], values.size).reshape(values.shape)


def _bits(masks: NDArray[np.uint64], most: int) -> NDArray[np.uint8]:
    """Return (pairs, most): the lowest bits of masks (pairs, words), one byte each."""
    return np.unpackbits(masks.astype("<u8").view(np.uint8), axis=1, count=most, bitorder="little")
