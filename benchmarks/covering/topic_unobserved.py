"""Rates of groups known by probabilities, by an error matrix, or by shares alone: hard decisions and few rows."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome

from evenhand.metrics.comparisons.unobserved_groups import corrected_rates, proxy_rates, share_bounds

if TYPE_CHECKING:
    from collections.abc import Callable

KNOWN: Final = {
    "known, half": lambda rng, n: rng.integers(0, 2, n).astype(float),
    "uniform": lambda rng, n: rng.random(n),
    "near 0 or 1": lambda rng, n: rng.beta(0.3, 0.3, n),
    "rare": lambda rng, n: rng.beta(0.5, 4.5, n),
    "of 4 kinds": lambda rng, n: rng.choice([0.1, 0.3, 0.5, 0.8], n),
}
"""How the probabilities of the group are spread."""
DECIDED: Final = {
    "decisions follow the group": (1.0, 0.0),
    "decisions oppose the group": (0.0, 1.0),
    "rare, .05": (0.05, 0.05),
    ".3 and .6": (0.3, 0.6),
    ".9 and .2": (0.9, 0.2),
}
"""The rates of the group and of the others."""


def proxy(chances: Callable[..., np.ndarray], rates: tuple[float, float], size: int, rng: np.random.Generator,
    rounds: int) -> Outcome:  # fmt: skip
    """Simulate a rate of the group from probabilities."""
    ends = []
    for _ in range(rounds):
        chance = chances(rng, size)
        event = rng.random(size) < np.where(rng.random(size) < chance, *rates)
        found = proxy_rates(event, np.column_stack([chance, 1 - chance]))
        ends.append((found.low[0], found.high[0]))
    return outcome(*np.array(ends).T, rates[0])


def matrix(errors: list[list[float]], share: float, rates: tuple[float, float], size: int, rng: np.random.Generator,
    rounds: int) -> Outcome:  # fmt: skip
    """Simulate a rate of the second true group from recorded ones."""
    ends = []
    for _ in range(rounds):
        group = rng.random(size) < share
        event = rng.random(size) < np.where(group, *rates)
        recorded = (rng.random(size) < np.where(group, errors[1][1], errors[1][0])).astype(int)
        rows, hits = np.bincount(recorded, minlength=2), np.bincount(recorded[event], minlength=2)
        found = corrected_rates(hits, rows, errors)
        ends.append((found.low[1], found.high[1]))
    return outcome(*np.array(ends).T, rates[0])


def shares(share: float, rates: tuple[float, float], size: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a rate of the group of which only the share is known."""
    overall = share * rates[0] + (1 - share) * rates[1]
    found = [share_bounds(int(k), size, [share, 1 - share]) for k in rng.binomial(size, overall, rounds)]
    return outcome([one.low[0] for one in found], [one.high[0] for one in found], rates[0])


SETTINGS: Final = (
    *product(KNOWN, DECIDED, (60, 200)),
    *product(KNOWN, list(DECIDED)[:2], (1_000,)),
    *product(["known, half"], DECIDED, (20,)),
)
CELLS: Final = (
    *(
        Cell(
            f"probabilities, {known}, {decided}, {n} rows",
            partial(proxy, KNOWN[known], DECIDED[decided], n),
            rounds=800,
        )
        for known, decided, n in SETTINGS
    ),
    *(
        Cell(
            f"error matrix {errors}, share {share}, {decided}, {n} rows",
            partial(matrix, errors, share, rates, n),
            rounds=1_000,
        )
        for errors, share, (decided, rates), n in product(
            ([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.2], [0.1, 0.8]]), (0.1, 0.5), DECIDED.items(), (60, 1_000)
        )
    ),
    *(
        Cell(f"shares, {share}, {decided}, {n} rows", partial(shares, share, rates, n), rounds=1_000)
        for share, (decided, rates), n in product((0.2, 0.5), DECIDED.items(), (20, 200))
    ),
)
TOPIC: Final = Topic(
    "unobserved",
    ("src/evenhand/metrics/comparisons/unobserved_groups.py", "src/evenhand/metrics/inference/intervals.py"),
    CELLS,
)
