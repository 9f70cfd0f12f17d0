"""Exact interventional Shapley values of a tree ensemble whose players are groups of columns.

A mixed row reaches a leaf when every player of the leaf's path, from whichever row it comes, satisfies all of its
conditions. So a leaf divides its players into those that must come from the row, those that must come from the
background row, and those that may come from either, and adds its value in a game whose Shapley values are known in
closed form (Lundberg et al. 2020, "From local explanations to global understanding with explainable AI for trees").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.explaining.trees.by_pair import add_leaves, follow
from evenhand.explaining.trees.by_table import CELLS, MOST, leaf_tables
from evenhand.explaining.trees.compiling import compiled
from evenhand.explaining.trees.pair_loops import add_by_pairs
from evenhand.explaining.trees.paths import paths, patterns
from evenhand.explaining.trees.table_loops import add_by_tables
from evenhand.explaining.trees.weights import bits_set, weights
from evenhand.explaining.trees.words import numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.explaining.trees.forest import Forest, Tree
    from evenhand.explaining.trees.paths import Paths

    Bools: TypeAlias = NDArray[np.bool_]
    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Adder: TypeAlias = Callable[[Tree, Paths, Bools, Bools, Floats, Ints, Floats], None]

HELD: Final = 1 << 24
"""Nodes times rows that are looked at together."""
WORTH_IT: Final = 10_000_000
"""Leaves times rows times blocks from which loading the compiled loops takes less than they save."""
SMALL: Final = 10_000_000
"""Numbers in a tree's tables below which nothing else is looked for."""
SAMPLED: Final = 8
"""Rows and background rows by which the pairs that are alive are estimated."""
PER_PAIR: Final = 400
"""Numbers in tables that take as long as following one pair to one leaf."""
LANES: Final = 4
"""Blocks are filled up to a multiple of this, so that a processor adds several at a time."""
MOST_TABLED: Final = 15
"""Trees with more players on a path are computed by pairs in the compiled loops."""
ROWS_A_TABLE: Final = 4
"""With fewer rows than a tree has leaves divided by this, its tables cost more than the pairs."""
MOST_PAIRED: Final = 64
"""Players on a path that have a bit there."""


