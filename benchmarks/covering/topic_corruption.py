"""What corruptions change at three severities at once: flips, accuracy, distances, gaps, and the worst of several."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome
from draws import ERRORS, codes_of

from evenhand.metrics import means, measured_mean
from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.comparisons.corrupted import corrupted_flips, gap_changes, shared_level, worst
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.values.few_rows import few_moved

if TYPE_CHECKING:
    from evenhand.metrics import Measured

SEVERITIES: Final = 3
LEVEL: Final = 0.95
STRICT: Final = shared_level(LEVEL, SEVERITIES)
FLIPS: Final = {
    "none": (0.0, 0.0, 0.0),
    "rare": (0.001, 0.004, 0.02),
    "some": (0.02, 0.05, 0.15),
    "half": (0.1, 0.3, 0.5),
}
"""Chance that a decision flips, by severity."""
RIGHT: Final = {"as likely": 0.5, "mostly losses": 0.95}
"""The share of rows decided rightly as they are; those that flip are a sample of all."""
SIZES: Final = (1, 10, 100, 1_000)


def joint(rate: float, right: float, n: int, rng: np.random.Generator, groups: int) -> JointTally:
    """Return decisions on n rows of each group, half of them positives, of which a share flips."""
    chances = [
        0.5 * (right if old == truth else 1 - right) * (rate if new != old else 1 - rate)
        for truth in (0, 1)
        for old in (0, 1)
        for new in (0, 1)
    ]
    return JointTally.of_counts(rng.multinomial(n, chances, groups).reshape(groups, 2, 2, 2))


def together(parts: list[tuple[Measured, float]]) -> Outcome:
    """Return the outcome of several severities: an end errs where that of any severity does."""
    low = np.max([found.low - truth for found, truth in parts], axis=0)
    high = np.min([found.high - truth for found, truth in parts], axis=0)
    return outcome(low, high, 0.0)


def flipped(kind: str, n: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate how many decisions turn, at all severities; those of each are drawn apart, which is the worst case."""
    return together([(corrupted_flips(joint(rate, 0.8, n, rng, rounds), STRICT), rate) for rate in FLIPS[kind]])


def wronged(kind: str, right: float, n: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the change of accuracy, at all severities."""
    found = [measure_change("accuracy", joint(rate, right, n, rng, rounds), STRICT) for rate in FLIPS[kind]]
    return together([(each, rate * (1 - 2 * right)) for each, rate in zip(found, FLIPS[kind], strict=True)])


def greatest(rates: tuple[float, ...], n: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the share that the worst of several corruptions turns, at all severities, each as bad as the others."""
    found = []
    for _ in range(SEVERITIES):
        parts = [corrupted_flips(joint(rate, 0.8, n, rng, rounds), STRICT) for rate in rates]
        found.append((worst(parts, LEVEL, SEVERITIES), max(rates)))
    return together(found)


@cache
def far(kind: str, share: float) -> float:
    """Return the mean distance over two million rows."""
    return share * float(np.abs(ERRORS[kind](np.random.default_rng(0), (2_000_000,))).mean())


def distant(kind: str, share: float, n: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate how far predictions of numbers move, of which a share moves at all, at all severities."""
    parts, marked = [], np.zeros(rounds, dtype=bool)
    for _ in range(SEVERITIES):
        moved = np.abs(ERRORS[kind](rng, (rounds * n,))) * (rng.random(rounds * n) < share)
        codes = codes_of(rounds, n)
        found = measured_mean("corrupted_prediction_distance", means(moved, codes, rounds), STRICT)
        marks = np.array([bool(why) for why in few_moved(moved, codes, rounds) or [""] * rounds])
        low, high = (np.where(marks, end, own) for end, own in ((0.0, found.low), (np.inf, found.high)))
        parts.append((replace(found, low=low, high=high), far(kind, share)))
        marked |= marks
    return replace(together(parts), marked=float(marked.mean()))


def gaps(kind: str, sizes: tuple[int, ...], lost: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the change of the gap in selection, whose first group loses a share of its positive decisions."""
    ends = []
    for _ in range(rounds):
        own = []
        for rate in FLIPS[kind]:
            cells = np.concatenate([joint(rate, 0.8, n, rng, 1).counts for n in sizes])
            cells[0] = turned(cells[0], lost, rng)
            found = dict(gap_changes(JointTally.of_counts(cells), STRICT))["corrupted_selection_rate_difference_change"]
            own.append((found.low, found.high))
        low, high = np.array(own, dtype=float).T
        ends.append((np.nanmax(low), np.nanmin(high)))
    return outcome(*np.array(ends).T, 0.5 * lost)


def turned(cells: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return counts (truth, before, after) of which a share of all that are positive after is not."""
    moved = rng.binomial(cells[..., 1], share)
    cells = cells.copy()
    cells[..., 1] -= moved
    cells[..., 0] += moved
    return cells


TOPIC: Final = Topic(
    "corruption",
    (
        "src/evenhand/metrics/comparisons/changes.py",
        "src/evenhand/metrics/comparisons/corrupted.py",
        "src/evenhand/metrics/comparisons/disparity_changes.py",
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/inference/paired.py",
        "src/evenhand/metrics/inference/skewed.py",
        "src/evenhand/metrics/values/few_rows.py",
        "src/evenhand/metrics/values/means.py",
    ),
    tuple(
        Cell(f"corrupted_flip_rate, {kind}, {n}", partial(flipped, kind, n)) for kind in FLIPS for n in SIZES
    )
    + tuple(
        Cell(f"corrupted_accuracy_change, {kind}, {how}, {n}", partial(wronged, kind, right, n))
        for kind in FLIPS
        for how, right in RIGHT.items()
        for n in SIZES
    )
    + tuple(
        Cell(f"corrupted_flip_rate of the worst, {rates[0]:g} to {max(rates):g}, {n}", partial(greatest, rates, n))
        for rates in ((0.004,) * 7, (0.05,) * 7, (0.02, 0.05, 0.3))
        for n in SIZES
    )
    + tuple(
        Cell(f"corrupted_prediction_distance, {kind}, {share:g} move, {n}", partial(distant, kind, share, n), 2_000)
        for kind in ("normal", "laplace", "exponential")
        for share in (1.0, 0.1)
        for n in (10, 30, 100, 1_000)
    )
    + tuple(
        Cell(f"corrupted_selection_rate_difference_change, {kind}, {len(sizes)} groups of {sizes[0]} to {sizes[-1]}, "
             f"{lost:g} lost", partial(gaps, kind, sizes, lost), 150)
        for kind in ("rare", "some")
        for sizes in ((30, 300), (200, 200, 200))
        for lost in (0.0, 0.3)
    ),
)  # fmt: skip
