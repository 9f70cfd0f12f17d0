"""Predicted numbers with errors of ordinary and of heavy tails, alone and between groups."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic
from draws import ERRORS, FURTHER, codes_of, of_groups, widest

from evenhand.metrics.values.regression import measure_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

ABSOLUTE, SQUARED, MEDIAN, RESIDUAL, R2 = (
    "mean_absolute_error", "root_mean_squared_error", "median_absolute_error", "mean_residual", "r2",
)  # fmt: skip
DRAWN: Final = ERRORS | FURTHER
TRUTH: Final = {
    "normal": (np.sqrt(2 / np.pi), 1.0, 0.674490, 0.0),
    "laplace": (1.0, np.sqrt(2), np.log(2), 0.0),
    "t with 3 degrees": (2 * np.sqrt(3) / np.pi, np.sqrt(3), 0.764892, 0.0),
    "t with 5 degrees": (0.949054, np.sqrt(5 / 3), 0.726687, 0.0),
    "lognormal": (np.exp(0.5), np.e, 1.0, np.exp(0.5)),
    "exponential": (1.0, np.sqrt(2), np.log(2), 1.0),
    "gamma of shape .5": (0.5, np.sqrt(0.75), 0.227468, 0.5),
    "uniform": (0.5, np.sqrt(1 / 3), 0.5, 0.0),
    "nine tenths 0": (0.1, np.sqrt(0.2), 0.0, 0.1),
}
"""Of each distribution of errors the mean absolute one, the root of their mean square, the median one, the mean."""
SIZES: Final = (10, 30, 100, 300, 1_000, 3_000)


def alone(metric: str, errors: str, n: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate one group."""
    truth = TRUTH[errors][(ABSOLUTE, SQUARED, MEDIAN, RESIDUAL).index(metric)]
    error = DRAWN[errors](rng, (rounds, n)).ravel()
    return of_groups(measure_numbers(metric, np.zeros(error.size), error, codes_of(rounds, n), rounds), float(truth))


def explained(errors: str, n: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate R squared of half of the variance: truth and error have the same distribution but for its middle."""
    truth, error = DRAWN[errors](rng, (2, rounds, n))
    if errors == "lognormal":
        error = error - np.exp(0.5)
    found = measure_numbers("r2", truth.ravel(), (truth + error).ravel(), codes_of(rounds, n), rounds)
    return of_groups(found, 0.0)


def gap(
    metric: str, errors: str, sizes: Sequence[int], scales: Sequence[float], rng: np.random.Generator, rounds: int
) -> Outcome:
    """Simulate the widest difference over groups whose errors have these scales."""
    scale = np.asarray(scales)
    truth = TRUTH[errors][(ABSOLUTE, SQUARED, MEDIAN, RESIDUAL).index(metric)] * scale

    def draw(own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(own)), DRAWN[errors](rng, own.shape) * scale[own]

    return widest(partial(measure_numbers, metric), draw, sizes, float(np.ptp(truth)), rounds)


ZIPF: Final = [max(30, round(4_000 / at)) for at in range(1, 41)]
GAPS: Final = (
    ("30 against 900", (30, 900), (1.0, 1.0)),
    ("30 against 900, half the errors", (30, 900), (1.0, 0.5)),
    ("100 against 100", (100, 100), (1.0, 1.0)),
    ("10 groups of 100, one apart", (100,) * 10, (1.0,) * 9 + (1.5,)),
    ("8 groups of 20 to 2,000", (20, 40, 80, 160, 300, 600, 1_000, 2_000), (1.0,) * 8),
    ("40 groups by Zipf's law", ZIPF, (1.0,) * 40),
    ("40 groups by Zipf's law, one apart", ZIPF, (1.5,) + (1.0,) * 39),
)


def _cells() -> list[Cell]:
    found = [
        Cell(f"{metric}, {errors}, {n}", partial(alone, metric, errors, n), 4_000 if n <= 300 else 2_000)
        for metric in (ABSOLUTE, SQUARED, MEDIAN, RESIDUAL)
        for errors in DRAWN
        for n in SIZES
    ]
    found += [
        Cell(f"{R2}, {errors}, {n}", partial(explained, errors, n), 2_000)
        for errors in ("normal", "t with 3 degrees", "lognormal")
        for n in SIZES[1:5]
    ]
    found += [
        Cell(
            f"{metric} difference, {errors}, {name}",
            partial(gap, metric, errors, sizes, scales),
            2_000 if len(sizes) < 40 else 500,
        )
        for metric in (ABSOLUTE, SQUARED, MEDIAN)
        for errors in ("normal", "lognormal", "nine tenths 0")
        for name, sizes, scales in GAPS
    ]
    return found


TOPIC: Final = Topic(
    "regression",
    (
        "src/evenhand/metrics/comparisons/disparities.py",
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/inference/skewed.py",
        "src/evenhand/metrics/values/means.py",
        "src/evenhand/metrics/values/medians.py",
        "src/evenhand/metrics/values/regression.py",
    ),
    tuple(_cells()),
)
