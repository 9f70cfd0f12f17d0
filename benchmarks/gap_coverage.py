"""How often intervals of gaps in scores and in predicted numbers err on either side, simulated.

Writes benchmarks/results/gap_coverage.json and a table of docs/design/intervals.md. Run it with: make coverage
"""

from __future__ import annotations

import json
from functools import partial
from itertools import product
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from interval_coverage import write_between

from evenhand.metrics import SCORES, compare
from evenhand.metrics.values.regression import measure_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Floats = np.ndarray
    Draw = Callable[[np.random.Generator, Floats, int], tuple[Floats, Floats]]

ROUNDS = 2_000
SIZES = (30, 100, 1000)
HERE = Path(__file__).parent
OUT = HERE / "results" / "gap_coverage.json"
PAGE = HERE.parent / "docs" / "design" / "intervals.md"


def ranked(rng: np.random.Generator, shift: Floats, n: int) -> tuple[Floats, Floats]:
    """Two normal distributions, `shift` apart: the area is Phi(shift / sqrt 2)."""
    truth = rng.integers(0, 2, (len(shift), n))
    truth[:, :2] = (0, 1)
    return truth, truth * shift[:, None] + rng.normal(size=truth.shape)


def shifted(rng: np.random.Generator, off: Floats, n: int) -> tuple[Floats, Floats]:
    """Scores that are `off` below the chance of the truth, everywhere: the calibration error is `off`."""
    score = 0.05 + 0.7 * rng.random((len(off), n))
    return (rng.random(score.shape) < score + off[:, None]).astype(int), score


def erring(rng: np.random.Generator, spread: Floats, n: int) -> tuple[Floats, Floats]:
    """Predictions of a standard normal truth with normal errors of this spread."""
    truth = rng.normal(size=(len(spread), n))
    return truth, truth + spread[:, None] * rng.normal(size=truth.shape)


def brier(off: Floats) -> Floats:
    """Return the true Brier score of `shifted`: mean of p (1 - p) + off squared, over p = score + off."""
    score = 0.05 + 0.7 * (np.arange(20_000) + 0.5) / 20_000
    p = score[:, None] + off
    return (p * (1 - p)).mean(axis=0) + off**2


def surprise(off: Floats) -> Floats:
    """Return the true log loss of `shifted`."""
    score = (0.05 + 0.7 * (np.arange(20_000) + 0.5) / 20_000)[:, None]
    p = score + off
    return -(p * np.log(score) + (1 - p) * np.log(1 - score)).mean(axis=0)


def area(shift: Floats) -> Floats:
    """Return the true area of `ranked`."""
    return np.array([NormalDist().cdf(part / np.sqrt(2)) for part in shift])


CASES: dict[str, tuple[Draw, Callable[[Floats], Floats], tuple[float, float]]] = {
    "roc_auc": (ranked, area, (1.2, 0.7)),
    "brier_score": (shifted, brier, (0.0, 0.15)),
    "log_loss": (shifted, surprise, (0.0, 0.15)),
    "calibration_error": (shifted, lambda off: off, (0.0, 0.15)),
    "mean_absolute_error": (erring, lambda spread: spread * np.sqrt(2 / np.pi), (1.0, 1.5)),
    "root_mean_squared_error": (erring, lambda spread: spread, (1.0, 1.5)),
    "r2": (erring, lambda spread: 1 - spread**2, (0.5, 0.8)),
    "mean_residual": (erring, lambda spread: 0 * spread, (1.0, 1.5)),
}
"""What is drawn, the true value, and the parameter of most groups and of the one that is apart."""


def gap(metric: str, n: int, groups: int, apart: bool, rounds: int = ROUNDS, seed: int = 1) -> dict[str, float]:
    """Return how often the interval of the widest gap errs on either side."""
    draw, value, (usual, other) = CASES[metric]
    rng, given = np.random.default_rng(seed), np.full(groups, usual)
    if apart:
        given[-1] = other
    true, codes = float(np.ptp(value(given))), np.repeat(np.arange(groups), n)
    measure = SCORES[metric] if metric in SCORES else partial(measure_numbers, metric)
    errors = np.zeros(2)
    for _ in range(rounds):
        truth, predicted = draw(rng, given, n)
        found = compare(measure(truth.ravel(), predicted.ravel(), codes, groups), "difference")
        assert found.low is not None  # every group has a value
        errors += found.low > true + 1e-12, found.high is not None and found.high < true - 1e-12
    above, below = errors / rounds
    return {"low_end_above": float(above), "high_end_below": float(below), "coverage": float(1 - above - below)}


def cells(rounds: int = ROUNDS, sizes: tuple[int, ...] = SIZES) -> Iterator[dict[str, object]]:
    """Yield each cell with what was found in it."""
    for metric, n, groups, apart in product(CASES, sizes, (2, 10), (False, True)):
        found = gap(metric, n, groups, apart, rounds)
        yield {"metric": metric, "n": n, "groups": groups, "apart": apart, **found}


def main() -> None:
    """Simulate all cells, write their figures and the page."""
    rows = list(cells())
    OUT.write_text(json.dumps({"rounds": ROUNDS, "cells": rows}, indent=1) + "\n", encoding="utf-8")
    lines = [
        "| gap in | rows a group | groups | | low end above | high end below | coverage |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['metric']} | {row['n']} | {row['groups']} | {'one apart' if row['apart'] else 'equal'} "
        f"| {row['low_end_above']:.3f} | {row['high_end_below']:.3f} | {row['coverage']:.3f} |"
        for row in rows
    ]
    write_between(PAGE, "coverage of scores and numbers", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
