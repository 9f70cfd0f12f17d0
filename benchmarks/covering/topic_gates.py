"""Gaps over groups, through the public function: the ends that a limit passes or fails by."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome

from evenhand.metrics import Tally, disparity

SIZES: Final = {
    "60 against 540": [60, 540],
    "30 against 30": [30, 30],
    "5 groups of 10": [10] * 5,
    "5 groups of 100": [100] * 5,
    "5 groups of 1,000": [1_000] * 5,
    "12 equal groups of 150": [150] * 12,
    "one of 5,000 against 11 of 60": [60] * 11 + [5_000],
    "40 groups by Zipf's law": [max(8, round(4_000 / at)) for at in range(1, 41)],
}
RATES: Final = {
    "equal, .3": lambda groups: np.full(groups, 0.3),
    "one lower by .1": lambda groups: np.r_[np.full(groups - 1, 0.4), 0.3],
    "half of them lower by .2": lambda groups: np.where(np.arange(groups) % 2, 0.3, 0.5),
    "spread, .2 to .6": lambda groups: np.linspace(0.2, 0.6, groups),
    "rare, one of .02": lambda groups: np.r_[np.full(groups - 1, 0.005), 0.02],
}


def gap(name: str, sizes: list[int], rates: np.ndarray, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a disparity of selection rates."""
    hits = rng.binomial(sizes, rates, (rounds, len(sizes)))
    hits = hits[hits.max(axis=1) > 0] if name == "ratio" else hits  # of nothing but 0 there is no ratio
    kinds, where = np.unique(hits, axis=0, return_inverse=True)
    cells = np.zeros((*kinds.shape, 2, 2), dtype=np.int64)
    cells[..., 0, 0], cells[..., 0, 1] = sizes - kinds, kinds
    each = [disparity(f"selection_rate_{name}", Tally(one)) for one in cells]
    found = [each[at] for at in where.ravel()]
    truth = {
        "difference": np.ptp(rates),
        "ratio": rates.min() / rates.max(),
        "group_min": rates.min(),
        "group_max": rates.max(),
    }[name]
    ends = np.array([[one.low, one.high] for one in found], dtype=float).T
    return outcome(*ends, float(truth), [bool(one.uncovered) for one in found])


TOPIC: Final = Topic(
    "gates",
    (
        "src/evenhand/metrics/comparisons/disparities.py",
        "src/evenhand/metrics/comparisons/pairs.py",
        "src/evenhand/metrics/comparisons/share_pairs.py",
        "src/evenhand/metrics/inference/contrasts.py",
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/inference/two_shares.py",
    ),
    tuple(
        Cell(
            f"{name}, {sized}, {rated}",
            partial(gap, name, sizes, rates(len(sizes))),
            8_000 if len(sizes) == 2 else 2_000,
        )
        for name in ("difference", "ratio", "group_min", "group_max")
        for sized, sizes in SIZES.items()
        for rated, rates in RATES.items()
        if len(sizes) > 2 or name in ("difference", "ratio")
    ),
)
