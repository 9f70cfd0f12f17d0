"""The verdict is the test: the interval that is shown inverts the very test that judges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import evenhand as eh
from evenhand.metrics import Tally, disparity
from evenhand.metrics.comparisons import share_pairs
from evenhand.metrics.comparisons.share_pairs import Shares, of_shares
from evenhand.metrics.inference import contrasts
from evenhand.metrics.inference.contrasts import Extremes, contrast_critical, every_group
from evenhand.metrics.inference.intervals import sidak_z, simultaneous_z, z_of
from evenhand.metrics.inference.two_shares import (
    ARRAYS,
    NUMBERS,
    Pair,
    beyond_difference,
    beyond_ratio,
    share_end,
    share_interval,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Z = z_of(0.95)
GROUP = st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
TESTS = {"difference": beyond_difference, "ratio": beyond_ratio}


@given(GROUP, GROUP, st.sampled_from(["difference", "ratio"]), st.floats(0.02, 0.98))
@settings(max_examples=200, deadline=None)
def test_a_limit_is_inside_exactly_where_its_test_keeps_it(
    one: tuple[int, int], two: tuple[int, int], how: str, limit: float
) -> None:
    pair = Pair(*(float(part) for part in (*one, *two)))
    limit = 2 * limit - 1 if how == "difference" else limit / (1 - limit)
    low, high = (share_end(how, pair, lambda _, sign=sign: sign * Z, sign) for sign in (1, -1))  # type: ignore[arg-type,misc]
    assume(min(abs(limit - low), abs(limit - high)) > 1e-6 * max(1, limit))
    rejected = [TESTS[how](pair, limit, lambda _, z=z: z, NUMBERS) > 0 for z in (Z, -Z)]  # type: ignore[misc]
    assert (limit < low, limit <= high) == tuple(rejected)


@given(GROUP, GROUP, st.sampled_from(["difference", "ratio"]))
@settings(max_examples=200, deadline=None)
def test_at_an_end_the_statistic_is_the_critical_value(one: tuple[int, int], two: tuple[int, int], how: str) -> None:
    pair = Pair(*(float(part) for part in (*one, *two)))
    for sign in (1, -1):
        end = share_end(how, pair, lambda _, sign=sign: sign * Z, sign)  # type: ignore[arg-type,misc]
        if (how == "difference" and abs(end) < 1 - 1e-6) or (how == "ratio" and 1e-9 < end < 1e9):
            assert TESTS[how](pair, end, lambda _, sign=sign: sign * Z, NUMBERS) == pytest.approx(0, abs=1e-4)  # type: ignore[misc]


@given(st.lists(st.tuples(GROUP, GROUP), min_size=1, max_size=8), st.sampled_from(["difference", "ratio"]))
@settings(max_examples=60, deadline=None)
def test_arrays_give_what_numbers_give(pairs: list[tuple[tuple[int, int], tuple[int, int]]], how: str) -> None:
    of = np.array([(*one, *two) for one, two in pairs], dtype=float)
    lows, highs = share_interval(how, Pair(*of.T), Z)  # type: ignore[arg-type]
    for at, row in enumerate(of.tolist()):
        for sign, end in ((1, lows[at]), (-1, highs[at])):
            mine = share_end(how, Pair(*row), lambda _, sign=sign: sign * Z, sign)  # type: ignore[arg-type,misc]
            assert mine == pytest.approx(end, rel=1e-8, abs=1e-9)
    zeros = np.zeros(len(of))
    by_array = TESTS[how](Pair(*of.T), zeros + 0.4, lambda _: zeros + Z, ARRAYS)
    by_number = [TESTS[how](Pair(*row), 0.4, lambda _: Z, NUMBERS) for row in of.tolist()]
    assert by_array.tolist() == pytest.approx(by_number, rel=1e-9, abs=1e-9)


@given(
    st.lists(GROUP, min_size=2, max_size=6),
    st.sampled_from(["difference", "ratio", "group_min", "group_max"]),
    st.floats(0.01, 0.99),
)
@settings(max_examples=60, deadline=None)
def test_a_verdict_says_whether_the_limit_is_outside_the_interval_that_is_shown(
    groups: list[tuple[int, int]], how: str, limit: float
) -> None:
    assume(any(events for events, _ in groups))
    decided = [1] * sum(events for events, _ in groups) + [0] * sum(n - events for events, n in groups)
    names = [f"g{at}" for at, (events, _) in enumerate(groups) for _ in range(events)]
    names += [f"g{at}" for at, (events, n) in enumerate(groups) for _ in range(n - events)]
    record = eh.audit_predictions([at % 2 for at in range(len(decided))], decided, sensitive_features={"group": names})
    side = "at_most" if how in ("difference", "group_max") else "at_least"
    policy = eh.load_policy({"limits": {f"selection_rate_{how}[group]": {side: limit}}})
    (judged,) = eh.judge(record, policy).judgements
    assert judged.finding is not None
    interval = judged.finding.interval
    assert interval is not None
    low, high = interval.low or 0.0, math.inf if interval.high is None else interval.high
    inside, outside = (high <= limit, low > limit) if side == "at_most" else (low >= limit, high < limit)
    assert judged.status == ("passed" if inside else "failed" if outside else "undecided")


def test_all_pairs_are_looked_at_though_few_are_refined() -> None:
    rng = np.random.default_rng(1)
    for how in ("difference", "ratio"):
        for _ in range(25):
            number = int(rng.integers(3, 14))
            size = rng.integers(15, 400, number).astype(float)
            events = np.maximum(rng.binomial(size.astype(int), rng.beta(2, 5, number)), 1).astype(float)
            found = of_shares(how, Shares(events, size, np.arange(number)), 0.95)  # type: ignore[arg-type]
            first, second = np.divmod(np.arange(number**2), number)
            apart = first != second
            pair = Pair(*(part[at[apart]] for at in (first, second) for part in (events, size)))
            low, high = share_interval(how, pair, Z)  # type: ignore[arg-type]
            assert found.high.end == pytest.approx(high.max(), rel=1e-6)
            if low.max() > (0 if how == "difference" else 1):
                assert found.plain_low.end == pytest.approx(low.max(), rel=1e-6)


def test_the_critical_value_falls_from_tukeys_to_that_of_the_pairs_at_the_limit() -> None:
    for number in (2, 5, 12):
        at = contrast_critical(every_group(number), 0.95)
        values = [at(apart) for apart in np.linspace(0, 3, 31)]
        assert values == sorted(values, reverse=True)
        assert simultaneous_z(number, 0.95) - 0.02 < values[0] <= simultaneous_z(number, 0.95)
        assert values[-1] <= sidak_z((number // 2) * (number - number // 2), 0.95) + 1e-3
    assert contrast_critical(every_group(2), 0.95)(1.0) == pytest.approx(Z)


def test_of_five_groups_with_one_clearly_low_four_pairs_are_left() -> None:
    one = np.arange(5) == 4
    critical = contrast_critical(Extremes(~one, one), 0.95)(0.0)
    assert sidak_z(4, 0.95) < critical < sidak_z(5, 0.95)


def test_two_unequal_groups_fail_and_pass_as_often_as_score_tests_let_them() -> None:
    """60 against 540 rows, a ratio of .65 against a limit of .8; square-and-add over exact limits fails it in .31."""
    from scipy.stats import binom

    chance = [binom.pmf(np.arange(n + 1), n, rate) for n, rate in ((60, 0.455), (540, 0.7))]
    failed = 0.0
    for a in np.flatnonzero(chance[0] > 1e-4):
        for b in np.flatnonzero(chance[1] > 2e-3):
            counts = np.array([[[60 - a, a], [0, 0]], [[540 - b, b], [0, 0]]])
            high = disparity("selection_rate_ratio", Tally(counts)).high
            failed += chance[0][a] * chance[1][b] * (high is not None and high < 0.8)
    assert failed > 0.34


@pytest.mark.parametrize("how", ["difference", "ratio"])
def test_no_pair_of_small_groups_is_passed_over(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs are ranked by rough margins first; where groups of a few rows make these too rough, all are tested."""
    rng = np.random.default_rng(5)
    tables = []
    for at in range(60):
        few = rng.integers(1, 11, int(rng.integers(3, 20)))
        sizes = np.r_[few, rng.integers(20, 3_000, len(few))] if at % 2 else few
        rates = np.full(len(sizes), rng.choice([0.01, 0.03, 0.1, 0.5, 0.95]))
        rates[0] = rng.random()
        hits = rng.binomial(sizes, rates)
        tables.append(Tally(np.stack([np.stack([sizes - hits, hits], 1), np.zeros((len(sizes), 2), int)], 1)))

    def ends() -> list[tuple[float | None, float | None]]:
        return [(found.low, found.high) for found in (disparity(f"selection_rate_{how}", table) for table in tables)]

    usual = ends()
    monkeypatch.setattr(share_pairs, "FEW_GROUPS", 1_000)
    monkeypatch.setattr(share_pairs, "MOST", 1_000_000)
    for one, other in zip(usual, ends(), strict=True):
        assert one == (other if other[0] is None else pytest.approx(other, abs=1e-6))


