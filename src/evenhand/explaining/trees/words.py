"""The leaves that each player of a row leaves within reach, as bits of a word (QuickScorer, Lucchese et al. 2015).

A row's players together leave one leaf of each tree: the only bit that is 1 in the words of all of them. The score of a
mixed row is found from the words of the two rows, whose conditions are looked at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.trees.forest import Forest, Tree

LEAVES: Final = 63
"""Leaves of a word; larger trees take several, all but one of which come to 0. Bit 0 is never used."""
DE_BRUIJN: Final = np.uint64(0x03F79D71B4CB0A89)
"""Multiplied by a power of two, its six highest bits tell which one; 0 is told as 0."""
SHIFT: Final = np.uint64(58)


@cache
def numbers() -> NDArray[np.int64]:
    """Return (64,): the number of a bit, where `DE_BRUIJN` finds it."""
    found = np.zeros(64, dtype=np.int64)
    bits = np.left_shift(np.uint64(1), np.arange(64, dtype=np.uint64))
    found[(bits * DE_BRUIJN) >> SHIFT] = np.arange(64)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A forest's trees cut into words of leaves."""

    forest: Forest
    owner: NDArray[np.int64]
    """(columns,): the player of each column."""
    players: int
    starts: NDArray[np.int64]
    """(trees + 1,): the first word of each tree."""
    values: NDArray[np.float64]
    """(words, 64): the values of a word's leaves, where `DE_BRUIJN` finds them."""

    def of(self, X: NDArray[np.float64]) -> NDArray[np.uint64]:
        """Return (n, players, words): the leaves that each player of the rows (n, columns) leaves within reach."""
        found = np.empty((len(X), self.players, int(self.starts[-1])), dtype=np.uint64)
        for tree, start, stop in zip(self.forest.trees, self.starts, self.starts[1:], strict=False):
            _mark(tree, self.owner, tree.passes(X), found[:, :, start:stop])
        return found


def cut(forest: Forest, owner: NDArray[np.int64], players: int) -> Words:
    """Return the words of a forest whose columns have these owners."""
    parts = [_values(tree) for tree in forest.trees]
    starts = np.cumsum([0, *(len(part) for part in parts)])
    return Words(forest, owner, players, starts, np.concatenate(parts) if parts else np.zeros((0, 64)))


def _values(tree: Tree) -> NDArray[np.float64]:
    """Return (words, 64): the values of a tree's leaves."""
    _, leaves = _ranges(tree)
    values = np.zeros((-(-len(leaves) // LEAVES), 64))
    bit = np.left_shift(np.uint64(1), (np.arange(len(leaves)) % LEAVES + 1).astype(np.uint64))
    values[np.arange(len(leaves)) // LEAVES, (bit * DE_BRUIJN) >> SHIFT] = tree.value[leaves]
    return values


def _ranges(tree: Tree) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (nodes + 1, 2) the first leaf below each node and the one after the last, and the leaves in that order."""
    nodes = len(tree.left)
    below = (tree.left < 0).astype(np.int64)
    for node in range(nodes - 1, -1, -1):
        if tree.left[node] >= 0:
            below[node] = below[tree.left[node]] + below[tree.right[node]]
    first = np.zeros(nodes, dtype=np.int64)
    for node in range(nodes):
        if tree.left[node] >= 0:
            first[tree.left[node]] = first[node]
            first[tree.right[node]] = first[node] + below[tree.left[node]]
    leaves = np.flatnonzero(tree.left < 0)
    return np.stack([first, first + below], axis=1), leaves[np.argsort(first[leaves])]


def _mark(tree: Tree, owner: NDArray[np.int64], passes: NDArray[np.bool_], found: NDArray[np.uint64]) -> None:
    """Fill (n, players, words) with what a tree leaves of its own words."""
    ranges, _ = _ranges(tree)
    inner = np.flatnonzero(tree.left >= 0)
    asks = owner[tree.column[inner]]
    for word in range(found.shape[2]):
        place = np.clip(ranges - word * LEAVES, 0, LEAVES).astype(np.uint64) + np.uint64(1)
        # One past the highest place is 2^64, that is 0: below it all are ones.
        bits = np.left_shift(np.uint64(1), place & np.uint64(63)) * (place < 64)
        below = bits[:, 1] - bits[:, 0]
        found[:, :, word] = below[0]
        others = below[0] & ~below
        here = (ranges[inner, 0] < (word + 1) * LEAVES) & (ranges[inner, 1] > word * LEAVES)
        for player in np.unique(asks[here]):
            nodes = inner[here & (asks == player)]
            if_left, if_right = others[tree.right[nodes], None], others[tree.left[nodes], None]
            found[:, player, word] = np.bitwise_and.reduce(np.where(passes[nodes], if_left, if_right), axis=0)
