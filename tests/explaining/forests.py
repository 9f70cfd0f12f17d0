"""Random tree ensembles of arrays, and their Shapley values by brute force."""

from __future__ import annotations

from itertools import combinations
from math import comb as choose
from math import factorial

import numpy as np

from evenhand.explaining.trees.forest import Forest, Tree


def random_tree(rng, columns, depth, *, balance=0.85):
    """A tree that splits each node above `depth` with the probability `balance`; columns may repeat on a path."""
    left, right, column, value, cut, missing = [], [], [], [], [], []

    def grow(level):
        node = len(left)
        inner = level < depth and (level == 0 or rng.random() < balance)
        for array, entry in (
            (left, -1), (right, -1), (column, int(rng.integers(columns)) if inner else -1),
            (value, rng.normal()), (cut, rng.normal(scale=0.7)), (missing, bool(rng.random() < 0.5)),
        ):  # fmt: skip
            array.append(entry)
        if inner:
            left[node] = grow(level + 1)
            right[node] = grow(level + 1)
        return node

    grow(0)
    return tree_of(left, right, column, value, cut, missing)


def tree_of(left, right, column, value, cut, missing):
    """A tree of thresholds whose missing values go to the left where `missing` says so."""
    column, cut, missing = np.array(column, np.int32), np.array(cut), np.array(missing)

    def passes(X):
        asked = X.T[column]
        return np.where(np.isnan(asked), missing[:, None], asked <= cut[:, None])

    return Tree(np.array(left, np.int32), np.array(right, np.int32), column, np.array(value, float), passes)


def random_forest(seed, columns, depth, trees=4, **kwargs):
    rng = np.random.default_rng(seed)
    return Forest([random_tree(rng, columns, depth, **kwargs) for _ in range(trees)], 0.3, "identity", columns)


def random_rows(seed, n, columns, missing=0.1):
    rng = np.random.default_rng([seed, 1])
    X = rng.normal(size=(n, columns))
    X[rng.random(X.shape) < missing] = np.nan
    return X


def comb(depth, value=1.0):
    """A tree that asks another column at each depth; its deepest leaf has `depth` players."""
    left, right, column, values = [], [], [], []
    for level in range(depth):
        left += [2 * level + 2, -1]
        right += [2 * level + 1, -1]
        column += [level, -1]
        values += [0.0, value * (level + 1)]
    left, right, column, values = [*left, -1], [*right, -1], [*column, -1], [*values, -value]
    # The child that goes on is the left one, and the leaf precedes it.
    return tree_of(left, right, column, values, [0.9] * len(left), [True] * len(left))


def by_coalitions(forest, rows, background, owner, players):
    """The values (n, players) from the score of every coalition's mixed rows: Shapley's formula, nothing else."""
    n, b = len(rows), len(background)
    worth = {}
    for size in range(players + 1):
        for coalition in combinations(range(players), size):
            mine = np.isin(owner, coalition)
            mixed = np.where(mine, rows[:, None], background[None]).reshape(n * b, -1)
            worth[coalition] = forest.score(mixed).reshape(n, b).mean(axis=1)
    values = np.zeros((n, players))
    for player in range(players):
        for coalition, score in worth.items():
            if player not in coalition:
                s = len(coalition)
                share = factorial(s) * factorial(players - s - 1) / factorial(players)
                values[:, player] += share * (worth[tuple(sorted((*coalition, player)))] - score)
    return values


def by_leaves(forest, rows, background, owner, players):
    """The values (n, players) from each pair of rows and each leaf: for paths of too many players for coalitions."""
    values = np.zeros((len(rows), players))
    for tree in forest.trees:
        mine, theirs = tree.passes(rows), tree.passes(background)
        for x in range(len(rows)):
            for b in range(len(background)):
                _down(tree, 0, mine[:, x], theirs[:, b], (frozenset(), frozenset()), owner, values[x])
    return values / len(background)


def _down(tree, node, mine, theirs, failed, owner, values):
    by_row, by_other = failed
    if by_row & by_other:
        return
    if tree.left[node] < 0:
        a, c = len(by_other), len(by_row)
        for player in by_other:
            values[player] += tree.value[node] / (a * choose(a + c, c))
        for player in by_row:
            values[player] -= tree.value[node] / (c * choose(a + c, a))
        return
    player = frozenset({int(owner[tree.column[node]])})
    for child, left in ((tree.left[node], True), (tree.right[node], False)):
        now = (
            by_row if mine[node] == left else by_row | player,
            by_other if theirs[node] == left else by_other | player,
        )
        _down(tree, child, mine, theirs, now, owner, values)
