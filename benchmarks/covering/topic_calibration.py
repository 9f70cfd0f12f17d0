"""Losses, calibration ratio and calibration error of claimed probabilities, of rare outcomes too, alone and between
groups."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic
from draws import codes_of, of_groups, widest

from evenhand.metrics import SCORES

if TYPE_CHECKING:
    from collections.abc import Callable

    Floats = np.ndarray

BRIER, LOG, RATIO, ERROR = "brier_score", "log_loss", "calibration_ratio", "calibration_error"
CLAIMED: Final[dict[str, Callable[[np.random.Generator, tuple[int, ...]], Floats]]] = {
    "Beta(.2, 8)": lambda rng, shape: rng.beta(0.2, 8, shape),
    "Beta(.3, .3)": lambda rng, shape: rng.beta(0.3, 0.3, shape),
    "uniform": lambda rng, shape: rng.random(shape),
    ".02 for all": lambda rng, shape: np.full(shape, 0.02),
    ".02, a tenth .6": lambda rng, shape: np.where(rng.random(shape) < 0.1, 0.6, 0.02),
    ".1 to .6": lambda rng, shape: 0.1 + 0.5 * rng.random(shape),
}
"""Distributions of the claimed probability."""
TRUE: Final[dict[str, Callable[[Floats], Floats]]] = {
    "calibrated": lambda score: score,
    "twice as likely": lambda score: np.minimum(2 * score, 1),
    "half as likely": lambda score: score / 2,
    ".1 likelier": lambda score: score + 0.1,
}
"""The true probability given the claimed one."""
CASES: Final = (
    ("Beta(.2, 8)", "calibrated"), ("Beta(.2, 8)", "twice as likely"), ("Beta(.2, 8)", "half as likely"),
    ("Beta(.3, .3)", "calibrated"), ("uniform", "calibrated"), (".02 for all", "calibrated"),
    (".1 to .6", ".1 likelier"), (".02, a tenth .6", "calibrated"),
)  # fmt: skip
SIZES: Final = (10, 30, 100, 300, 1_000)


@cache
def true_value(metric: str, claimed: str, true: str) -> float:
    """Return the value of a million rows whose outcomes are averaged over."""
    score = CLAIMED[claimed](np.random.default_rng(0), (1_000_000,))
    chance = TRUE[true](score)
    sure = np.clip(score, 1e-15, 1 - 1e-15)
    values = {
        BRIER: (chance * (1 - score) ** 2 + (1 - chance) * score**2).mean(),
        LOG: -(chance * np.log(sure) + (1 - chance) * np.log(1 - sure)).mean(),
        RATIO: score.mean() / chance.mean(),
        ERROR: np.abs(score - chance).mean(),
    }
    return float(values[metric])


def alone(metric: str, claimed: str, true: str, n: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate one group."""
    score = CLAIMED[claimed](rng, (rounds, n))
    happened = (rng.random(score.shape) < TRUE[true](score)).astype(np.int8)
    found = SCORES[metric](happened.ravel(), score.ravel(), codes_of(rounds, n), rounds)
    return of_groups(found, true_value(metric, claimed, true))


GAPS: Final = {
    "30 against 900": (30, 900),
    "100 against 100": (100, 100),
    "10 groups of 100": (100,) * 10,
    "40 groups by Zipf's law": tuple(max(8, round(4_000 / at)) for at in range(1, 41)),
}


def gap(
    metric: str, claimed: str, sizes: tuple[int, ...], apart: bool, rng: np.random.Generator, rounds: int
) -> Outcome:
    """Simulate the widest difference over groups that are all calibrated, or of which the first is not."""
    other = "half as likely" if apart else "calibrated"

    def draw(own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        score = CLAIMED[claimed](rng, own.shape)
        chance = np.where(own == 0, TRUE[other](score), score)
        return (rng.random(own.shape) < chance).astype(np.int8), score

    truth = abs(true_value(metric, claimed, other) - true_value(metric, claimed, "calibrated"))
    return widest(SCORES[metric], draw, sizes, truth, rounds)


TOPIC: Final = Topic(
    "calibration",
    (
        "src/evenhand/metrics/comparisons/disparities.py",
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/inference/skewed.py",
        "src/evenhand/metrics/values/means.py",
        "src/evenhand/metrics/values/quotients.py",
        "src/evenhand/metrics/values/reliability.py",
        "src/evenhand/metrics/values/scores.py",
    ),
    tuple(
        Cell(f"{metric}, {claimed} {true}, {n}", partial(alone, metric, claimed, true, n), 2_000)
        for metric in (BRIER, LOG, RATIO, ERROR)
        for claimed, true in CASES
        for n in SIZES
        # where the bins of few rows mix what is claimed, the error of bins is not that of rows
        if metric != ERROR or true in ("calibrated", ".1 likelier")
    )
    + tuple(
        Cell(f"{metric} difference, {claimed}, {name}{', one apart' if apart else ''}",
             partial(gap, metric, claimed, sizes, apart), 1_500 if len(sizes) < 40 else 500)
        for metric in (BRIER, LOG, RATIO, ERROR)
        for claimed in ("Beta(.2, 8)", "uniform")
        for name, sizes in GAPS.items()
        for apart in (False, True)
        if not (metric == ERROR and apart)
    ),
)  # fmt: skip
