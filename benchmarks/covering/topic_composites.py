"""Functions of cells: Matthews' correlation, kappa, F1 over classes, inequality; of 2, 3 and 10 classes, and gaps."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome

from evenhand.metrics import Tally, disparity, measure

SIZES: Final = (10, 30, 100, 300, 1_000)
BASES: Final = (0.02, 0.1, 0.5)
RIGHT: Final = ((0.6, 0.6), (0.8, 0.8), (0.95, 0.95), (0.6, 0.95))
"""True positive and true negative rates."""
BINARY: Final = ("generalized_entropy", "theil_index", "coefficient_of_variation")
CLASSES: Final = (
    "matthews_correlation",
    "cohen_kappa",
    "macro_f1",
    "weighted_f1",
    "macro_precision",
    "weighted_precision",
    "macro_recall",
)
SHARES: Final = {
    "3 classes": np.array([0.6, 0.3, 0.1]),
    "10 classes": 1 / np.arange(1, 11) / (1 / np.arange(1, 11)).sum(),
}


def two(base: float, positive: float, negative: float) -> np.ndarray:
    """Return the shares of truth and decision of two classes."""
    rates = np.array([[negative, 1 - negative], [1 - positive, positive]])
    return rates * np.array([[1 - base], [base]])


def several(shares: np.ndarray, right: float) -> np.ndarray:
    """Return the shares of truth and decision of several classes; errors go to the next class twice as often."""
    size = len(shares)
    wrong = np.array([[0.0 if i == j else 1 + ((i + 1) % size == j) for j in range(size)] for i in range(size)])
    rates = right * np.eye(size) + (1 - right) * wrong / wrong.sum(axis=1, keepdims=True)
    return rates * shares[:, None]


def value(metric: str, shares: np.ndarray) -> float:
    """Return the true value: that of very many rows."""
    return float(measure(metric, Tally(np.round(shares * 10**12).astype(np.int64)[None])).estimate[0])


def single(metric: str, shares: np.ndarray, size: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate one group; a sample that occurs again is measured once."""
    drawn = rng.multinomial(size, shares.ravel(), rounds)
    kinds, which = np.unique(drawn, axis=0, return_inverse=True)
    found = measure(metric, Tally(kinds.reshape(-1, *shares.shape)))
    marked = np.array([bool(why) for why in found.uncovered or ("",) * len(kinds)])
    at = which.ravel()
    return outcome(found.low[at], found.high[at], value(metric, shares), marked[at])


def gap(metric: str, shares: list[np.ndarray], sizes: list[int], rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the widest difference over groups."""
    truths = [value(metric, each) for each in shares]
    drawn = [rng.multinomial(n, each.ravel(), rounds) for n, each in zip(sizes, shares, strict=True)]
    cells = np.stack(drawn, axis=1).reshape(rounds, len(sizes), *shares[0].shape)
    found = [disparity(f"{metric}_difference", Tally(each)) for each in cells]
    ends = np.array([[one.low, one.high] for one in found], dtype=float).T
    return outcome(*ends, max(truths) - min(truths), [bool(one.uncovered) for one in found])


def of_class(metric: str, shares: np.ndarray, chosen: int, size: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a rate of one class against the rest."""
    tally = Tally(rng.multinomial(size, shares.ravel(), rounds).reshape(-1, *shares.shape)).one_vs_rest(chosen)
    found = measure(metric, tally)
    truth = measure(metric, Tally(np.round(shares * 10**12).astype(np.int64)[None]).one_vs_rest(chosen))
    return outcome(found.low, found.high, float(truth.estimate[0]))


def _cells() -> tuple[Cell, ...]:
    hard = product(("matthews_correlation", "cohen_kappa", "macro_f1"), SIZES, BASES, RIGHT)
    other = product(BINARY + CLASSES[3:], SIZES[::2], BASES[::2], RIGHT[:3])
    binary = [
        Cell(f"{metric}, {n} rows, base rate {base}, TPR {t}, TNR {s}", partial(single, metric, two(base, t, s), n))
        for metric, n, base, (t, s) in (*hard, *other)
    ]
    three, ten = SHARES.values()
    classes = [
        Cell(f"{metric}, 3 classes, {n} rows, right {right}", partial(single, metric, several(three, right), n))
        for metric, n, right in product(CLASSES, (30, 300), (0.6, 0.9))
    ]
    classes += [
        Cell(f"{metric}, 10 classes, {n} rows, right 0.6", partial(single, metric, several(ten, 0.6), n), rounds=2_000)
        for metric, n in product(("macro_f1", "macro_recall", "cohen_kappa"), (30, 100, 1_000))
    ]
    classes += [
        Cell(f"{metric} of the rarest of 10 classes, {n} rows", partial(of_class, metric, several(ten, 0.8), 9, n))
        for metric, n in product(("recall", "precision", "f1"), (100, 1_000))
    ]
    gaps = [
        Cell(f"{metric} difference, {name}", partial(gap, metric, shares, sizes), rounds=800)
        for metric in CLASSES[:3]
        for name, shares, sizes in (
            ("2 classes, 30 and 300 rows, alike", [two(0.1, 0.8, 0.8)] * 2, [30, 300]),
            ("2 classes, 100 and 300 rows, one worse", [two(0.3, 0.9, 0.9), two(0.3, 0.7, 0.9)], [100, 300]),
            ("3 classes, 5 groups of 100, alike", [several(three, 0.8)] * 5, [100] * 5),
            ("3 classes, 100 and 300 rows, one worse", [several(three, x) for x in (0.9, 0.7)], [100, 300]),
        )
    ]
    return (*binary, *classes, *gaps)


TOPIC: Final = Topic(
    "composites",
    (
        "src/evenhand/metrics/values/composites.py",
        "src/evenhand/metrics/inference/share_functions.py",
        "src/evenhand/metrics/inference/intervals.py",
    ),
    _cells(),
)
