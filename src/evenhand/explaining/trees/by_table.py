"""Shapley values of leaves with few players: a table of all patterns of a row, made from the background alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.trees.weights import bits_set, quadrature

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST: Final = 12
"""Leaves with more players than this would need tables of more than 4,096 patterns."""
CELLS: Final = 1 << 19
"""Numbers held at a time."""


def leaf_tables(
    players: int, failed: NDArray[np.int64], share: NDArray[np.float64], blocks: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Return (players, leaves, 2^players, blocks): each player's value for every pattern of a row.

    `failed` (leaves, b): bit j says that a background row fails a condition of the j-th player; `share` (b,): what a
    background row counts in its block; `count`: how many blocks. Values are those of leaves that add 1.

    Of the background rows that a row's pattern R allows, those which fail no player outside R, only the number by how
    many players they fail matters: a sum over subsets, which one pass a player gives for all patterns at once.
    """
    leaves, size = len(failed), 1 << players
    start = np.arange(leaves, dtype=np.int64)[:, None] * size
    cell = ((start + failed) * count + blocks).ravel()
    counted = np.bincount(cell, np.broadcast_to(share, failed.shape).ravel(), leaves * size * count)
    points, shares = quadrature(players)
    inside, points = bits_set(players), points[:, None]
    outside = players - inside
    sums = np.empty((leaves, size, len(points), count))
    np.multiply(counted.reshape(leaves, size, 1, count), (points**inside).T[None, :, :, None], out=sums)
    for player in range(players):
        halves = sums.reshape(-1, 2, (1 << player) * len(points) * count)
        halves[:, 1] += halves[:, 0]
    adds, drops, takes = (
        np.einsum("lstk,ts->lsk", sums, shares[:, None] * factor)
        for factor in (
            (1 - points) ** outside / points,
            (1 - points) ** (outside - 1) / points,
            (1 - points) ** (outside - 1),
        )
    )
    values = np.empty((players, leaves, size, count))
    for player, of_player in enumerate(values):
        split = (leaves, -1, 2, (1 << player) * count)
        into = of_player.reshape(split)
        into[:, :, 1] = adds.reshape(split)[:, :, 1] - drops.reshape(split)[:, :, 0]
        into[:, :, 0] = -takes.reshape(split)[:, :, 0]
    return values
