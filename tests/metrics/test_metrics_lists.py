"""Metrics of the first items of lists: against scikit-learn, all orders of equal scores, and figures by hand."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
import sklearn.metrics as sk

from evenhand.metrics import compare
from evenhand.metrics.values.lists import (
    AT_K,
    SMOOTHED,
    divergence,
    first_mean,
    hits_of,
    measured_changes,
    measured_lift,
    measured_lists,
    precision_of,
    recall_of,
    shares,
)
from evenhand.metrics.values.ordering import Ordering
from evenhand.metrics.values.ranking import exposure

ONE = np.zeros(7, dtype=int)


def orders(score: list[float]) -> list[tuple[int, ...]]:
    """Return every order of the items of a list in which no higher score stands behind a lower one."""
    return [order for order in permutations(range(len(score))) if all(score[a] >= score[b] for a, b in pairwise(order))]


@pytest.mark.parametrize("at", [1, 2, 3, 4, 6, 9])
@pytest.mark.parametrize("score", [[3, 2, 2, 2, 1, 0, 0], [1] * 7, [7, 6, 5, 4, 3, 2, 1], [2, 2, 1, 1, 1, 1, 0]])
def test_equal_scores_are_the_mean_over_all_their_orders(at: int, score: list[float]) -> None:
    worth, value = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 0.0, 1.0]), np.arange(7.0)
    order, every = Ordering.of(score, ONE), orders(score)
    first = [worth[list(each[:at])] > 0 for each in every]
    assert recall_of(worth, order, at)[0] == pytest.approx(np.mean([hits.sum() / 4 for hits in first]))
    assert precision_of(worth, order, at)[0] == pytest.approx(np.mean([hits.sum() / at for hits in first]))
    assert hits_of(worth, order, at)[0] == pytest.approx(np.mean([hits.any() for hits in first]))
    assert first_mean(value, order, at)[0] == pytest.approx(np.mean([value[list(each[:at])].mean() for each in every]))
    seen = np.zeros(7)
    for each in every:
        for place, item in enumerate(each[:at], 1):
            seen[item] += 1 / np.log2(1 + place) / len(every)
    assert order.discount(at) == pytest.approx(seen)


def test_ndcg_of_each_list_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    worth, score = rng.integers(0, 3, (40, 15)).astype(float), rng.integers(0, 6, (40, 15)).astype(float)
    order = Ordering.of(score.ravel(), np.repeat(np.arange(40), 15))
    for at in (3, 10):
        theirs = [sk.ndcg_score(w[None], s[None], k=at) for w, s in zip(worth, score, strict=True)]
        assert AT_K["ndcg"](worth.ravel(), order, at) == pytest.approx(np.array(theirs))


def test_neither_the_order_of_rows_nor_the_scale_of_scores_matters() -> None:
    rng = np.random.default_rng(1)
    query, worth = rng.integers(0, 9, 120), (rng.random(120) < 0.2).astype(float)
    score, shuffled = rng.integers(0, 9, 120).astype(float), rng.permutation(120)
    one = Ordering.of(score, query)
    other = Ordering.of(np.exp(score)[shuffled] - 5, query[shuffled])
    for measured in AT_K.values():
        assert measured(worth, one, 5) == pytest.approx(measured(worth[shuffled], other, 5), nan_ok=True)
    codes = rng.integers(0, 2, 120)
    there, back = exposure(score, query, codes, 2), exposure(score[shuffled], query[shuffled], codes[shuffled], 2)
    assert there.estimate == pytest.approx(back.estimate)


def test_a_list_with_nothing_relevant_has_no_value_and_a_group_of_them_a_reason() -> None:
    order = Ordering.of([2.0, 1.0, 2.0, 1.0, 2.0, 1.0], [0, 0, 1, 1, 2, 2])
    value = recall_of(np.array([1.0, 0, 0, 0, 0, 1.0]), order, 1)
    assert value.tolist()[::2] == [1.0, 0.0]
    assert np.isnan(value[1])
    found = measured_lists("recall_at_k", value, np.array([0, 1, 0]), 2)
    assert found.estimate[0] == 0.5
    assert found.support.tolist() == [2, 0]
    assert found.reason == ("", "No list of it holds anything relevant.")
    assert compare(found, "difference").reason
    assert precision_of(np.array([1.0, 0, 0, 0, 0, 1.0]), order, 5)[0] == 0.2, "a short list is no better for it"


def test_divergence_by_hand() -> None:
    past = np.array([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0], [np.nan, np.nan]])
    shown = np.array([[0.5, 0.5], [0.8, 0.2], [0.0, 1.0], [0.5, 0.5]])
    found = divergence(past, shown)
    by_hand = 0.5 * np.log(0.5 / (0.99 * 0.8 + 0.005)) + 0.5 * np.log(0.5 / (0.99 * 0.2 + 0.005))
    assert found[:3] == pytest.approx([0.0, by_hand, np.log(1 / SMOOTHED)])
    assert np.isnan(found[3]), "without a past there is nothing to be like"


def test_categories_are_shared_by_the_chance_to_be_shown() -> None:
    order = Ordering.of([3.0, 1.0, 1.0, 0.0], [0, 0, 0, 0])
    of_items = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 1.0]])
    assert shares(of_items, order, 2)[0] == pytest.approx([(1 + 0.5 * 0.5) / 2, (0.5 + 0.5 * 0.5) / 2])


def test_lift_is_a_ratio_of_means_of_groups() -> None:
    shown, past = np.array([30.0, 60.0, 10.0, 5.0]), np.array([10.0, 20.0, 10.0, np.nan])
    found = measured_lift(shown, past, np.array([0, 0, 1, 2]), 3)
    assert found.estimate[:2] == pytest.approx([2.0, 0.0])
    assert found.reason[2] == "No list of it has earlier interactions."
    scaled = measured_lift(shown * 7, past * 7, np.array([0, 0, 1, 2]), 3)
    assert scaled.estimate[:2] == pytest.approx(found.estimate[:2])


def test_clusters_and_weights_of_lists() -> None:
    rng = np.random.default_rng(2)
    value, person = np.repeat(rng.random(60), 4), np.repeat(np.arange(60), 4)
    alone, together = (measured_lists("ndcg", value, person * 0, clusters=who) for who in (None, person))
    once = measured_lists("ndcg", value[::4], person[::4] * 0)
    width = [found.high[0] - found.low[0] for found in (alone, together, once)]
    assert width[1] == pytest.approx(width[2]), "four alike lists of a person are one"
    assert width[0] < 0.6 * width[1]
    heavy = measured_lists("ndcg", np.array([0.0, 1.0]), np.zeros(2, dtype=int), weight=np.array([1.0, 3.0]))
    assert heavy.estimate[0] == 0.75
    shared = measured_lists("ndcg", value, np.arange(240) % 2, 2, clusters=person)
    assert shared.apart == pytest.approx(np.sqrt(2)), "both groups hold lists of the same people"


def test_that_no_list_of_a_few_changed_does_not_show_that_none_would() -> None:
    few, many = (measured_changes("ndcg_change", np.zeros(n), np.zeros(n, dtype=int)) for n in (7, 700))
    assert (few.estimate[0], many.estimate[0]) == (0.0, 0.0)
    assert few.low[0] == pytest.approx(np.log(0.025) / 7)
    assert many.low[0] == pytest.approx(np.log(0.025) / 700)
    assert few.high[0] == -few.low[0]


def _covered(draw: str, n: int, groups: int, seed: int = 0) -> float:
    """Return the share of groups of n lists whose interval holds the truth."""
    rng, codes = np.random.default_rng(seed), np.repeat(np.arange(groups), n)
    some = np.where(rng.random(n * groups) < 0.8, 0.0, rng.beta(0.5, 5, n * groups))
    if draw == "mostly none":
        truth, found = 0.2 / 11, measured_lists("recall_at_k", some, codes, groups)
    elif draw == "mostly all":
        truth, found = 1 - 0.2 / 11, measured_lists("recall_at_k", 1 - some, codes, groups)
    elif draw == "rare losses":
        truth, found = -0.2 / 11, measured_changes("ndcg_change", -some, codes, groups)
    elif draw == "divergence":
        value = np.minimum(np.exp(rng.normal(-0.8, 0.7, n * groups)), 4.6)
        parts = [measured_lists("miscalibration", each, codes[:n] * 0) for each in value.reshape(groups, n)]
        truth = float(np.minimum(np.exp(np.random.default_rng(1).normal(-0.8, 0.7, 1_000_000)), 4.6).mean())
        return float(np.mean([part.low[0] <= truth <= part.high[0] for part in parts]))
    else:
        one, other = rng.normal(size=(2, n * groups))
        past, shown = np.exp(4 + 0.5 * one), np.exp(4.5 + 0.4 * (0.5 * one + 0.75**0.5 * other))
        truth, found = np.exp(0.5 + 0.08 - 0.125) - 1, measured_lift(shown, past, codes, groups)
    return float(np.mean((found.low <= truth) & (truth <= found.high)))


KINDS = ("mostly none", "mostly all", "rare losses", "divergence", "lift")


@pytest.mark.parametrize("draw", KINDS)
def test_intervals_of_few_lists_cover(draw: str) -> None:
    assert _covered(draw, 20, 200) >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize("draw", KINDS)
@pytest.mark.parametrize("n", [2, 5, 10, 20, 40, 100, 300])
def test_intervals_of_lists_cover(draw: str, n: int) -> None:
    assert _covered(draw, n, 2_000, seed=n) >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(256, 651), (10, 40), (7, 36, 195, 297)])
@pytest.mark.parametrize("ratio", [1.0, 0.7])
def test_comparisons_of_groups_of_lists_cover(sizes: tuple[int, ...], ratio: float) -> None:
    rng, codes = np.random.default_rng(0), np.repeat(np.arange(len(sizes)), sizes)
    top = np.where(codes == 0, ratio, 1.0)
    wrong = np.zeros(4)
    for _ in range(600):
        value = np.where(rng.random(len(codes)) < 0.55, 0.0, rng.beta(1, 3, len(codes)) * top)
        found = measured_lists("ndcg", value, codes, len(sizes))
        gap, share = compare(found, "difference"), compare(found, "ratio")
        truth = 0.45 * 0.25 * (1 - ratio)
        wrong += [gap.low > truth, gap.high < truth - 1e-9, share.low > ratio + 1e-9, (share.high or 9) < ratio]
    assert (wrong / 600 <= 0.04).all()
