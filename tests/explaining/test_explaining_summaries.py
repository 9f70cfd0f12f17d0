"""Importance and the parts of a gap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.errors import InputError
from evenhand.explaining import Attributions, explain, gap_parts, group_importance, importance


def population(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"a": rng.normal(size=n), "b": rng.normal(size=n), "c": rng.normal(size=n), "unused": rng.normal(size=n)}
    )


def f(X: pd.DataFrame) -> np.ndarray:
    return np.asarray(X["a"] * X["b"] + 2 * X["c"])


@pytest.fixture(scope="module")
def found() -> Attributions:
    return explain(f, population(120, 0), population(80, 1), link="identity", method="exact")


def test_importance_is_the_mean_absolute_value(found: Attributions) -> None:
    whole = importance(found)
    np.testing.assert_allclose(whole.estimate, np.abs(found.values).mean(axis=0))
    assert (whole.low <= whole.estimate).all() and (whole.estimate <= whole.high).all() and (whole.low >= 0).all()
    assert whole.high[3] < 1e-12
    assert whole.rows == 120 and whole.link == "identity" and "background" in whole.method
    wide = importance(found, level=0.99)
    assert (wide.high >= whole.high).all() and wide.high[0] > whole.high[0]


def test_weights_count_rows_and_zero_weights_leave_them_out(found: Attributions) -> None:
    chosen = np.arange(120) < 30
    by_weight = importance(found, chosen.astype(float))
    by_rows = importance(found, rows=chosen)
    np.testing.assert_allclose(by_weight.estimate, by_rows.estimate)
    np.testing.assert_allclose(by_weight.standard_errors, by_rows.standard_errors)


def test_importance_by_group_averages_to_the_whole(found: Attributions) -> None:
    codes = np.arange(120) % 3
    groups = group_importance(found, codes, 4)
    assert groups[3] is None
    present = [group for group in groups if group is not None]
    mean = sum(group.estimate * group.rows for group in present) / 120
    np.testing.assert_allclose(mean, importance(found).estimate)


def test_importance_of_one_row_has_no_interval(found: Attributions) -> None:
    one = importance(found, rows=np.array([4]))
    assert np.isnan(one.low).all() and np.isnan(one.high).all()
    np.testing.assert_allclose(one.estimate, np.abs(found.values[4]))


def test_intervals_of_importance_cover_the_populations_value() -> None:
    truth = importance(
        explain(f, population(1200, 7), population(600, 8), link="identity", budget_evaluations=10**8)
    ).estimate
    covered = []
    for seed in range(60):
        drawn = explain(f, population(100, 100 + seed), population(100, 300 + seed), link="identity", method="exact")
        one = importance(drawn)
        covered.append((one.low <= truth)[:3] & (truth <= one.high)[:3])
    assert 0.88 < np.mean(covered) <= 1.0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), weighted=st.booleans())
def test_the_parts_sum_to_the_gap_and_turn_their_sign(found: Attributions, seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, 120)
    weights = rng.random(120) + 0.1 if weighted else None
    one, two = gap_parts(found, codes, 0, 1, weights), gap_parts(found, codes, 1, 0, weights)
    np.testing.assert_allclose(one.estimate.sum(), one.gap, atol=1e-9)
    assert one.residual < 1e-9
    np.testing.assert_allclose(one.estimate, -two.estimate)
    np.testing.assert_allclose(one.standard_errors, two.standard_errors)
    share = np.ones(120) if weights is None else weights
    wanted = np.average(f(population(120, 0))[codes == 0], weights=share[codes == 0]) - np.average(
        f(population(120, 0))[codes == 1], weights=share[codes == 1]
    )
    np.testing.assert_allclose(one.gap, wanted)


def test_a_gap_made_by_one_column_is_found_in_that_column() -> None:
    rng = np.random.default_rng(3)
    codes = np.repeat([0, 1], 100)
    X = population(200, 4)
    X["c"] += codes
    parts = gap_parts(explain(f, X, X.iloc[rng.permutation(200)[:100]], link="identity", method="exact"), codes, 1, 0)
    assert parts.low[2] > 1.0 and parts.low[2] < 2.0 < parts.high[2]
    assert abs(parts.estimate[3]) < 1e-9
    assert parts.rows == (100, 100)


def test_errors_of_arguments_are_sentences(found: Attributions) -> None:
    with pytest.raises(InputError, match="No explained row"):
        importance(found, rows=np.zeros(120, dtype=bool))
    with pytest.raises(InputError, match="weights have shape"):
        importance(found, np.ones(3))
    with pytest.raises(InputError, match="at least 0"):
        importance(found, -np.ones(120))
    with pytest.raises(InputError, match="codes have shape"):
        gap_parts(found, np.zeros(3, dtype=int), 0, 1)
    with pytest.raises(InputError, match="No explained row"):
        gap_parts(found, np.zeros(120, dtype=int), 0, 1)
