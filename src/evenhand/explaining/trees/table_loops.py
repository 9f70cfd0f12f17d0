"""One tree's values by a table of row patterns for each leaf, in the part of Python that numba compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Nodes: TypeAlias = NDArray[np.int32]
    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Sides: TypeAlias = NDArray[np.uint8]


def add_by_tables(
    left: Nodes, right: Nodes, leaf_value: Floats, depth: Ints, place: Ints, count: Ints, players: Ints,
    mine: Sides, theirs: Sides, blocks: Ints, share: Floats, weights: Floats, bits_set: Ints, values: Floats,
) -> None:  # fmt: skip
    """Add a tree's values to `values` (n, players, blocks), where no path has more than 15 players.

    The arrays are those of the tree and its `Paths`; `mine` (nodes, n) and `theirs` (nodes, b): who goes to the left;
    `bits_set` (patterns,): how many bits are 1. For each depth the patterns of the rows are kept: bit j says that a row
    satisfies all conditions of the j-th player so far. At a leaf a background row that fails the players u counts for
    the patterns that hold u; of a pattern R without player p, `drops` has what the rows that do not fail p would have
    added with p, so that `adds` at R and p less `drops` at R is p's own part.
    """
    n, b, kinds = mine.shape[1], theirs.shape[1], values.shape[2]
    deepest, size = depth.max(), 1 << count.max()
    of_rows, of_others = np.empty((deepest + 1, n), np.int32), np.empty((deepest + 1, b), np.int32)
    for i in range(n):
        of_rows[0, i] = -1
    for i in range(b):
        of_others[0, i] = -1
    counted, cells = np.zeros(size * kinds), np.empty(b, np.int64)
    sums = np.empty((size, 3, kinds))
    slot, met = np.zeros(size, np.int64), np.empty(size, np.int64)
    table = np.empty((min(n, size) + 1, count.max(), kinds))
    stack, parent, top = np.zeros(deepest + 2, np.int64), np.zeros(len(left), np.int64), 0
    while top >= 0:
        node = stack[top]
        top -= 1
        at = depth[node]
        if at > 0:
            above = parent[node]
            side = np.uint8(left[above] == node)
            follow(of_rows[at - 1], of_rows[at], mine[above], side, 1 << place[above])
            follow(of_others[at - 1], of_others[at], theirs[above], side, 1 << place[above])
        if left[node] >= 0:
            parent[left[node]] = parent[right[node]] = node
            stack[top + 1], stack[top + 2] = right[node], left[node]
            top += 2
        elif count[node] > 0 and leaf_value[node] != 0.0:
            k = count[node]
            touched = gather(of_others[at], (1 << k) - 1, blocks, share, counted, cells, kinds)
            marked = spread(cells[:touched], counted, leaf_value[node], k, weights, bits_set, slot, met, sums)
            look_up(of_rows[at], k, players[node], slot, sums, table, values)
            for i in range(marked):
                slot[met[i]] = 0


def follow(before: Nodes, after: Nodes, passes: Sides, side: np.uint8, bit: int) -> None:
    """Take the bit from the patterns of the rows that go to the other side."""
    gone = np.int32(bit)
    for i in range(len(before)):
        after[i] = before[i] & ~(gone * np.int32(passes[i] != side))


def gather(kept: Nodes, full: int, blocks: Ints, share: Floats, counted: Floats, cells: Ints, kinds: int) -> int:
    """Count the background rows by the players they fail and their block; return in how many cells some are."""
    touched = 0
    for i in range(len(kept)):
        cell = (~np.int64(kept[i]) & full) * kinds + blocks[i]
        if counted[cell] == 0.0:
            cells[touched] = cell
            touched += 1
        counted[cell] += share[i]
    return touched


def spread(
    cells: Ints, counted: Floats, value: float, k: int, weights: Floats, bits_set: Ints, slot: Ints, met: Ints,
    sums: Floats,
) -> int:  # fmt: skip
    """Add what is counted to all patterns that hold the failed players; return how many patterns there are."""
    marked, full, kinds = 0, (1 << k) - 1, sums.shape[2]
    for cell in cells:
        failed, block, part = cell // kinds, cell % kinds, counted[cell] * value
        counted[cell] = 0.0
        a, rest = bits_set[failed], full ^ failed
        more = rest
        while True:
            kept = failed | more
            if slot[kept] == 0:
                slot[kept] = -1
                met[marked] = kept
                marked += 1
                for t in range(kinds):
                    sums[kept, 0, t] = sums[kept, 1, t] = sums[kept, 2, t] = 0.0
            c = k - bits_set[kept]
            sums[kept, 0, block] += part * weights[a, c]
            if c > 0:
                sums[kept, 1, block] += part * weights[a, c - 1]
                sums[kept, 2, block] += part * weights[c, a]
            if more == 0:
                break
            more = (more - 1) & rest
    return marked


def look_up(patterns: Nodes, k: int, players: Ints, slot: Ints, sums: Floats, table: Floats, values: Floats) -> None:
    """Add to each row the values of its pattern, which are made when the first row asks for them."""
    made, full, kinds = 0, (1 << k) - 1, values.shape[2]
    for i in range(len(patterns)):
        kept = np.int64(patterns[i]) & full
        row = slot[kept]
        if row == 0:
            continue
        if row < 0:
            made += 1
            row = made
            slot[kept] = row
            fill(kept, k, slot, sums, table[row])
        for p in range(k):
            player = players[p]
            for t in range(kinds):
                values[i, player, t] += table[row, p, t]


def fill(kept: np.int64, k: int, slot: Ints, sums: Floats, into: Floats) -> None:
    """Put each player's value for a pattern (players, blocks)."""
    kinds = into.shape[1]
    for p in range(k):
        without = kept ^ (1 << p)
        if (kept >> p) & 1 == 0:
            for t in range(kinds):
                into[p, t] = -sums[kept, 2, t]
        elif slot[without] == 0:
            for t in range(kinds):
                into[p, t] = sums[kept, 0, t]
        else:
            for t in range(kinds):
                into[p, t] = sums[kept, 0, t] - sums[without, 1, t]
