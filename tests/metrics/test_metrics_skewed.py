"""Limits of skew means, medians, rare outcomes and areas of few rows; and what is marked as not covered."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, t
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

import evenhand as eh
from evenhand.metrics import brier_score, compare, log_loss, means, roc_auc
from evenhand.metrics.values.ranking_curves import areas_like
from evenhand.metrics.values.regression import measure_numbers
from evenhand.metrics.values.scores import calibration_error, calibration_ratio

Z = 1.959963984540054


def measured(metric: str, errors: np.ndarray, codes: np.ndarray, groups: int = 1, **more: np.ndarray):
    return measure_numbers(metric, np.zeros(len(errors)), errors, codes, groups, **more)


@pytest.mark.parametrize("n", [6, 7, 20, 101, 1_000])
def test_the_limits_of_a_median_are_order_statistics(n: int) -> None:
    errors = np.random.default_rng(n).standard_t(3, n)
    found = measured("median_absolute_error", errors, np.zeros(n, dtype=int))
    ordered = np.sort(np.abs(errors))
    rank = int(np.where(ordered == found.low[0])[0][0]) + 1
    assert binom.cdf(rank - 1, n, 0.5) <= 0.025 < binom.cdf(rank, n, 0.5)
    assert found.high[0] == ordered[n - rank]
    assert found.estimate[0] == pytest.approx(np.median(ordered))


def test_a_median_of_five_rows_has_open_ends_and_no_tail_moves_its_limits() -> None:
    few = measured("median_absolute_error", np.arange(5.0), np.zeros(5, dtype=int))
    assert (few.low[0], few.high[0]) == (0.0, np.inf)
    errors = np.random.default_rng(0).normal(size=200)
    far = np.where(np.abs(errors) > 2, 1e9, errors)
    one, other = (measured("median_absolute_error", part, np.zeros(200, dtype=int)) for part in (errors, far))
    assert (one.low[0], one.high[0]) == (other.low[0], other.high[0])


def test_clustered_medians_know_less_and_equal_weights_change_nothing() -> None:
    errors, codes = np.random.default_rng(1).normal(size=300), np.zeros(300, dtype=int)
    plain = measured("median_absolute_error", errors, codes)
    weighted = measured("median_absolute_error", errors, codes, weight=np.full(300, 2.5))
    assert (weighted.low[0], weighted.high[0]) == pytest.approx((plain.low[0], plain.high[0]))
    twenty = np.repeat(errors, 20), np.zeros(6_000, dtype=int)
    robust = measured("median_absolute_error", *twenty, clusters=np.repeat(np.arange(300), 20))
    naive = measured("median_absolute_error", *twenty)
    assert robust.high[0] - robust.low[0] > 3 * (naive.high[0] - naive.low[0])


@pytest.mark.parametrize("metric", ["root_mean_squared_error", "mean_squared_error", "r2"])
def test_squared_errors_are_marked_where_few_rows_carry_them(metric: str) -> None:
    rng, codes = np.random.default_rng(3), np.repeat(np.arange(3), 400)
    errors = np.concatenate([rng.normal(size=400), rng.standard_t(2.1, 400), rng.normal(size=400)])
    truth = rng.normal(size=1_200)
    found = measure_numbers(metric, truth, truth + errors, codes, 3)
    assert [bool(why) for why in found.uncovered] == [False, True, False]
    assert "median absolute error" in compare(found, "difference").uncovered
    assert not measure_numbers("mean_absolute_error", truth, truth + errors, codes, 3).uncovered
    few = measure_numbers(metric, truth[:20], truth[:20] + errors[:20], codes[:20], 1)
    assert "fewer than 30 rows" in few.uncovered[0]


def test_no_limit_rests_on_squared_errors_that_few_rows_carry() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=800)
    said = truth + np.concatenate([rng.normal(size=400), rng.standard_t(2.1, 400)])
    record = eh.audit_predictions(
        truth, said, sensitive_features={"sex": np.repeat(["f", "m"], 400)}, task="regression"
    )
    limits = {"root_mean_squared_error": {"at_most": 1e6}, "median_absolute_error": {"at_most": 1.0}}
    verdict = eh.judge(record, eh.load_policy({"limits": limits}))
    status = {str(each.key): each.status for each in verdict.judgements}
    assert status == {"root_mean_squared_error": "undecided", "median_absolute_error": "passed"}


def test_ordinary_errors_are_not_marked() -> None:
    table, target = load_diabetes(return_X_y=True)
    said = LinearRegression().fit(table, target).predict(table)
    sex = (table[:, 1] > 0).astype(int)
    assert not any(measure_numbers("root_mean_squared_error", target, said, sex, 2).uncovered)
    normal = np.random.default_rng(0).normal(size=(1_000, 30)).ravel()
    marked = measured("root_mean_squared_error", normal, np.repeat(np.arange(1_000), 30), 1_000).uncovered
    assert np.mean([bool(why) for why in marked]) <= 0.05


@pytest.mark.parametrize("metric", ["mean_absolute_error", "mean_residual", "mean_prediction"])
def test_a_mean_of_values_that_are_mostly_0_is_marked(metric: str) -> None:
    values = np.concatenate([np.zeros(91), np.ones(9), np.zeros(90), np.ones(10), np.full(100, 0.1)])
    found = measured(metric, values, np.repeat([0, 1, 2], 100), 3)
    assert [bool(why) for why in found.uncovered] == [True, False, False]


def test_the_ends_of_values_without_skewness_are_students() -> None:
    low, high = means(np.tile([-1.0, 1.0], 20), np.zeros(40, dtype=int)).ends(Z)
    half = t.ppf(0.975, 39) * np.sqrt(40 / 39 / 40)
    assert (low[0], high[0]) == pytest.approx((-half, half))


@pytest.mark.parametrize("seed", range(3))
def test_the_higher_the_level_the_wider(seed: int) -> None:
    values = np.random.default_rng(seed).lognormal(0, 1.5, 60)
    ends = np.array([means(values, np.zeros(60, dtype=int)).ends(z, log=True) for z in (0.5, 1.0, 2.0, 3.0, 4.0)])
    assert (np.diff(ends[:, 0, 0]) <= 0).all()
    assert (np.diff(ends[:, 1, 0]) >= 0).all()


def test_outcomes_that_were_not_seen_yet_are_counted() -> None:
    """Thirty rows claimed at .001 of which none happened: up to one in nine may."""
    truth, score, codes = np.zeros(30), np.full(30, 0.001), np.zeros(30, dtype=int)
    assert 0.1 < brier_score(truth, score, codes).high[0] < 0.2
    assert log_loss(truth, score, codes).high[0] > 0.1 * -np.log(0.001)
    seen = truth.copy()
    seen[0] = 1
    assert brier_score(seen, score, codes).low[0] < 0.005


def test_a_calibration_ratio_is_open_where_nothing_may_happen() -> None:
    truth, score, codes = np.zeros(50), np.full(50, 0.02), np.zeros(50, dtype=int)
    assert not calibration_ratio(truth, score, codes).defined[0]
    truth[0] = 1
    found = calibration_ratio(truth, score, codes)
    assert found.low[0] < 1.0 < found.high[0] < np.inf


def test_scores_and_outcomes_on_a_line_leave_a_calibration_ratio_open_to_chance() -> None:
    """Of ten rows the one that was claimed at .6 happened: seen alone, both means move together exactly."""
    score, truth = np.array([0.6] + [0.02] * 9), np.array([1] + [0] * 9)
    found = calibration_ratio(truth, score, np.zeros(10, dtype=int))
    assert found.estimate[0] == pytest.approx(0.78)
    assert found.low[0] < 0.4
    assert found.high[0] > 2


def test_rare_bins_do_not_show_a_calibrated_model_as_wrong() -> None:
    rng = np.random.default_rng(0)
    score = rng.beta(0.3, 0.3, (600, 100))
    happened = (rng.random(score.shape) < score).astype(int)
    found = calibration_error(happened.ravel(), score.ravel(), np.repeat(np.arange(600), 100), 600)
    assert (found.low > 0).mean() <= 0.03


def test_the_limits_of_an_area_invert_its_test() -> None:
    area, worth = np.array([0.9, 0.75, 1.0]), np.array([[95.0, 5.0], [60.0, 7.0], [20.0, 4.0]])
    ends = areas_like(area, worth, np.full(3, Z))
    for limit in ends:
        inside = (limit > 1e-9) & (limit < 1 - 1e-9)
        middle = worth.mean(axis=1) - 1
        like = (
            limit * (1 - limit) * (1 + middle * ((1 - limit) / (2 - limit) + limit / (1 + limit))) / worth.prod(axis=1)
        )
        np.testing.assert_allclose(np.abs(area - limit)[inside], Z * np.sqrt(like[inside]), rtol=1e-6)
    assert ends[0][2] < 0.8
    assert ends[1][2] == pytest.approx(1.0)


def test_areas_of_few_positives_cover() -> None:
    rng, rounds = np.random.default_rng(2), 800
    truth = np.tile(np.repeat([1, 0], [5, 95]), (rounds, 1))
    score = rng.normal(size=truth.shape) + 1.8123876 * truth  # an area of .9
    found = roc_auc(truth.ravel(), score.ravel(), np.repeat(np.arange(rounds), 100), rounds)
    assert (found.low > 0.9).mean() <= 0.035 + 0.013
    assert (found.high < 0.9).mean() <= 0.035 + 0.013
