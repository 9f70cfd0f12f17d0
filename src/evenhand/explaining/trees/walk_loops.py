"""Scores of mixed rows from words of leaves, in the part of Python that numba compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evenhand.explaining.trees.words import DE_BRUIJN, SHIFT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]
    UInts: TypeAlias = NDArray[np.uint64]
    Floats: TypeAlias = NDArray[np.float64]

ALL = ~np.uint64(0)


def add_walks(
    mine: UInts, theirs: UInts, rows: Ints, background: Ints, order: Ints, values: Floats, scores: Floats
) -> None:
    """Add to `scores` (pairs, 2, d - 1) the leaves along each order and its complement.

    `mine` (n, players, words), `theirs` (b, players, words): the leaves that each player leaves; `values` (words, 64).
    What the first players of the order leave is narrowed step by step; what the last ones leave is found before.
    """
    d, many = order.shape[1], len(values)
    my_last, their_last = np.empty((d + 1, many), np.uint64), np.empty((d + 1, many), np.uint64)
    begun, other = np.empty(many, np.uint64), np.empty(many, np.uint64)
    asked = np.zeros(mine.shape[1], np.uint8)
    for pair in range(len(order)):
        x, b = mine[rows[pair]], theirs[background[pair]]
        players = order[pair]
        rest(b, players, asked, their_last[d])
        for word in range(many):
            my_last[d, word] = begun[word] = other[word] = their_last[d, word]
        for step in range(d - 1, 0, -1):
            narrow(my_last[step + 1], x[players[step]], my_last[step])
            narrow(their_last[step + 1], b[players[step]], their_last[step])
        for step in range(1, d):
            narrow(begun, x[players[step - 1]], begun)
            narrow(other, b[players[step - 1]], other)
            scores[pair, 0, step - 1] += total(begun, their_last[step], values)
            scores[pair, 1, step - 1] += total(other, my_last[step], values)


def add_subsets(
    mine: UInts, theirs: UInts, rows: Ints, background: Ints, which: Ints, values: Floats, scores: Floats
) -> None:
    """Add to `scores` (pairs, 2^d - 2) the leaves of all subsets but the empty and the full one, as in `add_walks`.

    The subsets of the first half of the players are narrowed by those of the second half.
    """
    d, many = which.shape[1], len(values)
    half = d // 2
    low, high = np.empty((1 << half, many), np.uint64), np.empty((1 << (d - half), many), np.uint64)
    asked = np.zeros(mine.shape[1], np.uint8)
    for pair in range(len(which)):
        x, b = mine[rows[pair]], theirs[background[pair]]
        players = which[pair]
        rest(b, players, asked, low[0])
        for word in range(many):
            high[0, word] = ALL
        double(x, b, players[:half], low)
        double(x, b, players[half:], high)
        for subset in range(1, (1 << d) - 1):
            scores[pair, subset - 1] += total(low[subset & ((1 << half) - 1)], high[subset >> half], values)


def rest(words: UInts, players: Ints, asked: NDArray[np.uint8], into: UInts) -> None:
    """Put what all but some players leave."""
    for word in range(len(into)):
        into[word] = ALL
    for player in players:
        asked[player] = 1
    for player in range(len(asked)):
        if asked[player] == 0:
            narrow(into, words[player], into)
        asked[player] = 0


def narrow(before: UInts, words: UInts, into: UInts) -> None:
    """Put what is left in both."""
    for word in range(len(into)):
        into[word] = before[word] & words[word]


def double(x: UInts, b: UInts, players: Ints, table: UInts) -> None:
    """Fill the words of all subsets of the players from those of the empty one."""
    size = 1
    for player in players:
        for subset in range(size):
            narrow(table[subset], x[player], table[size + subset])
            narrow(table[subset], b[player], table[subset])
        size *= 2


def total(one: UInts, other: UInts, values: Floats) -> float:
    """Return the sum of the leaves that are left in both."""
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    whole = len(one) - len(one) % 4
    for word in range(0, whole, 4):
        first += values[word, ((one[word] & other[word]) * DE_BRUIJN) >> SHIFT]
        second += values[word + 1, ((one[word + 1] & other[word + 1]) * DE_BRUIJN) >> SHIFT]
        third += values[word + 2, ((one[word + 2] & other[word + 2]) * DE_BRUIJN) >> SHIFT]
        fourth += values[word + 3, ((one[word + 3] & other[word + 3]) * DE_BRUIJN) >> SHIFT]
    for word in range(whole, len(one)):
        first += values[word, ((one[word] & other[word]) * DE_BRUIJN) >> SHIFT]
    return (first + second) + (third + fourth)
