"""The bound on epsilon holds where epsilon is known, and shows what is not private."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from evenhand.errors import InputError
from evenhand.probing.epsilon.bound import (
    best_bound,
    budgets_of,
    epsilon_bound,
    least_epsilon,
    p_value,
    right_guesses,
)
from evenhand.probing.membership.scores import rmia

DELTA = 1e-5


def gaussian_epsilon(sigma: float, delta: float = DELTA) -> float:
    """The exact epsilon of a Gaussian mechanism of sensitivity 1 (Balle and Wang 2018, theorem 8)."""

    def excess(epsilon: float) -> float:
        one, two = 1 / (2 * sigma) - epsilon * sigma, -1 / (2 * sigma) - epsilon * sigma
        return float(stats.norm.cdf(one) - math.exp(epsilon) * stats.norm.cdf(two) - delta)

    return float(brentq(excess, 1e-6, 100))


def too_high(drawn: int, epsilon: float, level: float) -> list[int]:
    """For each number of guesses the fewest right ones of which the bound is above epsilon."""
    return too_high_at(drawn, epsilon, DELTA, level)


def too_high_at(drawn: int, epsilon: float, delta: float, level: float) -> list[int]:
    budgets = budgets_of(drawn)
    error = (1 - level) / len(budgets)
    found = []
    for guesses in map(sum, budgets):
        low, high = 0, guesses + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if p_value(drawn, guesses, middle, epsilon, delta) < error else (middle, high)
        found.append(high)
    return found


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_of_a_known_gaussian_mechanism_the_bound_is_too_high_in_five_percent_at_most(sigma: float) -> None:
    runs, drawn, epsilon = 400, 1000, gaussian_epsilon(sigma)
    chance = np.random.default_rng(7)
    inside = chance.random((runs, drawn)) < 0.5
    said = inside + sigma * chance.normal(size=inside.shape)  # each row has a place of its own in what is published
    right = right_guesses(said, inside, budgets_of(drawn))
    above = np.asarray((right >= too_high(drawn, epsilon, 0.95)).any(axis=1))
    assert above.mean() <= 0.05
    few = [epsilon_bound(said[run], inside[run], DELTA).epsilon for run in range(4)]
    assert [bound > epsilon for bound in few] == above[:4].tolist()
    if sigma == 0.5:
        assert min(few) > 0.5  # and it is not empty


def test_coins_that_guess_the_best_they_may_stay_below_the_claim() -> None:
    """Randomized response is (epsilon, 0)-private and every guess is right as often as that allows: the tight case."""
    runs, drawn, epsilon = 400, 600, 1.0
    chance = np.random.default_rng(3)
    inside = chance.random((runs, drawn)) < 0.5
    true = chance.random(inside.shape) < 1 / (1 + math.exp(-epsilon))
    said = np.where(true, inside, ~inside) + 1e-6 * chance.random(inside.shape)
    right = right_guesses(said, inside, budgets_of(drawn))
    assert (right >= too_high(drawn, epsilon, 0.95)).any(axis=1).mean() <= 0.05
    assert np.median([epsilon_bound(said[run], inside[run], 0.0).epsilon for run in range(5)]) > 0.5


def test_the_p_value_is_that_of_the_paper() -> None:
    """Against the algorithm of appendix D, written out."""

    def paper(m: int, r: int, v: int, eps: float, delta: float) -> float:
        q = 1 / (1 + math.exp(-eps))
        beta = stats.binom.sf(v - 1, r, q)
        alpha, total = 0.0, 0.0
        for i in range(1, v + 1):
            total += stats.binom.pmf(v - i, r, q)
            alpha = max(alpha, total / i)
        return float(min(1.0, beta + alpha * delta * 2 * m))

    for case in (
        (1000, 100, 80, 0.5, 1e-5),
        (1000, 1000, 600, 0.1, 1e-3),
        (50, 10, 0, 1.0, 1e-5),
        (50, 4, 4, 0.0, 0.0),
    ):
        assert p_value(*case) == pytest.approx(paper(*case), rel=1e-9)


def test_delta_and_fewer_right_guesses_lower_the_bound() -> None:
    found = [least_epsilon(1000, 200, right, DELTA, 0.01) for right in range(100, 201, 20)]
    assert found == sorted(found) and found[0] == 0 < found[-1]
    assert least_epsilon(1000, 200, 190, 1e-3, 0.01) < least_epsilon(1000, 200, 190, 0.0, 0.01)


def test_scores_that_say_nothing_rule_nothing_out_and_equal_ones_too() -> None:
    inside = np.random.default_rng(0).random(500) < 0.5
    assert epsilon_bound(np.zeros(500), inside, DELTA).epsilon == 0


@pytest.mark.parametrize("scores", [[0.1] * 19, [0.1] * 20 + [math.nan] * 5])
def test_what_cannot_be_put_in_order_is_refused(scores: list[float]) -> None:
    with pytest.raises(InputError):
        epsilon_bound(scores, [True] * len(scores), DELTA)
    with pytest.raises(InputError):
        epsilon_bound(scores, [True], DELTA)


def test_equal_scores_are_no_guesses_even_where_rows_stand_by_who_was_in() -> None:
    inside = np.arange(400) >= 200
    for said in (inside, ~inside):
        assert epsilon_bound(np.zeros(400), said, DELTA).epsilon == 0


def response(runs: int, drawn: int, epsilon: float, known: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coins, and scores of both attacks, of models that answer each row by randomized response of its coin.

    Rows are hard or easy, which confidence alone cannot tell from out or in, and paired references can. With `known`
    references were fitted on the rows that were in, which they must not be.
    """
    chance = np.random.default_rng(11)
    inside = chance.random((runs, drawn)) < 0.5
    said = np.where(chance.random(inside.shape) < 1 / (1 + math.exp(-epsilon)), inside, ~inside)
    easy = chance.uniform(0.2, 0.6, inside.shape)
    target = easy + 0.3 * said
    calibrated = np.empty(inside.shape)
    for run in range(runs):
        half = inside[run] if known else chance.random(drawn) < 0.5
        saw = np.stack([half, ~half])
        references = easy[run] + 0.3 * saw + 1e-3 * chance.random(saw.shape)
        if known:
            references = easy[run] - 0.1 * inside[run] + 1e-3 * chance.random(saw.shape)
        calibrated[run] = rmia(target[run], references, saw, np.full(9, 0.5), np.full((2, 9), 0.5))
    return inside, target, calibrated


def test_the_better_of_two_attacks_is_above_epsilon_in_five_percent_at_most() -> None:
    """References are fitted on halves of the candidates, those that were in among them; and it is the tight case."""
    runs, drawn, epsilon = 300, 600, 1.0
    inside, *attacks = response(runs, drawn, epsilon, known=False)
    least = too_high_at(drawn, epsilon, 0.0, 0.975)
    above = [(right_guesses(said, inside, budgets_of(drawn)) >= least).any(axis=1) for said in attacks]
    assert (above[0] | above[1]).mean() <= 0.05
    both = {"confidence": (attacks[0][0], inside[0]), "calibrated": (attacks[1][0], inside[0])}
    name, found = best_bound(both, 0.0)
    assert name == "calibrated" and 0.4 < found.epsilon < epsilon and found.level == 0.95


def test_references_that_know_the_coins_would_break_it() -> None:
    inside, _, calibrated = response(1, 600, 1.0, known=True)
    assert epsilon_bound(calibrated[0], inside[0], 0.0).epsilon > 1.0
