"""Shapley values of tree ensembles against every coalition's mixed rows, against shap, and what they cost."""

from __future__ import annotations

import numpy as np
import pytest
from tests.explaining.forests import by_coalitions, by_leaves, comb, random_forest, random_rows

from evenhand.explaining import explain
from evenhand.explaining.trees import by_pair, by_table, shapley
from evenhand.explaining.trees.compiling import compiled
from evenhand.explaining.trees.forest import Forest, Tree
from evenhand.explaining.trees.shapley import tree_values
from evenhand.explaining.trees.weights import quadrature, weights
from evenhand.subjects import as_subject


@pytest.fixture(params=["numpy", "numba"])
def loops(request, monkeypatch):
    """Both ways of computing, whatever the size."""
    if request.param == "numba":
        pytest.importorskip("numba")
        monkeypatch.setattr(shapley, "WORTH_IT", 0)
    else:
        monkeypatch.setattr(shapley, "compiled", lambda loop: None)
    return request.param


def check(forest, rows, background, owner, players, blocks):
    values = tree_values(forest, rows, background, owner, players, blocks)
    assert values.shape == (blocks.max() + 1, len(rows), players)
    for block, found in enumerate(values):
        wanted = by_coalitions(forest, rows, background[blocks == block], owner, players)
        assert np.allclose(found, wanted, rtol=0, atol=1e-12)
    return values


@pytest.mark.parametrize("seed", range(6))
def test_values_are_those_of_all_coalitions(seed, loops):
    columns = 5 + seed
    rng = np.random.default_rng(seed)
    owner = np.arange(columns) if seed % 2 else rng.integers(0, 4, columns)
    players = columns if seed % 2 else 4
    forest = random_forest(seed, columns, depth=3 + seed)
    background = random_rows(seed + 50, 11, columns)
    check(forest, random_rows(seed, 6, columns), background, owner, players, np.arange(11) % 3)


def test_players_that_no_tree_asks_and_trees_of_one_leaf(loops):
    leaf = Tree(*(np.array([-1], np.int32),) * 3, np.array([2.0]), lambda X: np.zeros((1, len(X)), bool))
    asked = random_forest(3, 2, depth=3)
    forest = Forest([leaf, *asked.trees], 1.0, "logit", 4)
    owner = np.array([2, 0, 1, 3])
    values = check(forest, random_rows(1, 5, 4), random_rows(2, 7, 4), owner, 4, np.zeros(7, int))
    assert not values[:, :, [1, 3]].any()
    assert not tree_values(
        Forest([leaf], 1.0, "logit", 4), np.ones((3, 4)), np.zeros((2, 4)), owner, 4, np.arange(2)
    ).any()


def test_one_player_that_has_all_columns_gets_the_difference(loops):
    forest = random_forest(8, 6, depth=7)
    rows, background = random_rows(3, 9, 6), random_rows(4, 13, 6)
    values = tree_values(forest, rows, background, np.zeros(6, int), 1, np.zeros(13, int))
    assert np.allclose(values[0, :, 0], forest.score(rows) - forest.score(background).mean())


@pytest.mark.parametrize("depth", [12, 13, 40, 80])
def test_long_paths(depth, loops):
    """Beyond the tables' reach, and beyond 64 players."""
    forest = Forest([comb(depth), comb(depth, -0.4)], 0.0, "identity", depth)
    rows, background = random_rows(5, 6, depth), random_rows(6, 9, depth) + 0.3
    # A pair that reaches the last leaf only with every player from its own side.
    rows[0], background[0] = np.tile([-1.0, 5.0], depth)[:depth], np.tile([5.0, -1.0], depth)[:depth]
    blocks = np.arange(9) % 2
    values = tree_values(forest, rows, background, np.arange(depth), depth, blocks)
    assert np.abs(values[0, 0]).min() > 0
    for block, found in enumerate(values):
        wanted = by_leaves(forest, rows, background[blocks == block], np.arange(depth), depth)
        assert np.allclose(found, wanted, rtol=1e-12, atol=1e-14)


def test_leaves_one_by_one_are_all_coalitions(loops):
    """The oracle of the long paths against that of the short ones, and twelve players."""
    forest = Forest([comb(11), *random_forest(4, 11, depth=8, trees=1).trees], 0.0, "identity", 11)
    rows, background = random_rows(7, 2, 11), random_rows(8, 3, 11) + 0.5
    wanted = by_coalitions(forest, rows, background, np.arange(11), 11)
    assert np.allclose(by_leaves(forest, rows, background, np.arange(11), 11), wanted, rtol=0, atol=1e-13)
    assert np.allclose(
        tree_values(forest, rows, background, np.arange(11), 11, np.zeros(3, int))[0], wanted, atol=1e-13
    )


