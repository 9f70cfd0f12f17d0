"""The lower bound on epsilon, which errs on one side alone: above the epsilon that a mechanism is known to have."""

from __future__ import annotations

import math
from functools import partial
from typing import Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome
from scipy.optimize import brentq
from scipy.stats import norm

from evenhand.probing.epsilon.bound import budgets_of, p_value, right_guesses

DELTA: Final = 1e-5
LEVEL: Final = 0.95


def of_gaussian(sigma: float, delta: float) -> float:
    """Return the exact epsilon of Gaussian noise on what differs by 1 (Balle and Wang 2018, theorem 8)."""

    def above(epsilon: float) -> float:
        one, two = 1 / (2 * sigma) - epsilon * sigma, -1 / (2 * sigma) - epsilon * sigma
        return float(norm.cdf(one) - math.exp(epsilon) * norm.cdf(two) - delta)

    return 0.0 if above(0.0) <= 0 else float(brentq(above, 0.0, 100.0))


def ruled_out(said: np.ndarray, inside: np.ndarray, epsilon: float, delta: float) -> Outcome:
    """Return in which rounds (rounds, rows) the bound is above epsilon: where so many right guesses rule it out."""
    drawn = said.shape[1]
    budgets = budgets_of(drawn)
    above = np.zeros(len(said), dtype=bool)
    for way, right in zip(budgets, right_guesses(said, inside, budgets).T, strict=True):
        chance = {hits: p_value(drawn, sum(way), hits, epsilon, delta) for hits in np.unique(right).tolist()}
        above |= np.array([chance[hits] < (1 - LEVEL) / len(budgets) for hits in right.tolist()])
    return outcome(epsilon + np.where(above, 1.0, -1.0), np.full(len(said), np.nan), epsilon)


def noisy(sigma: float, ties: bool, drawn: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate rows of which each is published with Gaussian noise, with a delta that is spent."""
    inside = rng.random((rounds, drawn)) < 0.5
    said = inside + sigma * rng.normal(size=inside.shape)
    said = np.round(2 * said) / 2 if ties else said
    return ruled_out(said, inside, of_gaussian(sigma, DELTA), DELTA)


def answered(epsilon: float, drawn: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate randomized response: every guess is right as often as is allowed, so nothing is left over."""
    inside = rng.random((rounds, drawn)) < 0.5
    right = rng.random(inside.shape) < 1 / (1 + math.exp(-epsilon))
    said = np.where(right, inside, ~inside) + 1e-6 * rng.random(inside.shape)
    return ruled_out(said, inside, epsilon, 0.0)


TOPIC: Final = Topic(
    "epsilon",
    ("src/evenhand/probing/epsilon/bound.py",),
    tuple(
        Cell(f"epsilon_lower_bound, gaussian noise of {sigma:g}{', ties' if ties else ''}, {drawn} rows",
             partial(noisy, sigma, ties, drawn), 1_000)
        for sigma in (0.5, 3.0)
        for ties in (False, True)
        for drawn in (20, 200, 2_000)
    )
    + tuple(
        Cell(f"epsilon_lower_bound, randomized response of {epsilon:g}, {drawn} rows",
             partial(answered, epsilon, drawn), 1_000)
        for epsilon in (0.0, 1.0, 4.0)
        for drawn in (20, 200, 2_000)
    ),
)  # fmt: skip
