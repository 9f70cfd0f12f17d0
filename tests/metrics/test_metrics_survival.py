"""Metrics of times that may be censored: known answers, scikit-survival beside them, laws, and coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.metrics import brier_score, roc_auc
from evenhand.metrics.values.survival import concordance, expected_to_observed, observed_risk, unresolved_share
from evenhand.product_limit import Censoring

HORIZON = 1.0


def drawn(n: int, seed: int | np.random.Generator = 0, beta: float = 1.0, lost: float = 1.2) -> tuple[Any, ...]:
    """Times, events, scores and their risks by the horizon, under exponential times and censoring."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    time, censored = rng.exponential(2 * np.exp(-beta * x)), np.minimum(rng.exponential(lost, n), rng.uniform(1, 4, n))
    return np.minimum(time, censored), (time <= censored) * 1, x, 1 - np.exp(-HORIZON / 2 * np.exp(beta * x))


def zeros(n: int) -> Any:
    return np.zeros(n, dtype=int)


def test_scikit_survival_says_the_same() -> None:
    metrics = pytest.importorskip("sksurv.metrics")
    from sksurv.util import Surv

    time, event, x, risk = drawn(400)
    outcome, codes = Surv.from_arrays(event == 1, time), zeros(400)
    censoring = Censoring.of(time, event, codes)
    harrell = concordance(time, event, x, codes)
    assert np.isclose(harrell.estimate[0], metrics.concordance_index_censored(event == 1, time, x)[0])
    uno = concordance(time, event, x, codes, horizon=HORIZON, censoring=censoring)
    assert np.isclose(uno.estimate[0], metrics.concordance_index_ipcw(outcome, outcome, x, tau=HORIZON)[0])
    weight = censoring.weights(time, event, HORIZON)
    known = weight > 0
    truth, worth = ((time <= HORIZON) & (event == 1))[known] * 1, {"weight": weight[known]}
    area = roc_auc(truth, x[known], codes[known], **worth).estimate[0]
    assert np.isclose(area, metrics.cumulative_dynamic_auc(outcome, outcome, x, [HORIZON])[0][0])
    brier = brier_score(truth, risk[known], codes[known], **worth).estimate[0]
    assert np.isclose(brier, metrics.brier_score(outcome, outcome, 1 - risk, [HORIZON])[1][0])


def test_scikit_survival_says_the_same_of_tied_times_and_scores() -> None:
    metrics = pytest.importorskip("sksurv.metrics")
    rng = np.random.default_rng(3)
    time, event, score = rng.integers(1, 8, 150), rng.integers(0, 2, 150), rng.integers(0, 5, 150)
    found = concordance(time, event, score, zeros(150)).estimate[0]
    assert np.isclose(found, metrics.concordance_index_censored(event == 1, time, score)[0])


def test_the_concordance_is_the_share_of_pairs() -> None:
    time, event, score = [1.0, 2.0, 2.0, 3.0, 5.0], [1, 0, 1, 0, 1], [0.9, 0.2, 0.9, 0.9, 0.1]
    # the first event against four later rows: 1 + 0.5 + 0.5 + 1; that at 2 against the row censored then, and two
    # later ones: 1 + 0.5 + 1
    assert concordance(time, event, score, zeros(5)).estimate[0] == pytest.approx((3 + 2.5) / 7)


@given(st.integers(0, 200), st.booleans())
def test_the_pairs_are_those_of_two_loops_in_every_group(seed: int, uno: bool) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 25))
    time, event = rng.integers(1, 9, n).astype(float), rng.integers(0, 2, n)
    score, codes, weight = rng.integers(0, 4, n), rng.integers(0, 2, n), rng.uniform(0.5, 2, n)
    strata = rng.integers(0, 2, n)
    censoring, horizon = Censoring.of(time, event, strata, weight), 6.0 if uno else np.inf
    more: dict[str, Any] = {"horizon": horizon, "censoring": censoring} if uno else {}
    found = concordance(time, event, score, codes, 2, weight=weight, **more).estimate
    free = censoring.free(time) if uno else np.ones((n, 2))
    won, pairs = np.zeros(2), np.zeros(2)
    for i in range(n):
        for j in range(n):
            later = time[j] > time[i] or (time[j] == time[i] and not event[j])
            if codes[i] == codes[j] and event[i] and time[i] <= horizon and later:
                worth = weight[i] * weight[j] / free[i, censoring.of_row[i] * uno] / free[i, censoring.of_row[j] * uno]
                pairs[codes[i]] += worth
                won[codes[i]] += worth * ((score[i] > score[j]) + 0.5 * (score[i] == score[j]))
    expected = np.divide(won, pairs, out=np.full(2, np.nan), where=pairs > 0)
    assert np.allclose(found, expected, equal_nan=True)


