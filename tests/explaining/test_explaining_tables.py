"""Columns of all kinds, groups of columns, and pipelines with an encoder inside."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from evenhand.errors import InputError
from evenhand.explaining import choose_background, explain
from evenhand.explaining.evaluating import distinct
from evenhand.explaining.table import CodedTable
from evenhand.subjects import as_subject


def mixed(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            "number": rng.normal(size=n),
            "whole": rng.integers(0, 5, n),
            "text": pd.Series(rng.choice(["a", "b", "c"], n)),
            "thing": pd.Series(rng.choice(["x", "y"], n)).astype(object),
            "kind": pd.Categorical(
                rng.choice(["red", "green", "blue"], n), categories=["red", "green", "blue", "grey"]
            ),
            "flag": rng.random(n) < 0.5,
            "maybe": pd.array(rng.integers(0, 3, n), dtype="Int64"),
            "day": pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 9, n), unit="D"),
        }
    )
    made.loc[rng.random(n) < 0.3, "number"] = np.nan
    made.loc[rng.random(n) < 0.3, "text"] = None
    made.loc[rng.random(n) < 0.3, "kind"] = np.nan
    made.loc[rng.random(n) < 0.3, "maybe"] = pd.NA
    return made


def score_mixed(X: pd.DataFrame) -> np.ndarray:
    """Reads every column through its own type, so that a wrong type fails loudly."""
    return np.asarray(
        X["number"].fillna(0.5).to_numpy() * X["whole"].to_numpy()
        + X["text"].fillna("none").str.len().to_numpy() * X["flag"].to_numpy()
        + (X["thing"] == "x").to_numpy() * X["kind"].cat.codes.to_numpy()
        + X["maybe"].fillna(7).to_numpy(dtype=float) * X["day"].dt.day.to_numpy(),
        dtype=float,
    )


def test_a_coded_table_gives_back_what_it_was_given() -> None:
    X, background = mixed(40, 0), mixed(30, 1)
    table = CodedTable(X, background, {name: (name,) for name in X})
    pd.testing.assert_frame_equal(table.decode(table.rows), X)
    pd.testing.assert_frame_equal(table.decode(table.background), background)


def test_values_of_mixed_columns_add_up_on_the_models_own_types() -> None:
    found = explain(score_mixed, mixed(20, 0), mixed(25, 1), link="identity")
    assert found.residual < 1e-9
    assert found.feature_names == tuple(mixed(1, 0))
    assert (np.abs(found.values).max(axis=0) > 0).all()


def test_rows_outside_the_background_and_unseen_categories_are_explained() -> None:
    X = pd.DataFrame({"a": ["new", "old"], "b": pd.Categorical(["q", "r"])})
    background = pd.DataFrame({"a": ["old", "older"], "b": pd.Categorical(["r", "s"])})
    found = explain(lambda t: t["a"].str.len().to_numpy() * 1.0 + (t["b"] == "q"), X, background, link="identity")
    np.testing.assert_allclose(found.values, [[-1.0, 1.0], [-1.0, 0.0]])


def test_equal_rows_are_asked_once() -> None:
    X = pd.DataFrame({"a": [0, 1] * 30, "b": [0, 0, 1] * 20, "c": [0, 1, 1, 0] * 15})
    found = explain(lambda t: t["a"] * t["b"] * t["c"] * 1.0, X, X, link="identity")
    assert found.evaluations > 1000
    assert found.model_rows < 500
    assert found.residual < 1e-12


@pytest.mark.parametrize("cardinalities", [(5, 5, 5), (2**31 - 1,) * 3])
def test_distinct_rows_are_told_apart_with_and_without_a_hash(cardinalities: tuple[int, ...]) -> None:
    codes = np.random.default_rng(0).integers(0, 5, size=(3, 400)).astype(np.int32)
    first, inverse = distinct(codes, cardinalities)
    np.testing.assert_array_equal(codes[:, first][:, inverse], codes)
    assert len(first) == len(np.unique(codes, axis=1).T)


def fitted_one_hot() -> tuple[object, pd.DataFrame]:
    rng = np.random.default_rng(5)
    X = pd.DataFrame(
        {
            "job": rng.choice(["clerk", "cook", "nurse", "smith"], 400),
            "town": rng.choice(["east", "west", "north"], 400),
            "age": rng.normal(size=400),
        }
    )
    y = ((X["job"] == "cook") & (X["age"] > 0)) | ((X["town"] == "east") & (X["job"] == "smith"))
    encode = make_column_transformer((OneHotEncoder(sparse_output=False), ["job", "town"]), remainder="passthrough")
    pipe = make_pipeline(encode, GradientBoostingClassifier(n_estimators=30, max_depth=4))
    return pipe.fit(X, y.astype(int)), X


def test_a_one_hot_column_is_one_feature_and_its_value_is_not_the_sum_of_its_columns() -> None:
    pipe, X = fitted_one_hot()
    rows, background = X.iloc[:4], X.iloc[100:112]
    found = explain(as_subject(pipe), rows, background, method="exact")
    encoder, head = pipe[0], pipe[1:]

    def columns_score(encoded: np.ndarray) -> np.ndarray:
        return head.decision_function(encoded)

    e_rows, e_background = encoder.transform(rows), encoder.transform(background)
    blocks = [[0, 1, 2, 3], [4, 5, 6], [7]]
    grouped = encoded_shapley(columns_score, e_rows, e_background, blocks)
    np.testing.assert_allclose(found.values, grouped, atol=1e-5)
    alone = encoded_shapley(columns_score, e_rows, e_background, [[j] for j in range(8)])
    summed = np.stack([alone[:, block].sum(axis=1) for block in blocks], axis=1)
    assert np.abs(found.values - summed).max() > 0.01


def encoded_shapley(f, rows: np.ndarray, background: np.ndarray, blocks: list[list[int]]) -> np.ndarray:
    m = len(blocks)
    phi = np.zeros((len(rows), m))
    for i, x in enumerate(rows):
        v = {}
        for size in range(m + 1):
            for subset in combinations(range(m), size):
                table = background.copy()
                for player in subset:
                    table[:, blocks[player]] = x[blocks[player]]
                v[subset] = f(table).mean()
        for j in range(m):
            for s, value in v.items():
                if j not in s:
                    phi[i, j] += (
                        factorial(len(s))
                        * factorial(m - len(s) - 1)
                        / factorial(m)
                        * (v[tuple(sorted((*s, j)))] - value)
                    )
    return phi


def test_declared_groups_are_one_player_each() -> None:
    rng = np.random.default_rng(1)
    X, background = (pd.DataFrame(rng.normal(size=(n, 5)), columns=list("abcde")) for n in (3, 6))

    def f(table: pd.DataFrame) -> np.ndarray:
        v = table.to_numpy()
        return v[:, 0] * v[:, 1] * v[:, 2] + np.tanh(v[:, 3] * v[:, 4])

    found = explain(f, X, background, link="identity", players={"body": ["a", "c"], "mind": ["d"]}, method="exact")
    assert found.feature_names == ("body", "b", "mind", "e")
    wanted = encoded_shapley(
        lambda v: f(pd.DataFrame(v, columns=list("abcde"))),
        X.to_numpy(),
        background.to_numpy(),
        [[0, 2], [1], [3], [4]],
    )
    np.testing.assert_allclose(found.values, wanted, atol=1e-12)
    assert found.data["body"].iloc[0].startswith("a=")


def test_groups_that_cannot_be_meant_are_told_all_at_once() -> None:
    X = pd.DataFrame({"age": [1.0], "town": [2.0], "job": [3.0]})
    with pytest.raises(InputError) as told:
        explain(
            lambda t: t["age"], X, X, players={"g": ["agee"], "h": ["town"], "i": ["town"], "job": ["age"], "k": []}
        )
    text = str(told.value)
    assert "Did you mean 'age'?" in text
    assert "'town' stands in more than one group" in text
    assert "group 'job' is called like a column outside" in text
    assert "group 'k' has no columns" in text


def test_a_pipeline_with_native_categories_is_explained() -> None:
    rng = np.random.default_rng(2)
    X = pd.DataFrame({"kind": pd.Categorical(rng.choice(list("pqr"), 300)), "size": rng.normal(size=300)})
    y = ((X["kind"] == "p") ^ (X["size"] > 0)).astype(int)
    model = HistGradientBoostingClassifier(max_iter=20, categorical_features="from_dtype").fit(X, y)
    found = explain(as_subject(model), X.iloc[:10], X.iloc[50:80])
    assert found.method == "tree"
    assert found.residual < 1e-9


def test_a_chosen_background_is_part_of_the_table_and_repeatable() -> None:
    table = pd.DataFrame({"a": range(1000)})
    one, two = choose_background(table, 50, seed=1), choose_background(table, 50, seed=1)
    assert one.equals(two) and len(one) == 50 and one["a"].is_monotonic_increasing
    assert not one.equals(choose_background(table, 50, seed=2))
    assert choose_background(table, 5000) is table
    with pytest.raises(InputError):
        choose_background(table.iloc[:0])


def test_rows_that_share_an_index_and_columns_that_are_numbers_are_explained() -> None:
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(6, 3)), index=[1, 1, 2, 2, 2, 3])
    found = explain(lambda t: t[0] * t[2], X, X, link="identity")
    assert found.feature_names == ("0", "1", "2") and found.residual < 1e-12
    pd.testing.assert_index_equal(found.data.index, X.index)
    with pytest.raises(InputError, match="as text"):
        both = X.rename(columns={1: "0"})
        explain(lambda t: t[0], both, both)


def test_wide_tables_are_explained_in_little_memory() -> None:
    import tracemalloc

    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(2, 1500)))
    w = rng.normal(size=1500)
    tracemalloc.start()
    found = explain(
        lambda t: t.to_numpy() @ w, X, X * 0, link="identity", players={"rest": [str(j) for j in range(600)]}
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(found.values[:, 1:], (X * w).to_numpy()[:, 600:], atol=1e-9)
    assert peak < 400e6
