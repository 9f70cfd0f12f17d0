"""Intervals: textbook values, and coverage where it can be computed or simulated."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.special import betainc, ndtr
from scipy.stats import binom, binomtest

import evenhand as eh
from evenhand.metrics import Tally, disparity
from evenhand.metrics.inference.intervals import (
    _beta_quantile,
    clopper_pearson,
    difference_interval,
    ratio_interval,
    share_difference_interval,
    wilson,
    z_of,
)

Z = z_of(0.95)
SIDE = 0.035
"""The most that one side may err at nominally 2.5 %."""


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (3, 250), (150, 300), (999, 1000)])
def test_single_rates_equal_scipys(k: int, n: int) -> None:
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        low, high = ours([k], [n], Z)
        theirs = binomtest(k, n).proportion_ci(0.95, method=method)
        assert low[0] == pytest.approx(theirs.low, abs=1e-9)
        assert high[0] == pytest.approx(theirs.high, abs=1e-9)


@pytest.mark.parametrize("a", [2_001, 40_000, 10**8])
@pytest.mark.parametrize("b", [2_001, 3_000_000])
@pytest.mark.parametrize("z", [-3.5, -1.96, 1.2, 2.9])
def test_the_expansion_for_many_rows_leaves_the_same_tail(a: int, b: int, z: float) -> None:
    below = float(ndtr(z))
    found = _beta_quantile(np.array([float(a)]), np.array([float(b)]), z, below)[0]
    assert betainc(a, b, found) == pytest.approx(below, abs=1e-5)


def side(k: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    low, high = wilson([k], [n], Z)
    return np.array([k / n]), low, high


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [  # Newcombe (1998a), table II, method 10
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
    ],
)
def test_newcombes_own_examples(a: tuple[int, int], b: tuple[int, int], expected: tuple[float, float]) -> None:
    low, high = difference_interval(side(*a), side(*b))
    assert low[0] == pytest.approx(expected[0], abs=6e-5)
    assert high[0] == pytest.approx(expected[1], abs=6e-5)


def test_a_ratio_and_its_inverse_agree() -> None:
    low, high = ratio_interval(side(30, 100), side(45, 90))
    back_low, back_high = ratio_interval(side(45, 90), side(30, 100))
    assert low[0] == pytest.approx(1 / back_high[0])
    assert high[0] == pytest.approx(1 / back_low[0])


def test_a_ratio_to_nothing_is_unbounded() -> None:
    _, high = ratio_interval(side(5, 10), side(0, 10))
    assert high[0] == np.inf


@pytest.mark.parametrize("n", [1, 3, 10, 30, 100, 300, 1000])
def test_single_rates_cover_exactly_computed(n: int) -> None:
    """All outcomes of n rows, weighted by their chances: no simulation, so no luck."""
    k = np.arange(n + 1)
    low, high = clopper_pearson(k, np.full(n + 1, n), Z)
    near_the_ends = np.concatenate([np.linspace(0, 0.05, 51), np.linspace(0.06, 0.5, 45)])
    for p in (*near_the_ends, *(1 - near_the_ends)):
        chance = binom.pmf(k, n, p)
        above, below = chance[low > p + 1e-12].sum(), chance[high < p - 1e-12].sum()
        assert above <= 0.025 + 1e-9, (n, p)
        assert below <= 0.025 + 1e-9, (n, p)


def counts_of(n: np.ndarray, rates: np.ndarray, rng: np.random.Generator) -> Tally:
    """Rows that are all truly positive, so that recall and selection rate are one binomial share a group."""
    hits = rng.binomial(n, rates)
    counts = np.zeros((len(n), 2, 2), dtype=np.int64)
    counts[:, 1, 1], counts[:, 1, 0] = hits, n - hits
    return Tally(counts)


CELLS = [
    pytest.param([10, 10], [0.5, 0.5], id="2 groups of 10, equal"),
    pytest.param([30, 30], [0.3, 0.6], id="2 groups of 30, apart"),
    pytest.param([100, 100], [0.2, 0.2], id="2 groups of 100, equal"),
    pytest.param([30, 1000], [0.9, 0.7], id="30 and 1000, apart"),
    pytest.param([1000, 1000], [0.005, 0.005], id="rare, equal"),
    pytest.param([1000, 1000], [0.005, 0.02], id="rare, apart"),
    pytest.param([100] * 10, [0.6] * 10, id="10 groups of 100, equal"),
    pytest.param([30] * 10, [0.5] * 5 + [0.7] * 5, id="10 groups of 30, two levels"),
    pytest.param([50] * 9 + [1000], [0.5] * 9 + [0.8], id="10 groups, one large and apart"),
]


@pytest.mark.parametrize(("n", "rates"), CELLS)
@pytest.mark.parametrize("how", ["difference", "ratio"])
def test_extremes_over_groups_err_rarely_on_either_side(n: list[int], rates: list[float], how: str) -> None:
    rng = np.random.default_rng(11)
    sizes, p = np.array(n), np.array(rates)
    true = p.max() - p.min() if how == "difference" else p.min() / p.max()
    above = below = 0
    rounds = 1000
    for _ in range(rounds):
        found = disparity(f"recall_{how}", counts_of(sizes, p, rng))
        if found.estimate is None:
            continue
        above += found.low is not None and found.low > true + 1e-12
        below += found.high is not None and found.high < true - 1e-12
    # A true error of 3.5 % shows above 5 % in a thousand rounds once in a hundred seeds.
    assert above / rounds <= 0.05
    assert below / rounds <= 0.05


def test_the_percentile_bootstrap_of_peers_does_not_cover() -> None:
    """Ten equal groups of 100: the usual interval of the widest gap excludes the truth (0) always, ours never."""
    rng = np.random.default_rng(5)
    n, p = np.full(10, 100), np.full(10, 0.5)
    peers = ours = 0
    for _ in range(100):
        tally = counts_of(n, p, rng)
        observed = tally.counts[:, 1, 1] / n
        drawn = rng.binomial(n, observed, (200, 10)) / n
        peers += np.quantile(drawn.max(axis=1) - drawn.min(axis=1), 0.025) > 0
        ours += (disparity("recall_difference", tally).low or 0) > 0
    assert peers == 100
    assert ours <= 8


def test_what_the_gate_promises() -> None:
    """Twelve equal groups hardly ever fail; a real four-fifths violation of a small group mostly does."""
    rng = np.random.default_rng(2)
    fair = [
        (disparity("selection_rate_ratio", counts_of(np.full(12, 150), np.full(12, 0.6), rng)).high or 1) < 0.8
        for _ in range(400)
    ]
    assert np.mean(fair) <= 0.03
    unfair = [
        (disparity("selection_rate_ratio", counts_of(np.array([300, 1500]), np.array([0.455, 0.7]), rng)).high or 1)
        < 0.8
        for _ in range(1000)
    ]
    assert np.mean(unfair) >= 0.85


def test_ends_too_far_away_to_be_squared_make_no_warning() -> None:
    """A group of one row leaves the mean of a score open as far as numbers go."""
    far = np.finfo(np.float64).max / 4
    one = (np.array([0.5]), np.array([-far]), np.array([far]))
    other = (np.array([0.2]), np.array([0.1]), np.array([0.3]))
    with np.errstate(all="raise"):
        low, high = difference_interval(one, other)
    assert np.isfinite([low, high]).all()


def test_margins_below_0_by_rounding_leave_an_interval() -> None:
    """Where all of a group are predicted alike, the end of its rate is the rate, give or take a rounding."""
    one = (np.array([1.0]), np.array([0.9]), np.array([1.0 - 1e-15]))
    none = (np.array([0.0]), np.array([1e-15]), np.array([0.2]))
    with np.errstate(all="raise"):
        low, high = share_difference_interval(one, none)
    assert 0.6 < low < 0.9
    assert high == pytest.approx(1.0)


def test_a_perfect_ranking_has_an_interval_whatever_the_rounding() -> None:
    """The average precision of weighted rows is a sum of shares, which passes 1, or misses it, by rounding."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 2, 40)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            record = eh.audit_predictions(
                truth, y_score=truth * 0.5 + rng.random(40) * 0.4, sample_weight=rng.random(40) + 0.1
            )
        found = record["average_precision"]
        assert found.estimate == 1.0
        assert found.interval is not None
        assert found.interval.low is not None
        assert found.interval.high == 1.0
