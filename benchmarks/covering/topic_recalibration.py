"""The true calibration error, and what a correction changes: of few rows, rare outcomes and scores that are right."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome
from draws import codes_of, of_groups
from topic_calibration import CLAIMED, TRUE

from evenhand.metrics import means, measured_mean
from evenhand.metrics.values.few_rows import few_heavier
from evenhand.metrics.values.reliability import BINS
from evenhand.probing.uncertainty.calibration import calibration_excess

if TYPE_CHECKING:
    from collections.abc import Callable

    Floats = np.ndarray

CASES: Final = (
    ("uniform", "calibrated"), ("Beta(.2, 8)", "calibrated"), (".02 for all", "calibrated"),
    ("Beta(.3, .3)", "calibrated"), (".1 to .6", ".1 likelier"), ("uniform", "half as likely"),
    ("Beta(.2, 8)", "twice as likely"), (".02, a tenth .6", "half as likely"),
)  # fmt: skip
SIZES: Final = (1, 10, 30, 300)
SHARPER: Final[dict[str, Callable[[Floats], Floats]]] = {
    "mild": lambda score: 0.9 * score + 0.05,
    "to the rate": lambda score: np.full(score.shape, 0.5),
    "to the ends": lambda score: np.where(score < 0.1, 0.0, score),
}
"""Corrections that are known before the rows are."""
LEAST: Final = 1e-15


def true_errors(score: Floats, chance: Floats) -> Floats:
    """Return for each round (rounds, n) the error of its bins if their rates were the true ones."""
    order = np.argsort(score, axis=1, kind="stable")
    gap = np.take_along_axis(score - chance, order, axis=1)
    ordered, n = np.take_along_axis(score, order, axis=1), score.shape[1]
    cuts = np.ceil(np.arange(1, BINS) / BINS * n - 1e-9).astype(np.int64) - 1
    found = np.empty(len(score))
    for at, (row, values) in enumerate(zip(gap, ordered, strict=True)):
        bins = np.searchsorted(np.unique(values[np.maximum(cuts, 0)]), values)
        found[at] = np.abs(np.bincount(bins, row)).sum() / n
    return found


def drawn(claimed: str, true: str, n: int, rng: np.random.Generator, rounds: int) -> tuple[Floats, Floats, Floats]:
    """Return scores, true chances and outcomes."""
    score = CLAIMED[claimed](rng, (rounds, n))
    chance = TRUE[true](score)
    return score, chance, (rng.random(score.shape) < chance).astype(np.int8)


def error(claimed: str, true: str, n: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the interval of the true error of the bins."""
    score, chance, happened = drawn(claimed, true, n, rng, rounds)
    found = calibration_excess(happened.ravel(), score.ravel(), codes_of(rounds, n), rounds, draws=500)
    return outcome(found.low, found.high, true_errors(score, chance))


def changed(claimed: str, true: str, how: str, n: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the change of the true error by a correction, whose ends are those of both errors (Bonferroni)."""
    score, chance, happened = drawn(claimed, true, n, rng, rounds)
    new, codes = SHARPER[how](score), codes_of(rounds, n)
    before, after = (
        calibration_excess(happened.ravel(), part.ravel(), codes, rounds, 0.975, draws=500) for part in (score, new)
    )
    truth = true_errors(new, chance) - true_errors(score, chance)
    return outcome(after.low - before.high, after.high - before.low, truth)


@cache
def true_loss(metric: str, claimed: str, true: str, how: str) -> float:
    """Return the change of a loss over a million rows whose outcomes are averaged over."""
    score = CLAIMED[claimed](np.random.default_rng(0), (1_000_000,))
    chance, new = TRUE[true](score), SHARPER[how](score)
    return float((chance * losses(metric, 1, score, new) + (1 - chance) * losses(metric, 0, score, new)).mean())


def losses(metric: str, happened: int, old: Floats, new: Floats) -> Floats:
    """Return the change of each row's loss."""
    if metric == "recalibrated_brier_change":
        return np.asarray((new - happened) ** 2 - (old - happened) ** 2)
    given = [np.clip(part if happened else 1 - part, LEAST, 1) for part in (old, new)]
    return np.asarray(np.log(given[0]) - np.log(given[1]))


def loss(metric: str, claimed: str, true: str, how: str, n: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the mean change of a loss."""
    score, _, happened = drawn(claimed, true, n, rng, rounds)
    new, codes = SHARPER[how](score), codes_of(rounds, n)
    if_so, if_not = (losses(metric, truth, score, new).ravel() for truth in (1, 0))
    change = np.where(happened.ravel() == 1, if_so, if_not)
    found = measured_mean(metric, means(change, codes, rounds), 0.95)
    found = replace(found, uncovered=few_heavier(if_so, if_not, happened.ravel(), codes, rounds))
    return of_groups(found, true_loss(metric, claimed, true, how))


TOPIC: Final = Topic(
    "recalibration",
    (
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/inference/skewed.py",
        "src/evenhand/metrics/values/few_rows.py",
        "src/evenhand/metrics/values/means.py",
        "src/evenhand/metrics/values/reliability.py",
        "src/evenhand/metrics/values/scores.py",
        "src/evenhand/probing/uncertainty/calibration.py",
    ),
    tuple(
        Cell(f"calibration_excess, {claimed} {true}, {n}", partial(error, claimed, true, n), 400)
        for claimed, true in CASES
        for n in SIZES
    )
    + tuple(
        Cell(f"recalibrated_error_change {how}, {claimed} {true}, {n}", partial(changed, claimed, true, how, n), 200)
        for claimed, true in (("uniform", "calibrated"), (".1 to .6", ".1 likelier"))
        for how in ("mild", "to the rate")
        for n in (30, 300)
    )
    + tuple(
        Cell(f"{metric} {how}, {claimed} {true}, {n}", partial(loss, metric, claimed, true, how, n), 2_000)
        for metric in ("recalibrated_brier_change", "recalibrated_log_loss_change")
        for how in SHARPER
        for claimed, true in CASES[:2] + CASES[3:4]
        for n in (10, 30, 100, 1_000)
    ),
)  # fmt: skip
