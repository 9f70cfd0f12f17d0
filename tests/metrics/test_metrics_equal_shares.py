"""Tests of equal shares, many at once, are those that scipy makes one at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from evenhand.metrics.comparisons import equal_shares
from evenhand.metrics.comparisons.equal_shares import fisher, z_test


def theirs(tables: np.ndarray) -> np.ndarray:
    return np.array([fisher_exact([[a, n - a], [b, m - b]])[1] for a, n, b, m in tables])


def drawn(most: int, number: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, most, (2, number))
    m = np.where(rng.random(number) < 0.3, n, m)  # equal sizes have equal chances on both sides
    p = rng.choice([0.0, 0.001, 0.05, 0.3, 0.5, 0.9, 1.0], number)
    q = np.where(rng.random(number) < 0.6, p, rng.choice([0.001, 0.05, 0.3, 0.9], number))
    return np.column_stack([rng.binomial(n, p), n, rng.binomial(m, q), m])


def test_all_small_tables_are_tested_as_by_scipy() -> None:
    sizes = itertools.product(range(1, 8), repeat=2)
    tables = np.array([(a, n, b, m) for n, m in sizes for a in range(n + 1) for b in range(m + 1)])
    assert fisher(*tables.T) == pytest.approx(theirs(tables), abs=1e-12)


@pytest.mark.parametrize(("most", "number", "rel"), [(30, 200, 1e-10), (20_000, 60, 1e-9), (600_000, 25, 1e-7)])
def test_large_tables_are_tested_as_by_scipy(most: int, number: int, rel: float) -> None:
    """Old scipy takes differences of logarithms of factorials, and so has fewer digits where rows are many."""
    tables = drawn(most, number, most)
    assert fisher(*tables.T) == pytest.approx(theirs(tables), rel=rel, abs=1e-300)


def test_a_chance_of_nearly_nothing_keeps_its_digits() -> None:
    tables = np.array([(0, 500, 480, 500), (1_000, 1_000, 1, 1_000), (3, 9_000, 900, 9_000)])
    found = fisher(*tables.T)
    assert found.max() < 1e-100
    assert found == pytest.approx(theirs(tables), rel=1e-9, abs=0)
    assert fisher(0, 5_000, 5_000, 5_000) == 0.0


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = drawn(300, 80, 1)
    whole = fisher(*tables.T)
    monkeypatch.setattr(equal_shares, "MOST_TERMS", 500)
    assert fisher(*tables.T) == pytest.approx(whole, rel=1e-12)


def test_one_call_takes_any_shape_and_a_share_without_rows_has_no_test() -> None:
    tables = drawn(50, 12, 2).T.reshape(4, 3, 4)
    assert fisher(*tables).shape == (3, 4)
    assert fisher(*tables)[1, 2] == fisher(*tables[:, 1, 2])
    assert np.isnan(fisher([1, 0], [4, 0], [0, 2], [0, 4])).all()
    assert np.isnan(z_test([1, 0], [4, 0], [0, 2], [0, 4])).all()
    assert len(fisher([], [], [], [])) == 0


def test_the_z_test_is_that_of_the_table_and_takes_over_where_rows_are_very_many() -> None:
    tables = np.array([(48, 80, 12, 40), (9, 30, 11, 200)])
    by_table = [chi2_contingency([[a, n - a], [b, m - b]], correction=False).pvalue for a, n, b, m in tables]
    assert z_test(*tables.T) == pytest.approx(by_table)
    assert z_test(0, 4, 0, 9) == 1.0
    many = (500_010_000, 10**9, 500_000_000, 10**9)
    assert fisher(*many) == z_test(*many)
