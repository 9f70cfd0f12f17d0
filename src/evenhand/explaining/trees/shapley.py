"""Exact interventional Shapley values of a tree ensemble whose players are groups of columns.

A mixed row reaches a leaf when every player of the leaf's path, from whichever row it comes, satisfies all of its
conditions. So a leaf divides its players into those that must come from the row, those that must come from the
background row, and those that may come from either, and adds its value in a game whose Shapley values are known in
closed form (Lundberg et al. 2020, "From local explanations to global understanding with explainable AI for trees").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.trees.by_pair import leaf_values
from evenhand.explaining.trees.by_table import CELLS, MOST, leaf_tables
from evenhand.explaining.trees.paths import paths, patterns, satisfied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.trees.forest import Forest, Tree
    from evenhand.explaining.trees.paths import Paths

HELD: Final = 1 << 24
"""Nodes times rows that are looked at together."""


def tree_values(
    forest: Forest,
    rows: NDArray[np.float64],
    background: NDArray[np.float64],
    owner: NDArray[np.int64],
    players: int,
    blocks: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return (K, n, players): the values of each row, averaged over each block of the background.

    `rows` (n, columns), `background` (b, columns): as the forest reads them, NaN where missing; `owner` (columns,): the
    player of each column; `blocks` (b,): the block of each background row, from 0 to K - 1. The values of a row and a
    block sum to the row's score less the mean score of the block.
    """
    size = np.bincount(blocks)
    values = np.zeros((players, len(rows), len(size)))
    share = 1 / size[blocks]
    for tree in forest.trees:
        way = paths(tree, owner)
        theirs = tree.passes(background)
        step = max(1, HELD // len(tree.left))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            _add(tree, way, tree.passes(rows[part]), theirs, share, blocks, values[:, part])
    return np.ascontiguousarray(values.transpose(2, 1, 0))


def _add(
    tree: Tree,
    way: Paths,
    mine: NDArray[np.bool_],
    theirs: NDArray[np.bool_],
    share: NDArray[np.float64],
    blocks: NDArray[np.int64],
    values: NDArray[np.float64],
) -> None:
    """Add the values of one tree to those (players, n, blocks) of its rows."""
    leaves = np.flatnonzero((tree.left < 0) & (tree.value != 0) & (way.count > 0))
    my_patterns, their_patterns = patterns(tree, way, mine), patterns(tree, way, theirs)
    for count in np.unique(way.count[leaves]):
        some = leaves[way.count[leaves] == count]
        if count > MOST:
            for leaf in some:
                found = np.zeros((int(count), *values.shape[1:]))
                conditions = (satisfied(tree, way, int(leaf), passes) for passes in (mine, theirs))
                leaf_values(*conditions, share, blocks, found)
                values[way.players[leaf, :count]] += tree.value[leaf] * found
            continue
        full = (1 << int(count)) - 1
        step = max(1, CELLS // ((full + 1) * int(count) * values.shape[2]))
        for start in range(0, len(some), step):
            at = some[start : start + step]
            failed = ~their_patterns[at].astype(np.int64) & full
            tables = leaf_tables(int(count), failed, share, blocks, values.shape[2])
            tables *= tree.value[at][None, :, None, None]
            _look_up(tables, my_patterns[at].astype(np.intp) & full, way.players[at], values)


def _look_up(
    tables: NDArray[np.float64], kept: NDArray[np.intp], players: NDArray[np.int64], values: NDArray[np.float64]
) -> None:
    """Add what the tables (places, leaves, patterns, blocks) say of the patterns (leaves, n)."""
    for place, of_place in enumerate(tables):
        for leaf, table in enumerate(of_place):
            values[players[leaf, place]] += table.take(kept[leaf], axis=0)