def test_ways_agree(monkeypatch):
    """A leaf by its table, and by pairs of rows."""
    monkeypatch.setattr(shapley, "compiled", lambda loop: None)
    forest = random_forest(11, 9, depth=9)
    given = (forest, random_rows(1, 40, 9), random_rows(2, 33, 9), np.arange(9), 9, np.arange(33) % 4)
    by_tables = tree_values(*given)
    monkeypatch.setattr(shapley, "MOST", 3)
    monkeypatch.setattr(by_pair, "CELLS", 100)
    assert np.allclose(by_tables, tree_values(*given), rtol=0, atol=1e-13)
    monkeypatch.setattr(shapley, "MOST", 12)
    monkeypatch.setattr(shapley, "SMALL", 0)
    monkeypatch.setattr(shapley, "PER_PAIR", 0)
    monkeypatch.delattr(shapley, "_add_tables")
    assert np.allclose(by_tables, tree_values(*given), rtol=0, atol=1e-13)


def test_compiled_loops_agree(monkeypatch):
    """Tables and pairs, more background rows than a word has bits, more blocks than lanes, shared players."""
    pytest.importorskip("numba")
    forest = random_forest(13, 12, depth=10)
    owner, blocks = np.arange(12) % 7, np.arange(150) % 9
    given = (forest, random_rows(1, 60, 12), random_rows(2, 150, 12), owner, 7, blocks)
    by_numpy = tree_values(*given)
    monkeypatch.setattr(shapley, "WORTH_IT", 0)
    monkeypatch.setattr(shapley, "ROWS_A_TABLE", 1000)
    by_tables = tree_values(*given)
    monkeypatch.setattr(shapley, "MOST_TABLED", 0)
    by_pairs = tree_values(*given)
    assert np.allclose(by_tables, by_numpy, rtol=0, atol=1e-13)
    assert np.allclose(by_pairs, by_numpy, rtol=0, atol=1e-13)
    assert not np.array_equal(by_pairs, by_tables)  # or the same loop ran twice


def test_rows_in_parts(monkeypatch, loops):
    forest = random_forest(12, 6, depth=6)
    given = (forest, random_rows(1, 50, 6), random_rows(2, 20, 6), np.arange(6), 6, np.arange(20) % 2)
    whole = tree_values(*given)
    monkeypatch.setattr(shapley, "HELD", 200)
    monkeypatch.setattr(by_table, "CELLS", 64)
    monkeypatch.setattr(shapley, "CELLS", 64)
    assert np.allclose(whole, tree_values(*given), rtol=0, atol=1e-13)


def test_work_grows_with_rows_plus_background(monkeypatch):
    """Tables are made from the background alone and looked up by the rows alone: no pair of rows is formed."""
    monkeypatch.setattr(shapley, "compiled", lambda loop: None)
    monkeypatch.delattr(shapley, "follow")
    monkeypatch.delattr(shapley, "add_leaves")
    sizes = {"made from": 0, "looked up": 0}
    make, look_up = shapley.leaf_tables, shapley._look_up

    def made(players, failed, *rest):
        sizes["made from"] += failed.size
        return make(players, failed, *rest)

    def looked_up(tables, kept, *rest):
        sizes["looked up"] += kept.size
        look_up(tables, kept, *rest)

    monkeypatch.setattr(shapley, "leaf_tables", made)
    monkeypatch.setattr(shapley, "_look_up", looked_up)
    forest = random_forest(14, 8, depth=5)
    leaves = sum(int((tree.left < 0).sum()) for tree in forest.trees)
    for n, b in ((100, 50), (300, 50), (100, 200)):
        sizes.update({"made from": 0, "looked up": 0})
        tree_values(forest, random_rows(1, n, 8), random_rows(2, b, 8), np.arange(8), 8, np.arange(b) % 5)
        assert sizes == {"made from": leaves * b, "looked up": leaves * n}


