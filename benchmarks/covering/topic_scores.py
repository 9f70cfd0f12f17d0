"""Areas under curves with few rows of a class, alone, between groups, and of two models over the same rows."""

from __future__ import annotations

from functools import partial
from statistics import NormalDist
from typing import Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome
from draws import codes_of, of_groups, widest

from evenhand.metrics import average_precision, roc_auc
from evenhand.metrics.inference.paired import paired_auc_change

CASES: Final = (
    (0.9, 5, 95), (0.97, 15, 285), (0.75, 5, 95), (0.75, 7, 60), (0.5, 5, 95), (0.99, 10, 990), (0.95, 50, 950),
    (0.8, 30, 30), (0.6, 50, 450), (0.9, 200, 800),
)  # fmt: skip
"""The area, positive rows, negative rows."""
SPREADS: Final = {"": 1.0, ", positives twice as spread": 2.0}


def shifted(area: float, spread: float) -> float:
    """Return by how much normal scores of positives are above those of negatives for an area."""
    return NormalDist().inv_cdf(area) * float(np.hypot(1, spread))


def scored(
    area: float, positives: int, negatives: int, spread: float, rng: np.random.Generator, rounds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return truth and score of every round: normal scores, the positives' of this spread."""
    truth = np.tile(np.repeat([1, 0], [positives, negatives]).astype(np.int8), (rounds, 1))
    score = rng.normal(size=truth.shape)
    return truth, np.where(truth == 1, shifted(area, spread) + spread * score, score)


def areas(area: float, m: int, n: int, spread: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the area under the ROC curve."""
    truth, score = scored(area, m, n, spread, rng, rounds)
    return of_groups(roc_auc(truth.ravel(), score.ravel(), codes_of(rounds, m + n), rounds), area)


def precisions(area: float, m: int, n: int, spread: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate average precision; its true value is that of 400,000 rows."""
    many = round(400_000 / (m + n))
    big = scored(area, m * many, n * many, spread, np.random.default_rng(1), 1)
    true = average_precision(big[0][0], big[1][0], np.zeros(big[0].size, dtype=np.int32)).estimate[0]
    truth, score = scored(area, m, n, spread, rng, rounds)
    found = average_precision(truth.ravel(), score.ravel(), codes_of(rounds, m + n), rounds)
    return of_groups(found, float(true))


def changes(area: float, m: int, n: int, spread: float, noise: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the change of the area by a compression that adds noise to the scores."""
    truth, old = scored(area, m, n, spread, rng, rounds)
    new = old + noise * rng.normal(size=old.shape)
    true = NormalDist().cdf(shifted(area, spread) / float(np.sqrt(1 + spread**2 + 2 * noise**2))) - area
    ends = np.array([paired_auc_change(*rows)[1:] for rows in zip(truth, old, new, strict=True)]).T
    return outcome(ends[0], ends[1], true)


SIZES: Final = {
    "2 groups, 5 and 50 positive": ((5, 95), (50, 450)),
    "10 groups, 10 positive": ((10, 90),) * 10,
    "40 groups by Zipf's law": tuple((max(4, round(500 / at)), max(8, round(2_000 / at))) for at in range(1, 41)),
}


def gap(sizes: tuple[tuple[int, int], ...], apart: bool, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the widest difference of areas (.8, and .9 in the first group where it is apart)."""
    area = np.full(len(sizes), 0.8)
    area[0] = 0.9 if apart else 0.8
    positives, rows = np.array([pair[0] for pair in sizes]), [sum(pair) for pair in sizes]
    shift = np.array([shifted(float(each), 1.0) for each in area])

    def draw(own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        new = np.diff(own, prepend=-1) != 0  # the first row of each group; its positives come first
        place = np.arange(len(own)) - np.flatnonzero(new)[np.cumsum(new) - 1]
        truth = (place < positives[own]).astype(np.int8)
        return truth, shift[own] * truth + rng.normal(size=own.shape)

    return widest(roc_auc, draw, rows, float(np.ptp(area)), rounds)


TOPIC: Final = Topic(
    "scores",
    (
        "src/evenhand/metrics/comparisons/disparities.py",
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/inference/paired.py",
        "src/evenhand/metrics/inference/skewed.py",
        "src/evenhand/metrics/values/ranking_curves.py",
    ),
    tuple(
        Cell(f"{name}, {area:g}, {m} of {m + n} positive{spread}",
             partial(simulate, area, m, n, SPREADS[spread]), rounds)
        for name, simulate, rounds in (("roc_auc", areas, 3_000), ("average_precision", precisions, 1_500))
        for area, m, n in CASES
        for spread in SPREADS
    )
    + tuple(
        Cell(f"change of roc_auc, {area:g}, {m} of {m + n} positive{spread}, noise {noise:g}",
             partial(changes, area, m, n, SPREADS[spread], noise), 2_000)
        for area, m, n in CASES
        for spread in SPREADS
        for noise in (0.2, 0.5)
    )
    + tuple(
        Cell(f"roc_auc difference, {name}{', one apart' if apart else ''}",
             partial(gap, sizes, apart), 2_000 if len(sizes) < 40 else 500)
        for name, sizes in SIZES.items()
        for apart in (False, True)
    ),
)  # fmt: skip
