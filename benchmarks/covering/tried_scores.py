"""Figures of methods that were tried for scores and predicted numbers, and are not used. Run it by its name.

Writes benchmarks/results/scores_tried.json: how often either end errs, and the mean width.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from cells import ROOT, Outcome, outcome
from draws import ERRORS
from topic_calibration import CLAIMED, true_value
from topic_regression import TRUTH
from topic_scores import scored

from evenhand.metrics.inference.intervals import scaled_ends, wilson, z_of
from evenhand.metrics.inference.skewed import gamma_margin
from evenhand.metrics.values.ranking_curves import areas_like, logit_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    Floats = np.ndarray
    Limits = Callable[[Floats], tuple[Floats, Floats]]

OUT: Final = ROOT / "benchmarks" / "results" / "scores_tried.json"
ROUNDS: Final = 1_000
Z: Final = z_of(0.95)


def _student(rows: Floats, log: bool) -> tuple[Floats, Floats]:
    from scipy.special import ndtr, stdtrit

    n = rows.shape[1]
    mean, error = rows.mean(axis=1), rows.std(axis=1, ddof=1) / np.sqrt(n)
    half = stdtrit((n - 1) / (2 if log else 1), ndtr(Z)) * error
    return scaled_ends(mean, half, 1.0, 0.0, None) if log else (mean - half, mean + half)


def hall(rows: Floats, times: float = 1.0) -> tuple[Floats, Floats]:
    """Return the farther of Student's limits and of Hall's, with the skewness seen `times` over."""
    from scipy.special import ndtr, stdtrit

    n = rows.shape[1]
    mean, spread = rows.mean(axis=1), rows.std(axis=1)
    skew = times * ((rows - mean[:, None]) ** 3).mean(axis=1) / np.maximum(spread, 1e-300) ** 3
    part, error = skew / np.sqrt(n), spread / np.sqrt(n - 1)
    part = np.where(np.abs(part) > 1e-9, part, 1e-9)
    student = stdtrit(n - 1, ndtr(Z))
    below, above = (3 / part * (np.cbrt(1 + part * (x - part / 6)) - 1) for x in (student, -student))
    return mean - np.maximum(below, student) * error, mean - np.minimum(above, -student) * error


def one_more(rows: Floats) -> tuple[Floats, Floats]:
    """Return the limits on the logarithm below and those of a gamma distribution with one row more above."""
    n = rows.shape[1]
    error = rows.std(axis=1, ddof=1) / np.sqrt(n)
    mean = rows.mean(axis=1)
    return _student(rows, log=True)[0], mean + gamma_margin(error, mean, rows.max(axis=1) / n, Z)


def betting(rows: Floats) -> tuple[Floats, Floats]:
    """Return the limits of hedged capital (Waudby-Smith and Ramdas 2024, JRSS B 86, section 4.4) for a bounded mean."""
    n, grid = rows.shape[1], np.linspace(0.0005, 0.9995, 400)
    upto = np.arange(1, n + 1)
    mean = (0.5 + np.cumsum(rows, axis=1)) / (upto + 1)
    spread = (0.25 + np.cumsum((rows - mean) ** 2, axis=1)) / (upto + 1)
    before = np.column_stack([np.full(len(rows), 0.25), spread[:, :-1]])
    bet = np.sqrt(2 * np.log(2 / 0.05) / (before * n))
    up, down = np.zeros((2, len(rows), len(grid)))
    for at in range(n):
        gap = rows[:, at, None] - grid
        up += np.log1p(np.minimum(bet[:, at, None], 0.5 / grid) * gap)
        down += np.log1p(-np.minimum(bet[:, at, None], 0.5 / (1 - grid)) * gap)
    kept = np.logaddexp(up, down) - np.log(2) < np.log(1 / 0.05)
    low = np.where(kept.any(axis=1), grid[kept.argmax(axis=1)], 0.0)
    return low, np.where(kept.any(axis=1), grid[len(grid) - 1 - kept[:, ::-1].argmax(axis=1)], 1.0)


MEANS: Final[dict[str, Limits]] = {
    "student": partial(_student, log=False), "student, logarithm": partial(_student, log=True), "hall": hall,
    "hall, twice the skewness": partial(hall, times=2.0), "gamma, one more row as heavy as the heaviest": one_more,
}  # fmt: skip


def of_means() -> dict[str, Outcome]:
    """Return the figures of means of absolute and squared errors."""
    found = {}
    for errors in ("normal", "t with 3 degrees", "lognormal", "exponential"):
        for n in (30, 300):
            error = np.abs(ERRORS[errors](np.random.default_rng(n), (ROUNDS, n)))
            for metric, rows, truth in (
                ("mean_absolute_error", error, TRUTH[errors][0]),
                ("mean_squared_error", error**2, TRUTH[errors][1] ** 2),
            ):
                for name, limits in MEANS.items():
                    found[f"{metric}, {errors}, {n}, {name}"] = outcome(*limits(rows), truth)
    return found


def of_losses() -> dict[str, Outcome]:
    """Return the figures of Brier's score of rare outcomes."""
    found = {}
    for claimed in ("Beta(.2, 8)", "uniform"):
        truth = true_value("brier_score", claimed, "calibrated")
        for n in (10, 30, 100, 1_000):
            rng = np.random.default_rng(n)
            score = CLAIMED[claimed](rng, (ROUNDS // 2, n))
            rows = (score - (rng.random(score.shape) < score)) ** 2
            for name, limits in (("student, logarithm", MEANS["student, logarithm"]), ("betting", betting)):
                found[f"brier_score, {claimed}, {n}, {name}"] = outcome(*limits(rows), truth)
    return found


def of_areas() -> dict[str, Outcome]:
    """Return the figures of areas by DeLong's limits and by Newcombe's alone."""
    found = {}
    for area, m, n, spread in ((0.9, 5, 95, 1.0), (0.97, 15, 285, 1.0), (0.75, 5, 95, 1.0), (0.97, 15, 285, 2.0)):
        _, score = scored(area, m, n, spread, np.random.default_rng(m), ROUNDS)
        above = (score[:, :m, None] > score[:, None, m:]).astype(float)
        shares = above.mean(axis=2), above.mean(axis=1)
        seen = shares[0].mean(axis=1)
        error = np.sqrt(sum(part.var(axis=1, ddof=1) / part.shape[1] for part in shares))
        inside = (seen < 1) & (error > 0)
        edge = wilson(seen * m, np.full(ROUNDS, m), Z)
        delong = logit_interval(np.where(inside, seen, 0.5), np.where(inside, error, 1.0), Z)
        cell = f"roc_auc, {area:g}, {m} of {m + n}, spread {spread:g}"
        found[f"{cell}, delong"] = outcome(*(np.where(inside, *pair) for pair in zip(delong, edge, strict=True)), area)
        found[f"{cell}, newcombe"] = outcome(*areas_like(seen, np.tile([n, m], (ROUNDS, 1)), np.full(ROUNDS, Z)), area)
    return found


def main() -> None:
    """Simulate all, write and show them."""
    found: dict[str, Any] = {}
    for part in (of_means, of_losses, of_areas):
        found |= {name: asdict(each) for name, each in part().items()}
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, each in found.items():
        print(f"{name}: above {each['above']:.3f}, below {each['below']:.3f}, width {each['width']:.3f}")


if __name__ == "__main__":
    main()