@pytest.mark.parametrize(("n", "loop"), [(3, "add_by_pairs"), (100, "add_by_tables")])
def test_the_compiled_loop_is_chosen_by_the_rows(monkeypatch, n, loop):
    ran = []
    monkeypatch.setattr(shapley, "WORTH_IT", 0)
    monkeypatch.setattr(shapley, "compiled", lambda loop: lambda *arrays: ran.append(loop.__name__))
    forest = random_forest(2, 8, depth=6, trees=2, balance=1)
    tree_values(forest, random_rows(1, n, 8), random_rows(2, 20, 8), np.arange(8), 8, np.zeros(20, int))
    assert ran == [loop, loop]


def test_small_work_loads_no_compiler(monkeypatch):
    asked = []
    monkeypatch.setattr(shapley, "compiled", asked.append)
    forest = random_forest(2, 8, depth=6)
    given = (forest, random_rows(1, 50, 8), random_rows(2, 50, 8), np.arange(8), 8, np.arange(50) % 10)
    tree_values(*given)
    assert asked == []
    monkeypatch.setattr(shapley, "WORTH_IT", 0)
    tree_values(*given)
    assert asked, "larger work asks for it"


def test_loops_are_compiled_with_what_they_call_where_no_cache_can_be_written():
    pytest.importorskip("numba")
    module = {"__name__": "made"}
    exec("def loop(x):\n    x[0] = twice(x[0])\n\ndef twice(value):\n    return 2 * value", module)
    given = np.array([3.0])
    compiled(module["loop"])(given)
    assert given[0] == 6.0


def test_points_give_the_weights():
    for players in range(1, 13):
        points, shares = quadrature(players)
        for a in range(1, players + 1):
            for c in range(players - a + 1):
                integral = shares @ (points ** (a - 1) * (1 - points) ** c)
                assert integral == pytest.approx(weights(players)[a, c], rel=1e-13)


@pytest.mark.parametrize("kind", ["forest", "boosting"])
def test_values_are_shaps(kind):
    shap = pytest.importorskip("shap")
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor

    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 7)).astype(np.float32).astype(float)
    y = X[:, 0] * X[:, 1] + np.abs(X[:, 2]) + rng.normal(size=400)
    if kind == "forest":
        model = RandomForestRegressor(5, random_state=0).fit(X, y)
        trees, factor, base = [each.tree_ for each in model.estimators_], 1 / 5, 0.0
    else:
        model = GradientBoostingRegressor(n_estimators=20, max_depth=4, random_state=0).fit(X, y)
        trees, factor, base = [each.tree_ for each in model.estimators_[:, 0]], 0.1, float(y.mean())
    forest = Forest([from_sklearn(tree, factor) for tree in trees], base, "identity", 7)
    rows, background = X[:30], X[-25:]
    assert np.allclose(forest.score(rows), model.predict(rows))
    masker = shap.maskers.Independent(background, max_samples=len(background))
    wanted = shap.TreeExplainer(model, masker, feature_perturbation="interventional").shap_values(rows)
    found = tree_values(forest, rows, background, np.arange(7), 7, np.zeros(25, int))[0]
    assert np.abs(found - wanted).max() < 1e-6 * np.abs(wanted).max()  # shap adds leaves in single precision


def from_sklearn(tree, factor):
    left = tree.children_left.astype(np.int32)
    column = np.where(left < 0, -1, tree.feature).astype(np.int32)
    cut = tree.threshold

    def passes(X):
        return X.T[column].astype(np.float32) <= cut[:, None]

    return Tree(left, tree.children_right.astype(np.int32), column, tree.value[:, 0, 0] * factor, passes)


def test_probabilities_of_single_precision_are_no_reason_to_refuse_trees():
    """Near 1 they tell log-odds to a few hundredths only, which says nothing against the trees."""
    xgboost = pytest.importorskip("xgboost")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    model = xgboost.XGBClassifier(
        n_estimators=30, max_depth=3, learning_rate=0.6, n_jobs=1, reg_lambda=0.01, min_child_weight=0
    )
    model.fit(X, X[:, 0] + X[:, 1] > 0)
    subject, rows = as_subject(model), X[:40]
    margins, told = model.predict(rows, output_margin=True), explain(subject, rows, X[-20:])
    assert told.method == "tree", told.reason
    single = model.predict_proba(rows)[:, 1].clip(1e-7, 1 - 1e-7).astype(float)
    assert np.abs(np.log(single / (1 - single)) - margins).max() > 0.1 * margins.std()
    sums = told.values.sum(axis=1) + told.base_value
    assert np.allclose(sums, margins, rtol=1e-5)
