"""One tree's values by the pairs of rows that are alive at each leaf, in the part of Python that numba compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evenhand.explaining.trees.words import DE_BRUIJN, SHIFT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Nodes: TypeAlias = NDArray[np.int32]
    Ints: TypeAlias = NDArray[np.int64]
    UInts: TypeAlias = NDArray[np.uint64]
    Floats: TypeAlias = NDArray[np.float64]
    Sides: TypeAlias = NDArray[np.uint8]

ONE, NONE, ALL = np.uint64(1), np.uint64(0), ~np.uint64(0)


def add_by_pairs(
    left: Nodes, right: Nodes, leaf_value: Floats, depth: Ints, place: Ints, count: Ints, players: Ints,
    mine: Sides, theirs: Sides, blocks: Ints, share: Floats, weights: Floats, numbers: Ints, values: Floats,
) -> None:  # fmt: skip
    """Add a tree's values to `values` (n, players, blocks), where no path has more than 64 players.

    The arrays are those of the tree and its `Paths`; `mine` (nodes, n) and `theirs` (nodes, b): who goes to the left;
    `numbers` (64,): the number of a bit, where `DE_BRUIJN` finds it. A pair is alive where no player is failed by both.
    The background rows that are alive with a row are bits of words: where the row fails a player, those that satisfy
    all of that player's conditions. A row that is alive with none is followed no further.
    """
    n, b = mine.shape[1], theirs.shape[1]
    many, deepest = (b + 63) // 64, depth.max()
    rows, lost = np.zeros((deepest + 1, n), np.int64), np.zeros((deepest + 1, n), np.int64)
    kept, alive = np.zeros((deepest + 1, n), np.uint64), np.zeros((deepest + 1, n, many), np.uint64)
    fails, failed = np.zeros((deepest + 1, b), np.int64), np.zeros((deepest + 1, b), np.uint64)
    passing = np.zeros((deepest + 1, count.max() + 1, many), np.uint64)
    left_over = np.zeros(deepest + 1, np.int64)
    left_over[0] = n
    for i in range(n):
        rows[0, i], kept[0, i] = i, ALL
        for w in range(many):
            alive[0, i, w] = ALL if 64 * (w + 1) <= b else (ONE << np.uint64(b % 64)) - ONE
    stack, parent, top = np.zeros(deepest + 2, np.int64), np.zeros(len(left), np.int64), 0
    while top >= 0:
        node = stack[top]
        top -= 1
        at = depth[node]
        if at > 0:
            above = parent[node]
            p, side, seen = place[above], np.uint8(left[above] == node), count[above]
            for w in range(many):
                for q in range(seen):
                    passing[at, q, w] = passing[at - 1, q, w]
                passing[at, seen, w] = ALL
            follow(theirs[above], side, p, failed[at - 1], failed[at], fails[at - 1], fails[at], passing[at, p])
            left_over[at] = narrow(mine[above], side, p, passing[at, p], left_over[at - 1], at, rows, kept, lost, alive)
            if left_over[at] == 0:
                continue
        if left[node] >= 0:
            parent[left[node]] = parent[right[node]] = node
            stack[top + 1], stack[top + 2] = right[node], left[node]
            top += 2
        elif leaf_value[node] != 0.0:
            part = share * leaf_value[node]
            whole = ALL >> np.uint64(64 - count[node]) if count[node] > 0 else NONE
            for i in range(left_over[at]):
                add_pairs(
                    rows[at, i], ~kept[at, i] & whole, lost[at, i], alive[at, i], failed[at], fails[at], players[node],
                    blocks, part, weights, numbers, values,
                )  # fmt: skip


def follow(
    passes: Sides, side: np.uint8, p: int, failed: UInts, now_failed: UInts, fails: Ints, now_fails: Ints,
    passing: UInts,
) -> None:  # fmt: skip
    """Follow the background: who fails the p-th player and how many each fails, and who passes all its conditions."""
    place = np.uint64(p)
    for i in range(len(failed)):
        no = np.uint64(passes[i] != side)
        passing[i >> 6] &= ~(no << np.uint64(i & 63))
        now_fails[i] = fails[i] + np.int64(no & ~(failed[i] >> place) & ONE)
        now_failed[i] = failed[i] | (no << place)


def narrow(
    passes: Sides, side: np.uint8, p: int, passing: UInts, before: int, at: int, rows: Ints, kept: UInts, lost: Ints,
    alive: UInts,
) -> int:  # fmt: skip
    """Follow the rows that were alive one node higher to depth `at`; return how many still are."""
    place, many, stay = np.uint64(p), len(passing), 0
    for i in range(before):
        row, had = rows[at - 1, i], (kept[at - 1, i] >> place) & ONE
        goes = had & np.uint64(passes[row] == side)
        some = goes
        for w in range(many):
            word = alive[at - 1, i, w] & (passing[w] | (NONE - goes))
            alive[at, stay, w] = word
            some |= word
        if some == NONE:
            continue
        gone = had ^ goes
        rows[at, stay], kept[at, stay] = row, kept[at - 1, i] ^ (gone << place)
        lost[at, stay] = lost[at - 1, i] + np.int64(gone)
        stay += 1
    return stay


def add_pairs(
    row: int, missed: int, c: int, alive: UInts, failed: UInts, fails: Ints, players: Ints, blocks: Ints, part: Floats,
    weights: Floats, numbers: Ints, values: Floats,
) -> None:  # fmt: skip
    """Add a leaf's values to a row that fails the players `missed`, for all background rows it is alive with."""
    for w in range(len(alive)):
        word = alive[w]
        while word != NONE:
            other = 64 * w + numbers[((word & (~word + ONE)) * DE_BRUIJN) >> SHIFT]
            word &= word - ONE
            a, block = fails[other], blocks[other]
            each, bits = part[other] * weights[a, c], failed[other]
            while bits != NONE:
                values[row, players[numbers[((bits & (~bits + ONE)) * DE_BRUIJN) >> SHIFT]], block] += each
                bits &= bits - ONE
            each, bits = part[other] * weights[c, a], np.uint64(missed)
            while bits != NONE:
                values[row, players[numbers[((bits & (~bits + ONE)) * DE_BRUIJN) >> SHIFT]], block] -= each
                bits &= bits - ONE
