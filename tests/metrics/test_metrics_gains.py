"""How much nearer to the truth one model is than another: paired, in the unit of the label, with intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from evenhand.errors import InputError
from evenhand.metrics.values.gains import ERRORS, error_of, measure_gain

BANDS = (0.1, 0.5, 0.9)
ONE = np.zeros(400, dtype=np.int32)


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, and predictions of two models that miss much the same."""
    rng = np.random.default_rng(0)
    truth, shared = 10 * rng.normal(size=400), rng.normal(size=400)
    return truth, truth + shared + 0.5 * rng.normal(size=400), truth + shared + 0.2 * rng.normal(size=400)


def test_a_mean_of_differences_has_students_interval_where_it_is_not_skew() -> None:
    truth, old = np.zeros(100), np.tile([1.0, 3.0], 50)
    found = measure_gain("mean_absolute_error", truth, old, np.full(100, 1.5), np.zeros(100, dtype=np.int32))
    half = t.ppf(0.975, 99) * np.std(old, ddof=1) / 10
    assert found.estimate[0] == pytest.approx(0.5)
    assert (found.low[0], found.high[0]) == pytest.approx((0.5 - half, 0.5 + half))


def test_a_difference_of_roots_is_as_wide_as_the_bootstrap_says(rows: tuple[np.ndarray, ...]) -> None:
    truth, old, new = rows
    found = measure_gain("root_mean_squared_error", truth, old, new, ONE)
    roots = [np.sqrt(((side - truth) ** 2).mean()) for side in (old, new)]
    assert found.estimate[0] == pytest.approx(roots[0] - roots[1])
    drawn = np.random.default_rng(1).integers(0, 400, (4000, 400))
    again = [np.sqrt(((side - truth)[drawn] ** 2).mean(axis=1)) for side in (old, new)]
    width = float(np.subtract(*np.quantile(again[0] - again[1], [0.975, 0.025])))
    assert found.high[0] - found.low[0] == pytest.approx(width, rel=0.2)
    alone = [measure_gain("root_mean_squared_error", truth, side, truth, ONE) for side in (old, new)]
    assert width < 0.5 * min(float(one.high[0] - one.low[0]) for one in alone), "what both miss cancels"


@pytest.mark.parametrize("error", ERRORS)
def test_the_gain_is_the_difference_of_the_errors_by_group_and_weight(error: str, rows: tuple[np.ndarray, ...]) -> None:
    truth, old, new = rows
    if error == "pinball_loss":
        old, new = (side[:, None] + np.array([-1.3, 0.0, 1.3]) for side in (old, new))
    codes = np.arange(400, dtype=np.int32) % 2
    weight = np.random.default_rng(2).uniform(0.5, 2.0, 400)
    found = measure_gain(error, truth, old, new, codes, 2, weight=weight, quantiles=BANDS)
    turned = measure_gain(error, truth, new, old, codes, 2, weight=weight, quantiles=BANDS)
    for group in (0, 1):
        of = codes == group
        sides = [error_of(error, truth[of], side[of], weight[of], BANDS) for side in (old, new)]
        assert found.estimate[group] == pytest.approx(sides[0] - sides[1])
    np.testing.assert_allclose(turned.estimate, -found.estimate)
    np.testing.assert_allclose((turned.low, turned.high), (-found.high, -found.low))


def test_one_model_alone_gains_nothing(rows: tuple[np.ndarray, ...]) -> None:
    truth, old, _ = rows
    for error in ERRORS[:2]:
        found = measure_gain(error, truth, old, old, ONE)
        assert (found.estimate[0], found.low[0], found.high[0]) == (0, 0, 0)
        perfect = measure_gain(error, truth, truth, truth, ONE)
        assert (perfect.low[0], perfect.high[0]) == (0, 0)


def test_clusters_widen(rows: tuple[np.ndarray, ...]) -> None:
    truth, old, new = (np.repeat(part[:40], 10) for part in rows)
    plain, clustered = (
        measure_gain("mean_absolute_error", truth, old, new, ONE, clusters=clusters)
        for clusters in (None, np.repeat(np.arange(40), 10))
    )
    assert clustered.high[0] - clustered.low[0] > 2 * (plain.high[0] - plain.low[0])


def test_another_error_is_refused() -> None:
    with pytest.raises(InputError, match=r"'r2' is no error that models are compared by"):
        measure_gain("r2", [1.0], [1.0], [1.0], [0])
