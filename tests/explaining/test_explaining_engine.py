"""The pair engine against brute force and against the laws of Shapley values."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.explaining import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def brute_force(
    f: Callable[[pd.DataFrame], np.ndarray], X: pd.DataFrame, background: pd.DataFrame, groups: Sequence[Sequence[str]]
) -> np.ndarray:
    """Shapley's formula over all subsets of all groups, row by row, with tables mixed by pandas."""
    m = len(groups)
    values = np.zeros((len(X), m))
    for i in range(len(X)):
        v = {}
        for size in range(m + 1):
            for subset in combinations(range(m), size):
                mixed = background.copy()
                for player in subset:
                    for column in groups[player]:
                        mixed[column] = pd.Series(
                            [X[column].iloc[i]] * len(mixed), index=mixed.index, dtype=X[column].dtype
                        )
                v[subset] = float(np.mean(f(mixed)))
        for player in range(m):
            for subset, value in v.items():
                if player not in subset:
                    weight = factorial(len(subset)) * factorial(m - len(subset) - 1) / factorial(m)
                    values[i, player] += weight * (v[tuple(sorted((*subset, player)))] - value)
    return values


def numbers(n: int, m: int, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, m)), columns=[f"x{j}" for j in range(m)])


def wavy(X: pd.DataFrame) -> np.ndarray:
    """Interactions of up to four columns."""
    v = X.to_numpy(dtype=float)
    return v[:, 0] * v[:, 1] * v[:, 2] + np.sin(v[:, 3] * v[:, 0]) + v[:, -1] ** 2 * np.cos(v[:, 1]) * v[:, 2] + v[:, 0]


def test_enumeration_equals_brute_force() -> None:
    X, background = numbers(3, 5), numbers(6, 5, 1)
    found = explain(wavy, X, background, link="identity", method="exact")
    wanted = brute_force(wavy, X, background, [[c] for c in X])
    np.testing.assert_allclose(found.values, wanted, rtol=0, atol=1e-12)
    assert found.exact
    assert found.residual < 1e-12


def test_auto_enumerates_small_tables() -> None:
    found = explain(wavy, numbers(3, 5), numbers(6, 5, 1), link="identity")
    assert found.exact and found.method == "pairs"
    assert "all subsets" in found.reason


def test_shap_exact_explainer_agrees_on_log_odds() -> None:
    shap = pytest.importorskip("shap")
    X, background = numbers(4, 8), numbers(20, 8, 1)

    def probability(table: pd.DataFrame) -> np.ndarray:
        return 1 / (1 + np.exp(-wavy(table)))

    found = explain(probability, X, background, method="exact")
    masker = shap.maskers.Independent(background.to_numpy(), max_samples=len(background))
    explainer = shap.ExactExplainer(lambda rows: wavy(pd.DataFrame(rows, columns=X.columns)), masker)
    wanted = explainer(X.to_numpy(), max_evals=2**9, silent=True)
    np.testing.assert_allclose(found.values, wanted.values, atol=1e-5)
    np.testing.assert_allclose(found.base_value, wanted.base_values[0], atol=1e-5)
    assert found.link == "logit"


def test_sampled_orders_come_near_the_exact_values_and_more_of_them_nearer() -> None:
    X, background = numbers(5, 9), numbers(60, 9, 1)
    exact = explain(wavy, X, background, link="identity", method="exact").values

    def error(permutations: int) -> float:
        found = explain(
            wavy,
            X,
            background,
            link="identity",
            permutations=permutations,
            budget_evaluations=10**5 - 1,
            method="pairs",
        )
        assert not found.exact
        return float(np.linalg.norm(found.values - exact) / np.linalg.norm(exact))

    assert error(1) < 0.1
    assert error(16) < error(1)


def test_reversed_orders_are_exact_for_interactions_of_two() -> None:
    def pairwise(X: pd.DataFrame) -> np.ndarray:
        v = X.to_numpy()
        return v[:, 0] * v[:, 1] + v[:, 2] * v[:, 3] + v[:, 4]

    X, background = numbers(3, 12), numbers(4, 12, 1)
    sampled = explain(pairwise, X, background, link="identity", budget_evaluations=300)
    exact = explain(pairwise, X, background, link="identity", method="exact")
    assert not sampled.exact
    np.testing.assert_allclose(sampled.values, exact.values, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), m=st.integers(1, 9), n=st.integers(1, 5), b=st.integers(1, 12), k=st.integers(1, 3))
def test_sampled_values_add_up_whatever_was_drawn(seed: int, m: int, n: int, b: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.integers(0, 4, size=(n, m)), columns=[f"c{j}" for j in range(m)])
    background = pd.DataFrame(rng.integers(0, 4, size=(b, m)), columns=X.columns)
    w = rng.normal(size=(m, 3))

    def f(table: pd.DataFrame) -> np.ndarray:
        return np.prod(np.sin(table.to_numpy(float) @ w + 1), axis=1)

    found = explain(
        f, X, background, seed=seed, link="identity", permutations=k, method="pairs", budget_evaluations=10**9
    )
    cheap = explain(
        f, X, background, seed=seed, link="identity", permutations=k, method="pairs", budget_evaluations=n * b
    )
    for one in (found, cheap):
        np.testing.assert_allclose(one.values.sum(1) + one.base_value, f(X), rtol=0, atol=1e-9)
        assert one.residual < 1e-9


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), exact=st.booleans())
def test_a_column_that_is_not_used_has_no_value(seed: int, exact: bool) -> None:
    X, background = numbers(3, 6, seed), numbers(5, 6, seed + 1)

    def f(table: pd.DataFrame) -> np.ndarray:
        return wavy(table[["x0", "x1", "x3", "x5"]])

    budget = None if exact else 200
    found = explain(f, X, background, seed=seed, link="identity", budget_evaluations=budget)
    assert found.exact == exact
    assert np.abs(found.values[:, [2, 4]]).max() < 1e-12


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_columns_that_play_the_same_part_have_the_same_value(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, background = numbers(3, 5, seed), numbers(5, 5, seed + 1)
    for table in (X, background):
        table["x1"] = table["x0"]
    a, b = rng.normal(size=2)

    def f(table: pd.DataFrame) -> np.ndarray:
        v = table.to_numpy()
        return np.exp(np.tanh(a * v[:, 0] * v[:, 1] * v[:, 2])) + b * (v[:, 0] + v[:, 1]) * v[:, 3]

    found = explain(f, X, background, link="identity", method="exact")
    np.testing.assert_allclose(found.values[:, 0], found.values[:, 1], atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), a=st.floats(-3, 3), exact=st.booleans())
