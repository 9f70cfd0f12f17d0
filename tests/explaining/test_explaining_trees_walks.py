"""Scores of mixed rows of tree ensembles, without composing rows, against those of composed rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from tests.explaining.forests import random_forest, random_rows, tree_of

from evenhand.explaining.trees import walking
from evenhand.explaining.trees.forest import Forest, Tree, leaves
from evenhand.explaining.trees.walking import TreeWalker
from evenhand.explaining.trees.words import LEAVES, cut


@pytest.fixture(params=["numpy", "numba"])
def loops(request, monkeypatch):
    """Both ways of computing, whatever the size."""
    if request.param == "numba":
        pytest.importorskip("numba")
        monkeypatch.setattr(walking, "WORTH_IT", 0)
    else:
        monkeypatch.setattr(walking, "compiled", lambda loop: None)


def composed(forest, rows, background, owner, from_row):
    """The score of each pair with each set of players (pairs, sets, players) from the row."""
    return np.array(
        [forest.score(np.where(sets[:, owner], x, b)) for x, b, sets in zip(rows, background, from_row, strict=True)]
    )


def pairs_of(rng, rows, background, owner, players, many, d):
    """Pairs of rows that differ in `d` players, these in a random order."""
    mine, theirs = rng.integers(0, len(rows), many), rng.integers(0, len(background), many)
    order = np.array([rng.permutation(players)[:d] for _ in range(many)])
    x, b = rows[mine].copy(), background[theirs].copy()
    for pair in range(many):
        alike = ~np.isin(owner, order[pair])
        x[pair, alike] = b[pair, alike]
    return x, b, order


def walked(order, players):
    pairs, d = order.shape
    sets = np.zeros((pairs, 2, d - 1, players), bool)
    for step in range(1, d):
        for pair in range(pairs):
            sets[pair, 0, step - 1, order[pair, :step]] = True
            sets[pair, 1, step - 1, order[pair, step:]] = True
    return sets


@pytest.mark.parametrize(("depth", "d"), [(5, 6), (9, 6), (9, 4), (2, 2), (10, 3)])
def test_walks_and_subsets_are_the_scores_of_composed_rows(depth, d, loops):
    rng = np.random.default_rng(depth)
    forest, players = random_forest(depth, 8, depth), 6
    owner = rng.permutation(np.r_[np.arange(6), [0, 3]])
    x, b, order = pairs_of(rng, random_rows(1, 9, 8), random_rows(2, 7, 8), owner, players, 30, d)
    if depth > 8:
        assert max((tree.left < 0).sum() for tree in forest.trees) > 2 * LEAVES
    walker, which = TreeWalker(forest, x, b, owner, players), np.arange(30)
    sets = walked(order, players)
    wanted = composed(forest, x, b, owner, sets.reshape(30, -1, players)).reshape(30, 2, d - 1)
    assert np.allclose(walker.walk(which, which, order), wanted, rtol=0, atol=1e-13)
    subsets = np.zeros((30, 2**d - 2, players), bool)
    for number in range(1, 2**d - 1):
        for slot in range(d):
            subsets[np.arange(30), number - 1, order[:, slot]] = bool(number >> slot & 1)
    found = walker.subsets(which, which, order)
    assert np.allclose(found, composed(forest, x, b, owner, subsets), rtol=0, atol=1e-13)
    assert walker.asked == 0


def test_transformed_scores_and_words_made_when_asked_for(monkeypatch, loops):
    rng = np.random.default_rng(0)
    forest, owner = random_forest(1, 5, 6), np.arange(5)
    rows, background = random_rows(1, 9, 5), random_rows(2, 7, 5)
    mine, theirs = rng.integers(0, 9, 40), rng.integers(0, 7, 40)
    order = np.array([rng.permutation(5) for _ in range(40)])
    scores = TreeWalker(forest, rows, background, owner, 5).walk(mine, theirs, order)
    assert np.allclose(TreeWalker(forest, rows, background, owner, 5, expit).walk(mine, theirs, order), expit(scores))
    monkeypatch.setattr(walking, "HELD", 0)
    monkeypatch.setattr(walking, "CELLS", 64)
    assert np.array_equal(TreeWalker(forest, rows, background, owner, 5).walk(mine, theirs, order), scores)


def test_the_words_of_all_players_leave_the_row_its_leaf():
    forest, rows = random_forest(3, 6, 11, trees=3), random_rows(4, 50, 6)
    words = cut(forest, np.arange(6), 6)
    left = np.bitwise_and.reduce(words.of(rows), axis=1)
    for tree, start, stop in zip(forest.trees, words.starts, words.starts[1:], strict=False):
        ones = np.array([[bin(word).count("1") for word in row] for row in left[:, start:stop].tolist()])
        assert (ones.sum(axis=1) == 1).all()
        assert len(set(zip(ones.argmax(1), left[:, start:stop].max(1), strict=True))) == len(set(leaves(tree, rows)))


def test_a_tree_of_one_leaf_and_a_forest_of_none(loops):
    leaf = Tree(*(np.array([-1], np.int32),) * 3, np.array([2.0]), lambda X: np.zeros((1, len(X)), bool))
    one, order = np.zeros(1, int), np.array([[1, 0]])
    given = (np.ones((1, 2)), np.zeros((1, 2)), np.arange(2), 2)
    assert (TreeWalker(Forest([leaf], 0.5, "logit", 2), *given).walk(one, one, order) == 2.5).all()
    assert (TreeWalker(Forest([], 0.5, "logit", 2), *given).subsets(one, one, order) == 0.5).all()


@pytest.mark.parametrize("count", [63, 64])
def test_a_full_word(count, loops):
    """A tree of as many leaves as a word has, and of one more."""
    cuts = np.arange(count - 1.0)
    left = [node for level in range(count - 1) for node in (2 * level + 1, -1)]
    right = [node for level in range(count - 1) for node in (2 * level + 2, -1)]
    column = [entry for level in range(count - 1) for entry in (level % 2, -1)]
    value, cut_at = np.arange(2.0 * count - 1), np.r_[np.repeat(cuts, 2), 0.0]
    tree = tree_of([*left, -1], [*right, -1], [*column, -1], value, cut_at, [True] * len(value))
    rng = np.random.default_rng(0)
    forest = Forest([tree], 0.0, "identity", 2)
    rows, background = (rng.uniform(-1, count, (20, 2)) for _ in range(2))
    which = np.arange(20)
    scores = TreeWalker(forest, rows, background, np.arange(2), 2).subsets(which, which, np.tile([0, 1], (20, 1)))
    sets = np.array([[[True, False], [False, True]]] * 20)
    assert np.array_equal(scores, composed(forest, rows, background, np.arange(2), sets))