def test_a_score_turned_round_has_the_rest_and_only_the_order_counts() -> None:
    time, event, x, _ = drawn(120)
    whole = concordance(time, event, x, zeros(120))
    turned, other = (concordance(time, event, score, zeros(120)) for score in (-x, np.exp(x)))
    assert turned.estimate[0] == pytest.approx(1 - whole.estimate[0])
    assert turned.low[0] == pytest.approx(1 - whole.high[0])
    assert other.low[0] == pytest.approx(whole.low[0])


def test_what_a_row_adds_is_what_leaving_it_out_takes_away() -> None:
    """The errors are near those of the jackknife, which leaves out one row at a time."""
    time, event, x, _ = drawn(150)
    everyone = np.arange(150)

    def left_out(measure: Any) -> float:
        without = np.array([measure(np.delete(everyone, at)).estimate[0] for at in everyone])
        return float(np.sqrt(149 / 150 * ((without - without.mean()) ** 2).sum()))

    def order(rows: Any) -> Any:
        return concordance(time[rows], event[rows], x[rows], zeros(len(rows)))

    def observed(rows: Any) -> Any:
        return observed_risk(time[rows], event[rows], HORIZON, zeros(len(rows)))

    c, r = order(everyone), observed(everyone)
    logit = np.log(c.high / (1 - c.high)) - np.log(c.low / (1 - c.low))
    error = logit[0] * c.estimate[0] * (1 - c.estimate[0]) / 2 / 1.96
    assert error == pytest.approx(left_out(order), rel=0.12)
    assert (r.high - r.low)[0] / 2 / 1.96 == pytest.approx(left_out(observed), rel=0.12)


def test_rows_of_one_cluster_say_less_and_repeating_rows_says_nothing_new() -> None:
    time, event, x, risk = drawn(100)
    twice, who = np.tile(np.arange(100), 2), np.tile(np.arange(100), 2)
    for measure, more in (
        (concordance, (x,)), (observed_risk, (HORIZON,)), (expected_to_observed, (risk, HORIZON)),
        (unresolved_share, (HORIZON,)),
    ):  # fmt: skip
        parts = [part if np.isscalar(part) else part[twice] for part in more]
        once = measure(time, event, *more, zeros(100))
        again = measure(time[twice], event[twice], *parts, zeros(200), clusters=who)
        apart = measure(time[twice], event[twice], *parts, zeros(200))
        assert again.estimate[0] == pytest.approx(once.estimate[0])
        assert (again.high - again.low)[0] > 1.2 * (apart.high - apart.low)[0]
        assert (again.high - again.low)[0] == pytest.approx((once.high - once.low)[0], rel=0.08)


def test_greenwoods_error_is_met() -> None:
    time, event, *_ = drawn(300)
    found = observed_risk(time, event, HORIZON, zeros(300))
    left, parts = 1.0, 0.0
    for at in np.sort(time[(event == 1) & (time <= HORIZON)]):
        y = int((time >= at).sum())
        left *= 1 - 1 / y
        parts += 1 / (y * (y - 1))
    assert found.estimate[0] == pytest.approx(1 - left)
    assert (found.high - found.low)[0] / 2 / 1.96 == pytest.approx(left * np.sqrt(parts), rel=0.05)