def test_values_are_linear_in_the_model(seed: int, a: float, exact: bool) -> None:
    X, background = numbers(3, 6, seed), numbers(5, 6, seed + 1)

    def other(table: pd.DataFrame) -> np.ndarray:
        return np.tanh(table.to_numpy().sum(axis=1))

    def both(table: pd.DataFrame) -> np.ndarray:
        return wavy(table) + a * other(table)

    budget = None if exact else 200
    one, two, mix = (explain(f, X, background, link="identity", budget_evaluations=budget) for f in (wavy, other, both))
    # It holds for sampled orders only because the three models had the same ones.
    np.testing.assert_allclose(mix.values, one.values + a * two.values, atol=1e-9)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    X, background = numbers(4, 12), numbers(30, 12, 1)
    one, two = (explain(wavy, X, background, link="identity", seed=3) for _ in range(2))
    other = explain(wavy, X, background, link="identity", seed=4)
    assert not one.exact
    assert one.values.tobytes() == two.values.tobytes()
    assert one.standard_errors is not None and two.standard_errors is not None
    assert one.standard_errors.tobytes() == two.standard_errors.tobytes()
    assert one.values.tobytes() != other.values.tobytes()


def test_two_models_are_asked_for_the_same_rows() -> None:
    X, background = numbers(4, 12), numbers(30, 12, 1)
    asked: dict[str, list[np.ndarray]] = {"one": [], "two": []}

    def listening(name: str, f: Callable[[pd.DataFrame], np.ndarray]) -> Callable[[pd.DataFrame], np.ndarray]:
        def predict(table: pd.DataFrame) -> np.ndarray:
            asked[name].append(table.to_numpy())
            return f(table)

        return predict

    one = explain(listening("one", wavy), X, background, link="identity")
    two = explain(listening("two", lambda t: wavy(t) + 1e-3 * t["x4"].to_numpy()), X, background, link="identity")
    np.testing.assert_array_equal(np.concatenate(asked["one"]), np.concatenate(asked["two"]))
    drift = two.values - one.values
    # With the same orders the drift is the difference's own value, free of sampling noise.
    np.testing.assert_allclose(drift[:, 4], 1e-3 * (X["x4"] - background["x4"].mean()), atol=1e-12)
    assert np.abs(np.delete(drift, 4, axis=1)).max() < 1e-12


def test_the_order_of_a_pair_does_not_depend_on_what_else_is_explained() -> None:
    X, background = numbers(6, 12), numbers(30, 12, 1)
    every = explain(wavy, X, background, link="identity", budget_evaluations=10**6 // 2)
    few = explain(wavy, X.iloc[:2], background, link="identity", budget_evaluations=2000)
    assert not every.exact and not few.exact and every.background_rows == few.background_rows == 30
    np.testing.assert_allclose(every.values[:2], few.values, atol=1e-12)


def test_intervals_cover_the_value_against_the_whole_population() -> None:
    population = numbers(3000, 5, 9)
    X = numbers(4, 5, 10)

    def f(table: pd.DataFrame) -> np.ndarray:
        v = table.to_numpy()
        return v[:, 0] * v[:, 1] + v[:, 2] + np.maximum(v[:, 3], 0) * v[:, 4]

    truth = explain(f, X, population, link="identity", budget_evaluations=4 * 3000 * 8 + 1).values
    covered = []
    for seed in range(200):
        drawn = population.sample(100, random_state=seed)
        found = explain(f, X, drawn, link="identity", seed=seed, budget_evaluations=4 * 100 * 8)
        low, high = found.interval(0.95)
        covered.append((low <= truth) & (truth <= high))
    assert 0.92 < np.mean(covered) < 0.98


def test_budget_of_evaluations_is_kept_by_using_fewer_background_rows() -> None:
    X, background = numbers(4, 12), numbers(50, 12, 1)
    found = explain(wavy, X, background, link="identity", budget_evaluations=1000)
    assert found.background_rows == 1000 // (4 * 22)
    assert found.evaluations <= 1000 + 4 + 50
    assert "11 of 50 background rows" in found.reason
    assert found.residual < 1e-12


def test_when_the_time_is_up_the_estimate_so_far_comes_with_its_error() -> None:
    X, background = numbers(4, 12), numbers(50, 12, 1)
    found = explain(wavy, X, background, link="identity", budget_seconds=1e-9)
    assert found.background_rows == 1
    assert found.standard_errors is None
    assert "time was up after 1 of 50" in found.reason
    assert found.residual < 1e-12
    calls: list[tuple[int, int]] = []
    whole = explain(wavy, X, background, link="identity", budget_seconds=1e6, progress=lambda *now: calls.append(now))
    assert whole.background_rows == 50 and whole.standard_errors is not None
    assert calls[-1][0] == calls[-1][1]
