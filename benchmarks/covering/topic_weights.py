"""Rates and gaps of weighted rows: few of them, and weights that differ between events and other rows."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome

from evenhand.metrics import Tally, disparity, measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Weights = Callable[[Floats, np.random.Generator], Floats]
    """From whether each row is an event to its weight."""

SPREAD: Final = 0.8
"""The standard deviation of the logarithm of lognormal weights."""


def lognormal(times: float) -> Weights:
    """Return lognormal weights, those of events so many times as great."""
    return lambda event, rng: np.exp(SPREAD * rng.standard_normal(event.shape)) * np.where(event > 0, times, 1.0)


WEIGHTS: Final[dict[str, tuple[Weights, float]]] = {
    "1 or 10": (lambda event, rng: np.where(rng.random(event.shape) < 0.5, 1.0, 10.0), 1.0),
    "1, a tenth 10": (lambda event, rng: np.where(rng.random(event.shape) < 0.1, 10.0, 1.0), 1.0),
    "lognormal": (lognormal(1.0), 1.0),
    "3 times for events": (lambda event, rng: np.where(event > 0, 3.0, 1.0), 3.0),
    "a third for events": (lambda event, rng: np.where(event > 0, 1 / 3, 1.0), 1 / 3),
    "lognormal, twice for events": (lognormal(2.0), 2.0),
}
"""Weights, and how many times as heavy events are as other rows."""


def truth_of(weighted: str, rate: float) -> float:
    """Return the true weighted share of events."""
    times = WEIGHTS[weighted][1]
    return times * rate / (times * rate + 1 - rate)


def tally_of(event: Floats, weight: Floats) -> Tally:
    """Return the tally of rows (..., groups, rows), of which those that are events are selected."""

    def cells(values: Floats) -> Floats:
        found = np.zeros((*event.shape[:-1], 2, 2))
        found[..., 0, 1] = (values * event).sum(axis=-1)
        found[..., 0, 0] = (values * (1 - event)).sum(axis=-1)
        return found

    return Tally(cells(np.ones(event.shape)).astype(np.int64), cells(weight), cells(weight**2))


def alone(number: int, weighted: str, rate: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the selection rate of one group; groups of one tally are rounds."""
    event = (rng.random((rounds, number)) < rate).astype(np.float64)
    found = measure("selection_rate", tally_of(event, WEIGHTS[weighted][0](event, rng)))
    return outcome(found.low, found.high, truth_of(weighted, rate), [bool(why) for why in found.uncovered] or False)


def gap(name: str, number: int, weighted: str, rate: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a disparity of twelve selection rates that are equal."""
    event = (rng.random((rounds, 12, number)) < rate).astype(np.float64)
    whole = tally_of(event, WEIGHTS[weighted][0](event, rng))
    assert whole.weights is not None
    assert whole.squared_weights is not None
    tallies = zip(whole.counts, whole.weights, whole.squared_weights, strict=True)
    found = [disparity(f"selection_rate_{name}", Tally(*cells)) for cells in tallies]
    ends = np.array([[one.low, one.high] for one in found], dtype=float).T
    truth = 0.0 if name == "difference" else truth_of(weighted, rate)
    return outcome(*ends, truth, [bool(one.uncovered) for one in found])


TOPIC: Final = Topic(
    "weights",
    (
        "src/evenhand/metrics/inference/unequal.py",
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/values/rates.py",
        "src/evenhand/metrics/comparisons/disparities.py",
        "src/evenhand/metrics/comparisons/pairs.py",
    ),
    (
        *(
            Cell(
                f"{number} rows, weights {weighted}, {rate:g}",
                partial(alone, number, weighted, rate),
                rounds=4_000 if number < 1_000 else 2_000,
            )
            for number, weighted, rate in product((10, 30, 100, 1_000), WEIGHTS, (0.02, 0.1, 0.5, 0.9))
        ),
        *(
            Cell(
                f"{name}, 12 groups of {number}, weights {weighted}, {rate:g}",
                partial(gap, name, number, weighted, rate),
                rounds=1_000,
            )
            for name, number, weighted, rate in product(
                ("difference", "group_min"),
                (30, 150),
                ("1 or 10", "3 times for events", "lognormal, twice for events"),
                (0.1, 0.3, 0.9),
            )
        ),
    ),
)
"""Selection rates of one group, and gates over twelve."""
