"""P-values, noise floors and shrunken gaps hold what they promise."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest
from scipy.stats import fisher_exact, permutation_test

from evenhand.metrics import Tally, calibration_floor
from evenhand.metrics.comparisons.shrinkage import (
    chance_gap,
    pooled_rates,
    shrunken_gap,
    shrunken_rates,
    shrunken_values_gap,
)
from evenhand.metrics.comparisons.significance import benjamini_hochberg, holm, noise_floor, p_values, two_tests
from evenhand.metrics.values.regression import measure_numbers
from evenhand.metrics.values.thresholds import count_scores, tallies, tally_at, thresholds


def tally_of(events: np.ndarray, rows: np.ndarray) -> Tally:
    counts = np.zeros((len(rows), 2, 2), dtype=np.int64)
    counts[:, 1, 1], counts[:, 1, 0] = events, rows - events
    return Tally(counts)


def test_each_group_against_the_rest_is_fishers_test() -> None:
    events, rows = np.array([3, 12, 20]), np.array([20, 30, 40])
    found = p_values("recall", tally_of(events, rows))
    theirs = [fisher_exact([[e, r - e], [35 - e, 90 - r - (35 - e)]])[1] for e, r in zip(events, rows, strict=True)]
    assert found.plain == pytest.approx(theirs)
    assert set(found.method) == {"fisher"}
    assert set(p_values("recall", tally_of(events * 1_000, rows * 1_000)).method) == {"score"}


def test_the_omnibus_test_is_a_permutation_test_of_the_rows() -> None:
    events, rows = np.array([3, 9, 14]), np.array([15, 18, 20])
    samples = [np.repeat([1, 0], [e, r - e]) for e, r in zip(events, rows, strict=True)]

    def gap(*parts: np.ndarray, axis: int = 0) -> np.ndarray:
        return np.ptp([part.mean(axis=axis) for part in parts], axis=0)

    seed = {"rng" if "rng" in signature(permutation_test).parameters else "random_state": 0}  # "rng" since scipy 1.15
    theirs = permutation_test(samples, gap, n_resamples=4_000, alternative="greater", vectorized=True, **seed).pvalue
    assert p_values("recall", tally_of(events, rows), draws=8_000).omnibus == pytest.approx(theirs, abs=0.02)


def test_adjusted_p_values_by_hand() -> None:
    values = np.array([0.01, 0.04, 0.03, np.nan])
    assert holm(values) == pytest.approx([0.03, 0.06, 0.06, np.nan], nan_ok=True)
    assert benjamini_hochberg(values) == pytest.approx([0.03, 0.04, 0.04, np.nan], nan_ok=True)


def test_equal_groups_are_seldom_called_unequal_and_their_gap_is_the_floor() -> None:
    rng = np.random.default_rng(0)
    rows = np.full(6, 60)
    drawn = [rng.binomial(60, 0.3, 6) for _ in range(300)]
    found = [p_values("recall", tally_of(events, rows), draws=400) for events in drawn]
    assert np.mean([p.omnibus <= 0.05 for p in found]) <= 0.08
    assert np.mean([p.holm.min() <= 0.05 for p in found]) <= 0.08
    plain = np.mean([np.ptp(events / rows) for events in drawn])
    assert noise_floor("recall", tally_of(drawn[0], rows)) == pytest.approx(plain, abs=0.02)
    shrunken = np.mean([shrunken_gap("recall", tally_of(events, rows)) for events in drawn])
    assert shrunken < plain / 3, "most of a gap between equal groups is chance"


def test_a_large_group_keeps_its_own_rate() -> None:
    rates = shrunken_rates("recall", tally_of(np.array([9_000, 4_000, 1]), np.array([10_000, 10_000, 1])))
    assert rates[:2] == pytest.approx([0.9, 0.4], abs=1e-3)
    assert 0.4 < rates[2] < 0.95


def test_a_calibrated_model_is_at_its_floor() -> None:
    rng = np.random.default_rng(1)
    chances = []
    for _ in range(150):
        score = rng.random(300)
        floor, chance = calibration_floor(rng.random(300) < score, score, np.zeros(300, dtype=int), draws=200)
        chances.append(chance[0])
        assert 0.02 < floor[0] < 0.12
    assert np.mean(np.array(chances) <= 0.05) <= 0.09
    worst = calibration_floor(rng.random(3_000) < 0.5, rng.random(3_000), np.zeros(3_000, dtype=int))
    assert worst[1][0] < 0.01


def test_one_count_of_scores_gives_the_decisions_at_every_threshold() -> None:
    rng = np.random.default_rng(2)
    truth, codes, score = rng.integers(0, 2, 900), rng.integers(0, 3, 900), np.round(rng.random(900), 2)
    edges = thresholds(score, 0.505, most=40)
    assert 0.505 in edges
    counts = count_scores(truth, score, codes, 3, edges)
    together = tallies(counts).counts.reshape(len(edges), 3, 2, 2)
    for place, edge in enumerate(edges):
        direct = Tally.count(truth, (score >= edge).astype(int), codes, 3).counts
        assert np.array_equal(tally_at(counts, place).counts, direct)
        assert np.array_equal(together[place], direct)


def test_where_few_tables_are_possible_the_omnibus_test_lists_them_all() -> None:
    events, rows = np.array([1, 7]), np.array([9, 8])
    found = p_values("recall", tally_of(events, rows))
    assert found.omnibus_method == "exact permutation test"
    # two groups: a gap at least as wide, over the hypergeometric tables
    from scipy.stats import hypergeom

    k = np.arange(9)
    gaps = np.abs(k / 9 - (8 - k) / 8)
    by_hand = hypergeom.pmf(k, 17, 8, 9)[gaps >= abs(1 / 9 - 7 / 8) - 1e-12].sum()
    assert found.omnibus == pytest.approx(by_hand, abs=1e-12)
    drawn = p_values("recall", tally_of(np.array([3, 9, 14]), np.array([15, 18, 20])), draws=20_000)
    many = p_values("recall", tally_of(np.array([3, 9, 14, 8, 8]), np.array([15, 18, 20, 20, 20])))
    assert drawn.omnibus_method == "exact permutation test"
    assert many.omnibus_method == "permutation test, 2,000 draws"


@pytest.mark.parametrize("groups", [2, 40])
def test_without_an_event_or_with_nothing_else_many_groups_show_no_gap(groups: int) -> None:
    rows = np.full(groups, 20)
    none, all_rows = (p_values("recall", tally_of(events, rows)) for events in (np.zeros_like(rows), rows))
    assert none.omnibus == 1.0
    assert all_rows.omnibus == 1.0
    assert none.omnibus_method == "exact permutation test"


def test_the_floor_is_of_the_draws_of_the_p_value() -> None:
    events, rows = np.array([3, 9, 14, 8, 8]), np.array([15, 18, 20, 20, 20])
    found = p_values("recall", tally_of(events, rows), seed=3)
    assert found.floor == noise_floor("recall", tally_of(events, rows), seed=3)
    alone = p_values("recall", tally_of(events[:1], rows[:1]))
    assert np.isnan([alone.floor, alone.omnibus]).all()


def test_over_many_groups_fewer_draws_know_the_floor_as_well() -> None:
    rng = np.random.default_rng(6)
    rows = rng.integers(40, 200, 300)
    tally = tally_of(rng.binomial(rows, 0.4), rows)
    found = p_values("recall", tally)
    assert found.omnibus_method == "permutation test, 500 draws"
    assert found.floor == pytest.approx(noise_floor("recall", tally, draws=4_000), rel=0.02)


def test_fisher_and_z_beside_the_four_fifths_rule() -> None:
    fisher, z = two_tests((48, 12), (80, 40))
    assert fisher == pytest.approx(fisher_exact([[48, 32], [12, 28]])[1])
    from scipy.stats import chi2_contingency

    assert z == pytest.approx(chi2_contingency([[48, 32], [12, 28]], correction=False).pvalue)
    assert np.isnan(two_tests((0, 1), (0, 4))).all()


def test_partial_pooling_covers_groups_from_one_distribution_and_draws_small_ones_in() -> None:
    rng, covered, wide = np.random.default_rng(2), [], []
    rows = np.array([5, 8, 12, 20, 30, 40, 60, 80, 150, 300])
    for _ in range(60):
        true = rng.beta(8, 12, len(rows))
        events = rng.binomial(rows, true)
        found = pooled_rates("recall", tally_of(events, rows))
        covered.append((found.low <= true) & (true <= found.high))
        wide.append(np.abs(found.mean - true) - np.abs(events / rows - true))
    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(wide, axis=0)[:4].max() < 0, "nearer to the truth than the group's own rate where rows are few"
    alone = pooled_rates("recall", tally_of(np.array([9_000, 40]), np.array([10_000, 100])))
    assert alone.mean == pytest.approx([0.9, 0.4], abs=0.05)


def test_gaps_of_means_have_a_floor_and_shrink() -> None:
    rng, plain, floors, shrunken = np.random.default_rng(4), [], [], []
    codes = np.repeat(np.arange(8), 50)
    for _ in range(60):
        error = rng.normal(size=400)
        values = measure_numbers("mean_absolute_error", np.zeros(400), error, codes, 8)
        plain.append(np.ptp(values.estimate))
        floors.append(chance_gap(values))
        shrunken.append(shrunken_values_gap(values))
    assert np.mean(floors) == pytest.approx(np.mean(plain), rel=0.1)
    assert np.mean(shrunken) < np.mean(plain) / 2


def test_a_group_of_nearly_no_error_does_not_cancel_the_others_out() -> None:
    """Of two groups d apart, one known exactly, the other is drawn to it by its share of d: (d^2 - e^2) / d."""
    codes, rng = np.repeat([0, 1], 50), np.random.default_rng(0)
    error = np.where(codes == 0, 1 + 1e-11 * rng.normal(size=100), 30 + rng.normal(size=100))
    values = measure_numbers("mean_absolute_error", np.zeros(100), error, codes, 2)
    low, high = values.ends(1.0)
    apart, own = float(np.ptp(values.estimate)), float(high[1] - low[1]) / 2
    assert shrunken_values_gap(values) == pytest.approx((apart**2 - own**2) / apart, rel=1e-3)
