"""Means of paired differences: the plain mean, wider than Student's where values are skew, and covering better."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from evenhand.metrics import means, measured_mean


def losses(rng: np.random.Generator, n: int) -> np.ndarray:
    """Excess losses of a model whose log odds shrank to seven tenths."""
    odds = rng.normal(0, 2.5, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-odds))
    signed = np.where(truth, -odds, odds)
    return np.asarray(np.logaddexp(0, 0.7 * signed) - np.logaddexp(0, signed))


def test_the_end_on_the_side_of_the_skewness_is_farther_out_than_students() -> None:
    values, codes = losses(np.random.default_rng(0), 300), np.repeat(np.arange(3, dtype=np.int32), 100)
    found = measured_mean("excess_loss", means(values, codes, 3), 0.95)
    assert found.estimate == pytest.approx([values[codes == g].mean() for g in range(3)])
    own = values[:100]
    half = t.ppf(0.975, 99) * own.std(ddof=1) / 10
    assert found.high[0] == pytest.approx(own.mean() + half), "losses are skew to the left"
    assert found.low[0] < own.mean() - half
    turned = measured_mean("excess_loss", means(-values, codes, 3), 0.95)
    np.testing.assert_allclose(turned.high, -found.low)


def test_without_skew_it_is_students() -> None:
    values = np.tile([-1.0, 1.0], 50)
    found = measured_mean("score_shift", means(values, np.zeros(100, dtype=np.int32), 1), 0.95)
    half = t.ppf(0.975, 99) * values.std(ddof=1) / 10
    assert (found.low[0], found.high[0]) == pytest.approx((-half, half))


def test_an_empty_group_and_one_row_have_open_ends() -> None:
    found = measured_mean("excess_loss", means(np.array([0.3]), np.array([1], dtype=np.int32), 3), 0.95)
    assert found.defined.tolist() == [False, True, False]
    assert not np.isfinite(found.high[1])
    assert found.estimate[1] == pytest.approx(0.3)


@pytest.mark.parametrize(("n", "most"), [(100, 0.045), (400, 0.04)])
def test_skew_losses_are_covered_on_both_sides(n: int, most: float) -> None:
    """Student's alone errs 7.6 % on one side at 100 rows."""
    rng = np.random.default_rng(1)
    truth = losses(np.random.default_rng(9), 2_000_000).mean()
    rounds, codes = 1200, np.repeat(np.arange(1200, dtype=np.int32), n)
    found = measured_mean("excess_loss", means(losses(rng, rounds * n), codes, rounds), 0.95)
    assert (found.low > truth).mean() <= most
    assert (found.high < truth).mean() <= most
