"""Intervals that hold at all times: laws of the evidence, brute force, and what is named asymptotic or refused."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import binom, multinomial

import evenhand as eh
from evenhand.errors import InputError
from evenhand.findings import Finding, Interval
from evenhand.metrics import Tally, disparity, measure
from evenhand.metrics.answers.always_valid import always_valid_answers
from evenhand.metrics.answers.counts import RecordCounts
from evenhand.metrics.answers.stretching import stretched
from evenhand.metrics.comparisons.changes_always import flips_always, measure_change_always
from evenhand.metrics.comparisons.references import disparity_to
from evenhand.metrics.comparisons.sequences import pair_highs, pair_lows
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.inference.always_valid import log_evidence_above, share_bound, share_sequence
from evenhand.metrics.inference.intervals import clopper_pearson, z_of
from evenhand.metrics.inference.sequences import ALONE, TOGETHER, Shares, boundary, shared
from evenhand.metrics.inference.two_shares import Pair, share_interval
from evenhand.metrics.values.sequences import measure_always

ERROR = 0.025
PAIRS = [
    (60, 100, 40, 100),
    (600, 1000, 400, 1000),
    (0, 20, 0, 30),
    (20, 20, 0, 20),
    (3, 500, 0, 20),
    (50, 99, 5000, 9000),
]
FIRST, SECOND = np.array([0]), np.array([1])


def shares(k: int, n: int, x: int, m: int) -> Shares:
    return Shares(np.array([k, x], dtype=float), np.array([n, m], dtype=float))


def lows(how: str, case: tuple[int, int, int, int], error: float = ERROR) -> float:
    curve = shares(*case)
    return float(pair_lows(how, (curve, FIRST), (curve, SECOND), error)[0])  # type: ignore[arg-type]


def highs(how: str, case: tuple[int, int, int, int], error: float = ERROR) -> float:
    curve = shares(*case)
    return float(pair_highs(how, (curve, FIRST), (curve, SECOND), error)[0])  # type: ignore[arg-type]


def together(k: float, n: float, p: np.ndarray, x: float, m: float, q: np.ndarray) -> np.ndarray:
    """The evidence that a share is above p or another below q."""
    one, other = (np.exp(np.minimum(log_evidence_above(*part), 300)) for part in ((k, n, p), (m - x, m, 1 - q)))
    return np.asarray(TOGETHER * one * other + ALONE * (one + other))


class TestTheEvidence:
    @pytest.mark.parametrize("p", [0.01, 0.2, 0.5, 0.9])
    @pytest.mark.parametrize("n", [1, 7, 40])
    def test_it_is_expected_to_be_1_where_the_proportion_is_the_doubted_one(self, p: float, n: int) -> None:
        k = np.arange(n + 1)
        assert (binom.pmf(k, n, p) * np.exp(log_evidence_above(k, n, p))).sum() == pytest.approx(1, abs=1e-9)

    def test_it_is_expected_to_be_less_where_the_proportion_is_smaller(self) -> None:
        k = np.arange(31)
        assert (binom.pmf(k, 30, 0.3) * np.exp(log_evidence_above(k, 30, 0.4))).sum() < 0.5

    def test_that_of_two_shares_together_is_expected_to_be_1(self) -> None:
        (n, p), (m, q) = (9, 0.3), (14, 0.6)
        k, x = np.meshgrid(np.arange(n + 1), np.arange(m + 1), indexing="ij")
        chance = binom.pmf(k, n, p) * binom.pmf(x, m, q)
        assert (chance * together(k, n, np.array(p), x, m, np.array(q))).sum() == pytest.approx(1, abs=1e-9)

    def test_that_of_a_paired_change_is_expected_to_be_1(self) -> None:
        n, gained, lost = 10, 0.2, 0.3
        q, found = lost / (1 - gained), 0.0
        for b in range(n + 1):
            for c in range(n + 1 - b):
                chance = multinomial.pmf([b, c, n - b - c], n, [gained, lost, 1 - gained - lost])
                found += chance * float(together(b, n, np.array(gained), c, n - b, np.array(q)))
        assert found == pytest.approx(1, abs=1e-9)

    def test_shared_evidence_is_together_what_was_asked_for(self) -> None:
        lead = np.linspace(-20, 20, 9)
        for evidence in (-3.0, 0.0, 3.7, 30.0):
            a, b = (np.exp(part) for part in shared(lead, np.array(evidence)))
            assert np.log(TOGETHER * a * b + ALONE * (a + b)) == pytest.approx(np.full(9, evidence), abs=1e-9)

    @pytest.mark.parametrize("evidence", [-3.0, -0.5, 0.5, 4.0, 30.0])
    def test_a_bound_is_where_it_is_reached(self, evidence: float) -> None:
        k, n = np.array([1.0, 3, 50, 5_000, 1e6]), np.array([400.0, 10, 100, 20_000, 3e6])
        bound = share_bound(k, n, evidence)
        inside = (bound > 0) & (bound < 1)
        assert inside.sum() >= 3
        assert log_evidence_above(k, n, bound)[inside] == pytest.approx(np.full(inside.sum(), evidence), abs=1e-5)

    def test_far_tails_do_not_underflow(self) -> None:
        near, far = (float(log_evidence_above(100, 1000, p)) for p in (0.4, 0.9))
        assert math.isfinite(far)
        assert far < near


class TestShares:
    def test_ends_hold_the_estimate_and_are_nested_in_the_error(self) -> None:
        k, n = np.array([0, 3, 50, 100]), np.array([10, 40, 100, 100])
        ends = [share_sequence(k, n, error) for error in (0.1, 0.025, 0.001)]
        assert all(((low <= k / n) & (k / n <= high)).all() for low, high in ends)
        assert all((np.diff([part[side] for part in ends], axis=0) * (1, -1)[side] <= 0).all() for side in (0, 1))

    @pytest.mark.parametrize("n", [20, 200, 5_000])
    def test_they_are_at_least_as_wide_as_exact_ones(self, n: int) -> None:
        k = np.arange(0, n + 1, max(n // 40, 1))
        low, high = share_sequence(k, np.full(len(k), n), ERROR)
        usual = clopper_pearson(k, np.full(len(k), n), z_of(0.95))
        assert (low <= usual[0] + 1e-9).all()
        assert (high >= usual[1] - 1e-9).all()

    def test_they_shrink_as_rows_grow(self) -> None:
        n = np.array([10, 100, 1_000, 100_000])
        low, high = share_sequence(0.3 * n, n, ERROR)
        assert (np.diff(high - low) < 0).all()


class TestTwoShares:
    @pytest.mark.parametrize("case", PAIRS)
    @pytest.mark.parametrize("how", ["difference", "ratio"])
    def test_the_low_end_is_that_of_a_grid_over_both(self, how: str, case: tuple[int, int, int, int]) -> None:
        k, n, x, m = case
        logits = np.linspace(-12, 12, 601)
        p, q = (1 / (1 + np.exp(-part)) for part in (logits[:, None], logits[None, :]))
        kept = together(k, n, p, x, m, q) < 1 / ERROR
        brute = float((p - q if how == "difference" else p / q)[kept].min())
        assert lows(how, case) <= brute + 1e-9
        if 0 < k < n:  # at 0 and 1 the end is on the safe side
            assert lows(how, case) == pytest.approx(brute, abs=1.5e-2 * max(1.0, brute))

    @pytest.mark.parametrize("case", PAIRS)
    def test_high_ends_mirror_low_ones(self, case: tuple[int, int, int, int]) -> None:
        k, n, x, m = case
        assert highs("difference", case) == pytest.approx(-lows("difference", (x, m, k, n)), abs=1e-6)
        turned = lows("difference", (m - x, m, n - k, n))
        assert lows("difference", case) == pytest.approx(turned, abs=1e-6)

    @pytest.mark.parametrize("case", PAIRS)
    def test_ends_hold_the_estimate_are_nested_and_wider_than_the_usual_ones(
        self, case: tuple[int, int, int, int]
    ) -> None:
        k, n, x, m = case
        ends = [(lows("difference", case, error), highs("difference", case, error)) for error in (0.1, ERROR, 1e-4)]
        usual = share_interval("difference", Pair(*(np.array([float(part)]) for part in case)), z_of(0.95))
        assert all(low <= k / n - x / m <= high for low, high in ends)
        assert ends[2][0] <= ends[1][0] <= ends[0][0]
        assert ends[0][1] <= ends[1][1] <= ends[2][1]
        if min(k, n - k, x, m - x) > 2:  # the usual one errs less than it may where events are few
            assert ends[1][0] <= usual[0][0] + 1e-6
            assert ends[1][1] >= usual[1][0] - 1e-6


def tally(seed: int = 0, groups: int = 4, n: int = 3_000) -> Tally:
    rng = np.random.default_rng(seed)
    y, g = rng.integers(0, 2, n), rng.integers(0, groups, n)
    decided = rng.random(n) < np.where(y == 1, 0.8 - 0.1 * (g == 0), 0.3)
    return Tally.count(y, decided.astype(int), codes=g, n_groups=groups)


class TestGroups:
    @pytest.mark.parametrize("how", ["difference", "ratio"])
    def test_the_extreme_ends_are_those_of_all_pairs(self, how: str) -> None:
        counts = tally()
        found, curve = disparity(f"recall_{how}", counts, by=measure_always), measure_always("recall", counts).sequence
        pairs = np.array(list(permutations(range(4), 2)))
        sides = (curve, pairs[:, 0]), (curve, pairs[:, 1])
        strict, plain = (pair_lows(how, *sides, error).max() for error in (ERROR / 12, ERROR))  # type: ignore[arg-type]
        high = pair_highs(how, *sides, ERROR).max()  # type: ignore[arg-type]
        expected = (max(strict, 0), max(plain, 0), high) if how == "difference" else (1 / high, min(1 / strict, 1))
        ends = (found.low, found.unadjusted_low, found.high) if how == "difference" else (found.low, found.high)
        assert ends == pytest.approx(expected, abs=1e-5)

    @pytest.mark.parametrize(
        "name",
        ["recall_difference", "precision_ratio", "accuracy_group_min", "equalized_odds_difference", "f1_difference",
         "balanced_accuracy_difference", "average_odds_difference", "matthews_correlation_difference"],
    )  # fmt: skip
    def test_they_are_at_least_as_wide_as_usual_ones(self, name: str) -> None:
        usual, found = disparity(name, tally()), disparity(name, tally(), by=measure_always)
        assert found.estimate == usual.estimate
        assert found.method.removeprefix("mean of 2, bonferroni; ").startswith("always valid")
        assert found.low <= usual.low + 1e-6  # type: ignore[operator]
        assert found.high >= usual.high - 1e-6  # type: ignore[operator]

    def test_a_group_is_compared_with_the_rest(self) -> None:
        usual = disparity_to("recall_difference", tally(), "rest")
        found = disparity_to("recall_difference", tally(), "rest", by=measure_always)
        assert found.method == "always valid"
        assert found.low <= usual.low  # type: ignore[operator]
        assert found.high >= usual.high  # type: ignore[operator]

    def test_more_groups_than_pairs_are_ranked_for(self) -> None:
        found = disparity("recall_difference", tally(groups=160, n=40_000), by=measure_always)
        assert 0 <= found.low <= found.estimate <= found.high  # type: ignore[operator]


@pytest.mark.parametrize("metric", ["f1", "balanced_accuracy", "average_predictive_value", "treatment_equality"])
def test_what_is_made_of_one_or_two_shares_is_exact_and_wider(metric: str) -> None:
    usual, found = measure(metric, tally()), measure_always(metric, tally())
    assert found.method == "always valid"
    assert (found.low <= usual.low + 1e-6).all()
    assert (found.high >= usual.high - 1e-6).all()


def test_a_paired_change_is_that_of_a_grid_over_both_shares() -> None:
    b, c, n = 12, 30, 200
    joint = JointTally.count([1] * n, [0] * b + [1] * (n - b), [1] * b + [0] * c + [1] * (n - b - c))
    found = measure_change_always("recall", joint)
    logits = np.linspace(-8, 4, 601)
    p, q = (1 / (1 + np.exp(-part)) for part in (logits[:, None], logits[None, :]))
    change = p - q * (1 - p)
    assert found.low[0] == pytest.approx(change[together(b, n, p, c, n - b, q) < 1 / ERROR].min(), abs=8e-3)
    assert found.high[0] == pytest.approx(change[together(c, n - b, q, b, n, p) < 1 / ERROR].max(), abs=8e-3)
    assert found.low[0] < found.estimate[0] < found.high[0]


def test_weighted_rows_have_asymptotic_ends_on_which_no_limit_rests() -> None:
    y, weight = np.tile([1, 0], 200), np.linspace(1, 3, 400)
    many = measure_always("accuracy", Tally.count(y, y, sample_weight=weight))
    assert many.method.startswith("always valid, asymptotic; ")
    assert "weighted or clustered rows" in many.uncovered[0]
    joint = JointTally.count(y, y, np.roll(y, 1), sample_weight=weight)
    for changed in (measure_change_always("accuracy", joint), flips_always("flip_rate", joint)):
        assert "weighted or clustered rows" in changed.uncovered[0]


def test_a_naive_interval_errs_at_some_look_and_these_do_not() -> None:
    looks = np.unique(np.geomspace(20, 5_000, 60).astype(int))
    events = np.random.default_rng(5).binomial(np.diff(looks, prepend=0), 0.3, (400, len(looks))).cumsum(axis=1)
    naive = clopper_pearson(events, np.broadcast_to(looks, events.shape), z_of(0.95))[0]
    low = share_sequence(events, np.broadcast_to(looks, events.shape), ERROR)[0]
    assert (naive > 0.3).any(axis=1).mean() > 0.08
    assert (low > 0.3).any(axis=1).mean() <= ERROR + 2 * math.sqrt(ERROR * (1 - ERROR) / 400)


def test_the_boundary_is_passed_at_no_time_but_rarely() -> None:
    rows = np.arange(100, 4_001, 20)
    steps = np.random.default_rng(2).normal(size=(1_000, 4_000)).cumsum(axis=1)[:, rows - 1] / np.sqrt(rows)
    limits = np.array([boundary(float(n), -math.log(ERROR)) for n in rows])
    assert (steps > limits).any(axis=1).mean() <= ERROR + 2 * math.sqrt(ERROR / 1_000)
    assert (steps > 1.96).any(axis=1).mean() > 0.1


class TestAnswers:
    record = eh.audit_predictions(
        [1, 0, 1, 1, 0] * 200, [1, 0, 0, 1, 1] * 200, sensitive_features={"sex": ["f", "m", "m", "f", "f"] * 200}
    )

    @pytest.mark.parametrize("error", [0.1, 0.025, 1e-6])
    def test_the_error_of_a_side_is_the_callers(self, error: float) -> None:
        found = always_valid_answers(RecordCounts(self.record), error)(eh.Key.parse("accuracy"))
        assert isinstance(found, Finding)
        assert found.interval is not None
        assert found.interval.low == pytest.approx(float(share_sequence(600, 1_000, error)[0]), abs=1e-6)
        assert found.interval.level == pytest.approx(1 - 2 * error)

    @pytest.mark.parametrize("error", [0.0, 1e-13, 0.5, 2.0])
    def test_an_error_that_is_none_is_refused(self, error: float) -> None:
        with pytest.raises(InputError, match=r"between 1e-12 and 0\.5"):
            always_valid_answers(RecordCounts(self.record), error)

    @pytest.mark.parametrize("key", ["kl_divergence[sex]", "demographic_disparity[sex=f]"])
    def test_without_a_sequence_there_is_no_interval_and_it_says_so(self, key: str) -> None:
        found = always_valid_answers(RecordCounts(self.record), ERROR)(eh.Key.parse(key))
        assert isinstance(found, Finding)
        assert found.interval is None
        assert "at all times" in found.uncovered

    def test_the_same_counts_in_another_order_give_the_same(self) -> None:
        other = eh.audit_predictions(
            [0, 1, 1, 0, 1] * 200, [1, 1, 0, 0, 1] * 200, sensitive_features={"sex": ["f", "f", "m", "m", "f"] * 200}
        )
        for key in ("accuracy", "recall_difference[sex]"):
            one, two = (record.find(key, always_valid=True) for record in (self.record, other))
            assert isinstance(one, Finding)
            assert isinstance(two, Finding)
            assert one.interval == two.interval


def test_only_means_of_rows_are_stretched() -> None:
    ends = Interval(0.78, 0.82, 0.95, "delong")
    area = Finding(eh.Key.parse("roc_auc"), "performance", 0.8, ends, support=2_000)
    found = stretched(area, 0.95).interval
    assert found is not None
    assert found.low < 0.78  # type: ignore[operator]
    assert found.high > 0.82  # type: ignore[operator]
    for name, support in (("roc_auc_difference[sex]", 2_000), ("calibration_error", 2_000), ("roc_auc", 99)):
        other = Finding(eh.Key.parse(name), "performance", 0.8, ends, support=support)
        assert stretched(other, 0.95).uncovered
