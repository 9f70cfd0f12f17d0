"""Gaps over groups, through the public function: the ends that a limit passes or fails by."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome

from evenhand.metrics import Tally, disparity

SIZES: Final = {
    "12 equal groups of 150": [150] * 12,
    "40 groups by Zipf's law": [max(8, round(4_000 / at)) for at in range(1, 41)],
}
RATES: Final = {
    "equal, .3": lambda groups: np.full(groups, 0.3),
    "one lower by .1": lambda groups: np.r_[np.full(groups - 1, 0.4), 0.3],
}


def gap(name: str, sizes: list[int], rates: np.ndarray, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a disparity of selection rates."""
    hits = rng.binomial(sizes, rates, (rounds, len(sizes)))
    cells = np.zeros((*hits.shape, 2, 2), dtype=np.int64)
    cells[..., 0, 0], cells[..., 0, 1] = sizes - hits, hits
    found = [disparity(f"selection_rate_{name}", Tally(each)) for each in cells]
    truth = np.ptp(rates) if name == "difference" else rates.min() / rates.max()
    ends = np.array([[one.low, one.high] for one in found], dtype=float).T
    return outcome(*ends, float(truth), [bool(one.uncovered) for one in found])


TOPIC: Final = Topic(
    "gates",
    (
        "src/evenhand/metrics/comparisons/disparities.py",
        "src/evenhand/metrics/comparisons/pairs.py",
        "src/evenhand/metrics/inference/intervals.py",
    ),
    tuple(
        Cell(f"{name}, {sized}, {rated}", partial(gap, name, sizes, rates(len(sizes))), rounds=2_000)
        for name in ("difference", "ratio")
        for sized, sizes in SIZES.items()
        for rated, rates in RATES.items()
    ),
)