def test_censoring_that_depends_on_the_stratum_bends_one_curve_and_not_the_mean_of_two() -> None:
    rng = np.random.default_rng(4)
    n, inside = 3_000, {"strata": 0, "one": 0}
    for _ in range(40):
        group = rng.integers(0, 2, n)
        event_at, lost = rng.exponential(np.where(group, 0.5, 4.0)), rng.exponential(np.where(group, 0.4, 8.0))
        time, event = np.minimum(event_at, lost), (event_at <= lost) * 1
        truth = 1 - (np.exp(-2.0) + np.exp(-0.25)) / 2
        for name, more in (("strata", {"strata": group}), ("one", {})):
            found = observed_risk(time, event, HORIZON, zeros(n), **more)
            inside[name] += bool(found.low[0] <= truth <= found.high[0])
    assert inside["strata"] >= 35
    assert inside["one"] == 0


def test_undefined_is_not_zero_and_says_why() -> None:
    time, event, codes = np.array([1.0, 2.0, 3.0, 3.0, 0.5]), np.array([1, 0, 0, 0, 0]), np.array([0, 0, 0, 1, 2])
    risk = np.full(5, 0.5)
    observed = observed_risk(time, event, 2.5, codes, 4)
    assert observed.defined.tolist() == [True, True, False, False]
    assert observed.estimate[1] == 0
    assert observed.high[1] > 0.9, "one row without an event shows next to nothing"
    assert "Nobody was followed" in observed.reason[2]
    ratio = expected_to_observed(time, event, risk, 2.5, codes, 4)
    assert ratio.defined.tolist() == [True, False, False, False]
    assert "No event by the horizon" in ratio.reason[1]
    order = concordance(time, event, risk, codes, 4)
    assert order.defined.tolist() == [True, False, False, False]
    assert "no pair" in order.reason[1]


def test_a_group_in_which_all_have_the_event_has_a_risk_of_one() -> None:
    found = observed_risk([1.0, 2.0, 3.0], [1, 1, 1], 5.0, zeros(3))
    assert found.estimate[0] == 1
    assert found.low[0] < 0.4


def test_a_stratum_that_nobody_was_followed_in_is_taken_with_the_others() -> None:
    time, event = np.array([1.0, 2, 3, 4, 0.5]), np.array([1, 0, 1, 0, 0])
    whole = observed_risk(time, event, 2.5, zeros(5))
    apart = observed_risk(time, event, 2.5, zeros(5), strata=[0, 0, 0, 0, 1])
    assert apart.estimate[0] == whole.estimate[0]
    both = observed_risk(np.tile(time[:4], 2), np.tile(event[:4], 2), 2.5, zeros(8), strata=np.repeat([0, 1], 4))
    assert both.estimate[0] == pytest.approx(0.25)


CELLS = [(40, 1.2), (100, 1.2), (100, 0.7), (250, 5.0)]
"""Rows, and the mean time to censoring: 15 to 55 % are censored before the horizon."""


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.5])
@pytest.mark.parametrize(("n", "lost"), CELLS)
def test_intervals_cover_with_censoring_whose_curve_is_estimated(n: int, lost: float, beta: float) -> None:
    rng = np.random.default_rng(int(10 * beta) + n)
    time, event, x, risk = drawn(100_000, rng, beta, 1e9)
    whole = np.random.default_rng(0).exponential(2 * np.exp(-beta * x))  # without censoring
    one, all_of = np.ones(len(x)), zeros(len(x))
    truth = {
        "c": concordance(whole, one, x, all_of, horizon=HORIZON).estimate[0],
        "r": (whole <= HORIZON).mean(),
        "e": risk.mean() / (whole <= HORIZON).mean(),
    }
    inside: dict[str, list[bool]] = {name: [] for name in truth}
    for _ in range(600):
        time, event, x, risk = drawn(n, rng, beta, lost)
        codes = zeros(n)
        censoring = Censoring.of(time, event, codes)
        made = {
            "c": concordance(time, event, x, codes, horizon=HORIZON, censoring=censoring),
            "r": observed_risk(time, event, HORIZON, codes),
            "e": expected_to_observed(time, event, risk, HORIZON, codes),
        }
        for name, found in made.items():
            if found.defined[0]:
                inside[name].append(bool(found.low[0] <= truth[name] <= found.high[0]))
    for name, hits in inside.items():
        assert np.mean(hits) > 0.93, (name, np.mean(hits))
