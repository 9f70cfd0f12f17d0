"""What is asked on the way to each leaf: the players of a path, and which of their conditions a row satisfies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.explaining.trees.forest import Tree


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """The players on the way to each node of a tree, in the order in which they are first asked."""

    levels: tuple[NDArray[np.int64], ...]
    """The nodes of each depth that have children."""
    depth: NDArray[np.int64]
    """(nodes,): how many nodes are above a node."""
    place: NDArray[np.int64]
    """(nodes,): the place of a node's own player on the paths through it; of no meaning at leaves."""
    count: NDArray[np.int64]
    """(nodes,): how many players are asked before a node."""
    players: NDArray[np.int64]
    """(nodes, most): those players, in order; -1 beyond `count`."""


def paths(tree: Tree, owner: NDArray[np.int64]) -> Paths:
    """Return the paths of a tree, where `owner` (columns,) is the player of each column."""
    nodes = len(tree.left)
    place, count = np.zeros(nodes, dtype=np.int64), np.zeros(nodes, dtype=np.int64)
    players = np.full((nodes, 1), -1, dtype=np.int64)
    levels = tuple(_levels(tree))
    depth = np.zeros(nodes, dtype=np.int64)
    for deep, level in enumerate(levels, 1):
        mine = owner[tree.column[level]]
        asked = players[level] == mine[:, None]
        new = ~asked.any(axis=1)
        at = np.where(new, count[level], asked.argmax(axis=1))
        if at.max() == players.shape[1]:
            players = np.concatenate([players, np.full((nodes, 1), -1, dtype=np.int64)], axis=1)
        place[level] = at
        for child in (tree.left[level], tree.right[level]):
            players[child] = players[level]
            players[child, at] = mine
            count[child], depth[child] = count[level] + new, deep
    return Paths(levels, depth, place, count, players)


def _levels(tree: Tree) -> Iterator[NDArray[np.int64]]:
    level = np.zeros(1, dtype=np.int64)
    while True:
        level = level[tree.left[level] >= 0]
        if not len(level):
            return
        yield level
        level = np.concatenate([tree.left[level], tree.right[level]]).astype(np.int64)


def patterns(tree: Tree, way: Paths, passes: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Return (nodes, n): bit j says whether a row satisfies all conditions of the j-th player before a node.

    `passes` (nodes, n): who goes to the left. Players beyond the sixteenth have no bit; bits beyond the players are 1.
    """
    kept = np.full(passes.shape, 0xFFFF, dtype=np.uint16)
    for level in way.levels:
        at = way.place[level]
        bit = np.where(at < 16, np.left_shift(1, np.minimum(at, 15)), 0).astype(np.uint16)[:, None]
        lost = np.where(passes[level], np.uint16(0), bit)
        kept[tree.left[level]] = kept[level] & ~lost
        kept[tree.right[level]] = kept[level] & ~(lost ^ bit)
    return kept
