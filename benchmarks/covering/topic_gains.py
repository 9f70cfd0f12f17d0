"""Errors of two models of numbers over the same rows: the network less boosted trees."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic
from draws import ERRORS, codes_of, of_groups

from evenhand.metrics.values.gains import ERRORS as COMPARED
from evenhand.metrics.values.gains import PINBALL, measure_gain

if TYPE_CHECKING:
    from evenhand.metrics import Measured

QUANTILES: Final = (0.1, 0.5, 0.9)
SIZES: Final = (30, 60, 100, 300, 1_000)
APART: Final = (0.2, 0.8)
"""How far either model is from what both miss, in its size."""
MANY: Final = 2_000_000
"""Rows from which the true gain is known."""


def drawn(errors: str, apart: float, larger: bool, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return errors of both models: what both miss, and an own part, which grows with it where it is `larger`."""
    shared = ERRORS[errors](rng, (n,))
    size = np.abs(shared) if larger else 1.0
    return shared + apart * rng.normal(size=n) * size, shared + 1.3 * apart * rng.normal(size=n) * size


def gained(metric: str, old: np.ndarray, new: np.ndarray, codes: np.ndarray, rounds: int) -> Measured:
    """Measure the gain; of quantiles, each model's are as far apart as those of a normal error."""
    zeros = np.zeros(len(old))
    if metric != PINBALL:
        return measure_gain(metric, zeros, old, new, codes, rounds)
    ends = np.array([-1.2816, 0.0, 1.2816])
    before, after = (side[:, None] + ends for side in (old, new))
    return measure_gain(metric, zeros, before, after, codes, rounds, quantiles=QUANTILES)


@cache
def true_gain(metric: str, errors: str, apart: float, larger: bool) -> float:
    """Return the gain over many rows."""
    old, new = drawn(errors, apart, larger, np.random.default_rng(1), MANY)
    return float(gained(metric, old, new, np.zeros(MANY, dtype=np.int32), 1).estimate[0])


def gain(
    metric: str, errors: str, apart: float, larger: bool, n: int, rng: np.random.Generator, rounds: int
) -> Outcome:
    """Simulate the gain of one model on another."""
    old, new = drawn(errors, apart, larger, rng, n * rounds)
    found = gained(metric, old, new, codes_of(rounds, n), rounds)
    return of_groups(found, true_gain(metric, errors, apart, larger))


TOPIC: Final = Topic(
    "gains",
    (
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/inference/skewed.py",
        "src/evenhand/metrics/values/gains.py",
        "src/evenhand/metrics/values/means.py",
    ),
    tuple(
        Cell(
            f"{metric}, {errors}, {apart:g} apart{', more where errors are larger' if larger else ''}, {n}",
            partial(gain, metric, errors, apart, larger, n), 4_000 if n <= 300 else 2_000,
        )
        for metric in COMPARED
        for errors in ("normal", "t with 3 degrees", "t with 5 degrees", "lognormal")
        for apart in APART
        for larger in (False, True)
        for n in SIZES
    ),
)  # fmt: skip