@given(GROUP, GROUP, st.sampled_from(["difference", "ratio"]), st.sampled_from([0.9, 0.95, 0.995]))
@settings(max_examples=150, deadline=None)
def test_two_groups_have_the_ends_of_both_ordered_pairs(
    one: tuple[int, int], two: tuple[int, int], how: str, level: float
) -> None:
    assume(one[0] > 0 and two[0] > 0)
    events, size = (np.array(part, dtype=float) for part in zip(one, two, strict=True))
    found, z, critical = (
        of_shares(how, Shares(events, size, np.array([3, 8])), level),  # type: ignore[arg-type]
        z_of(level),
        contrast_critical(every_group(2), level),
    )
    pairs = [Pair(*map(float, pair)) for pair in ((*one, *two), (*two, *one))]

    def greatest(sign: int, value: Callable[[float], float]) -> float:
        return max(share_end(how, pair, lambda apart: sign * value(abs(apart)), sign) for pair in pairs)  # type: ignore[arg-type]

    near = {"rel": 1e-8, "abs": 1e-9}
    assert found.high.end == pytest.approx(greatest(-1, lambda _: z), **near)
    assert found.plain_low.end == pytest.approx(greatest(1, lambda _: z), **near)
    assert found.low.end == pytest.approx(greatest(1, critical), **near)
    assert set(found.low.pair) == set(found.high.pair) == {3, 8}