def tree_values(
    forest: Forest,
    rows: Floats,
    background: Floats,
    owner: Ints,
    players: int,
    blocks: Ints,
) -> Floats:
    """Return (K, n, players): the values of each row, averaged over each block of the background.

    `rows` (n, columns), `background` (b, columns): as the forest reads them, NaN where missing; `owner` (columns,): the
    player of each column; `blocks` (b,): the block of each background row, from 0 to K - 1. The values of a row and a
    block sum to the row's score less the mean score of the block.
    """
    size = np.bincount(blocks)
    leaves = sum((len(tree.left) + 1) // 2 for tree in forest.trees)
    worth_it = leaves * len(rows) * len(size) >= WORTH_IT and compiled(add_by_tables) is not None
    add = _add_compiled if worth_it else _add
    values = np.empty((len(size), len(rows), players))
    lanes = len(size) + -len(size) % LANES
    step = max(1024, HELD // (players * lanes))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        sums = np.zeros((len(rows[part]), players, lanes))
        for tree in forest.trees:
            _add_tree(tree, rows[part], background, owner, add, (1 / size[blocks], blocks, sums))
        values[:, part] = sums[:, :, : len(size)].transpose(2, 0, 1)
    return values


def _add_tree(
    tree: Tree,
    rows: Floats,
    background: Floats,
    owner: Ints,
    add: Adder,
    against: tuple[Floats, Ints, Floats],
) -> None:
    """Add the values of one tree; `against`: what each background row counts, its block, and the sums."""
    share, blocks, sums = against
    way = paths(tree, owner)
    theirs = tree.passes(background)
    step = max(1, HELD // len(tree.left))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        add(tree, way, tree.passes(rows[part]), theirs, share, blocks, sums[part])


def _add_compiled(
    tree: Tree,
    way: Paths,
    mine: Bools,
    theirs: Bools,
    share: Floats,
    blocks: Ints,
    sums: Floats,
) -> None:
    """Add the values of one tree to those (n, players, blocks) of its rows, in compiled loops."""
    most = int(way.count.max())
    if most > MOST_PAIRED:
        _add(tree, way, mine, theirs, share, blocks, sums)
        return
    tabled = most <= MOST_TABLED and mine.shape[1] * ROWS_A_TABLE >= len(tree.left) // 2
    loop, bits = (add_by_tables, bits_set(most)) if tabled else (add_by_pairs, numbers())
    run = compiled(loop)
    assert run is not None
    arrays = (tree.left, tree.right, tree.value, way.depth, way.place, way.count, way.players)
    sides = (passes.view(np.uint8) for passes in (mine, theirs))
    # Each layout of an array would be compiled for itself.
    plain = (
        np.require(array, requirements=["C", "W"]) for array in (*arrays, *sides, blocks, share, weights(most), bits)
    )
    run(*plain, sums)


def _add(
    tree: Tree,
    way: Paths,
    mine: Bools,
    theirs: Bools,
    share: Floats,
    blocks: Ints,
    sums: Floats,
) -> None:
    """Add the values of one tree to those (n, players, blocks) of its rows."""
    leaves = (tree.left < 0) & (tree.value != 0) & (way.count > 0)
    asked = np.unique(way.players[leaves])
    asked = asked[asked >= 0]
    players = np.searchsorted(asked, way.players)
    values = np.zeros((len(asked), len(sums), int(blocks.max()) + 1))
    tabled = leaves & (way.count <= MOST)
    if _pairs_are_cheaper(tree, way, tabled, mine, theirs, values.shape[2]):
        tabled[:] = False
    if (leaves & ~tabled).any():
        add_leaves(tree, way, leaves & ~tabled, mine, theirs, share, blocks, players, values)
    if tabled.any():
        _add_tables(tree, way, np.flatnonzero(tabled), (mine, theirs), share, blocks, players, values)
    sums[:, asked, : values.shape[2]] += values.transpose(1, 0, 2)


def _pairs_are_cheaper(tree: Tree, way: Paths, tabled: Bools, mine: Bools, theirs: Bools, kinds: int) -> bool:
    """Tell from a few pairs whether following pairs to these leaves takes less than their tables, in moved numbers."""
    count = way.count[tabled]
    tables = kinds * float((np.exp2(count) * count * (count / 4 + 3)).sum() + 2 * mine.shape[1] * count.sum())
    if tables < SMALL:
        return False
    some, others = (np.linspace(0, passes.shape[1] - 1, SAMPLED).astype(np.int64) for passes in (mine, theirs))
    alive = sum(len(pairs.node) for pairs in follow(tree, way, tabled, mine, theirs[:, others], some))
    return bool(tables > PER_PAIR * alive * mine.shape[1] * theirs.shape[1] / SAMPLED**2)


def _add_tables(
    tree: Tree,
    way: Paths,
    leaves: NDArray[np.intp],
    sides: tuple[Bools, Bools],
    share: Floats,
    blocks: Ints,
    players: Ints,
    values: Floats,
) -> None:
    """Add what some leaves add by tables to `values` (players, n, blocks)."""
    mine, theirs = (patterns(tree, way, passes) for passes in sides)
    for count in np.unique(way.count[leaves]):
        some = leaves[way.count[leaves] == count]
        full = (1 << int(count)) - 1
        step = max(1, CELLS // ((full + 1) * int(count) * values.shape[2]))
        for start in range(0, len(some), step):
            at = some[start : start + step]
            failed = ~theirs[at].astype(np.int64) & full
            tables = leaf_tables(int(count), failed, share, blocks, values.shape[2])
            tables *= tree.value[at][None, :, None, None]
            _look_up(tables, mine[at].astype(np.intp) & full, players[at], values)


def _look_up(tables: Floats, kept: NDArray[np.intp], players: Ints, values: Floats) -> None:
    """Add what the tables (places, leaves, patterns, blocks) say of the patterns (leaves, n)."""
    for place, of_place in enumerate(tables):
        for leaf, table in enumerate(of_place):
            values[players[leaf, place]] += table.take(kept[leaf], axis=0)