@pytest.mark.parametrize(("events", "searches"), [((10.0, 60.0), 2), ((48.0, 60.0), 3)])
def test_a_low_end_is_searched_twice_only_where_its_critical_value_is_another(
    events: tuple[float, float], searches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched, usual = [], share_pairs.greatest_end
    monkeypatch.setattr(share_pairs, "greatest_end", lambda *given: searched.append(1) or usual(*given))
    found = of_shares("difference", Shares(np.array(events), np.array([100.0, 100.0]), np.arange(2)), 0.95)
    assert len(searched) == searches
    assert (found.low.end == found.plain_low.end) == (searches == 2)
    assert (found.critical == pytest.approx(Z)) == (searches == 2)


def test_critical_values_are_the_least_of_a_grid_that_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    looked, usual = [], contrasts._range_within

    def counted(width: np.ndarray, limit: np.ndarray, high: int, low: int) -> np.ndarray:
        looked.append(len(width))
        return usual(width, limit, high, low)

    monkeypatch.setattr(contrasts, "_range_within", counted)
    level, high, low = 0.937, 3, 4
    found = np.array(contrasts._values(high, low, level))
    assert sum(looked) < 15 * contrasts.LIMITS  # halving looks 20 times at each
    least = sidak_z(1, level)
    step = (sidak_z((high + low) * (high + low - 1) + 1, level) - least + 0.05) / 2**contrasts.HALVED
    limits = math.sqrt(2) * contrasts.STEP * np.arange(contrasts.LIMITS)
    wanted = 1 - (1 - level) / 2 * (1 + contrasts.SPARE)
    at, before = (usual(limits + math.sqrt(2) * (found - less), limits, high, low) for less in (0, 1.01 * step))
    assert (at >= wanted).all()
    assert (before[found > least] < wanted).all()
    assert found[0] > found[-1] > least
