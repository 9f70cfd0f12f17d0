"""Changes by compression where only some rows are labelled: those on which the models differ, and some of the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Topic, outcome

from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.counts.joint import JointTally

if TYPE_CHECKING:
    from cells import Outcome

RATES: Final = ("accuracy", "recall", "false_positive_rate")


@dataclass(frozen=True, slots=True)
class People:
    """Rows, by what both models decide of them."""

    differing: float = 0.05
    """The share on which the models differ."""
    fallen: float = 0.3
    """By how much accuracy fell, as a share of the differing rows."""
    selected: float = 0.4
    """The share that both models decide positive, nearly."""
    positive: tuple[float, float] = (0.05, 0.8)
    """The share of positive labels where both decide negative, and where both decide positive."""

    def cells(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (2, 2) chances of [original, compressed] decisions and, in each, of a positive label."""
        half, lost = self.differing / 2, self.fallen / 2
        chances = np.array([[1 - self.selected - half, half], [half, self.selected - half]])
        return chances, np.array([[self.positive[0], 0.5 - lost], [0.5 + lost, self.positive[1]]])


@dataclass(frozen=True, slots=True)
class Labels:
    """Which rows are labelled."""

    share: float
    """The share of the rows on which the models agree."""
    part: float = 1.0
    """The share of those on which they differ."""
    least: int = 10
    """The fewest of a stratum, where it has them."""

    def draw(self, rng: np.random.Generator, rounds: int, rows: int, people: People) -> JointTally:
        """Draw groups of `rows` rows, and their labels."""
        chances, positive = people.cells()
        size = rng.multinomial(rows, chances.ravel(), rounds).reshape(-1, 2, 2)
        wanted = np.ceil(size * np.array([[self.share, self.part], [self.part, self.share]])).astype(np.int64)
        labelled = np.minimum(np.maximum(wanted, self.least), size)
        found = rng.binomial(labelled, positive)
        counts, weight = np.stack([labelled - found, found], axis=1), (size / np.maximum(labelled, 1))[:, None]
        return JointTally.of_counts(counts, counts * weight, counts * weight**2)


def change(
    metric: str, groups: tuple[tuple[int, People], ...], labels: Labels, rng: np.random.Generator, rounds: int
) -> Outcome:
    """Simulate the change of a rate over all rows of some groups, each with strata of its own size."""
    joint = labels.draw(rng, rounds, *groups[0])
    for rows, people in groups[1:]:
        joint = joint + labels.draw(rng, rounds, rows, people)
    found = measure_change(metric, replace(joint, labelled=True))
    chances = 0
    for rows, people in groups:
        decided, positive = people.cells()
        chances = chances + rows * np.stack([decided * (1 - positive), decided * positive])[None]
    exact = JointTally.of_counts(np.round(np.asarray(chances) * 1e8).astype(np.int64))
    return outcome(found.low, found.high, measure_change(metric, exact).estimate[0])


HOW: Final = {
    "all differing, a tenth of the rest": Labels(0.1),
    "all differing, one in 50 of the rest": Labels(0.02),
    "a third of the differing, a tenth of the rest": Labels(0.1, 0.33),
}
HARD: Final = {
    "rare positives": People(0.04, 0.4, 0.08, (0.01, 0.4)),
    "recall falls by a fifth": People(0.1, 0.9, 0.3, (0.05, 0.8)),
    "nothing gained": People(0.02, 1.0),
    "most are positive": People(0.05, 0.2, 0.8, (0.4, 0.97)),
}
MIXED: Final = (
    (300, People(0.1, 0.5, 0.25, (0.15, 0.7))),
    (1_500, People(0.05, 0.3, 0.4)),
    (8_200, People(0.03, 0.1, 0.5, (0.03, 0.9))),
)

TOPIC: Final = Topic(
    "labels",
    (
        "src/evenhand/metrics/comparisons/changes.py",
        "src/evenhand/metrics/inference/labelled.py",
        "src/evenhand/metrics/inference/paired.py",
    ),
    (
        *(
            Cell(
                f"{metric} change, {rows:,} rows, {differing:.0%} differ; {name}",
                partial(change, metric, ((rows, People(differing)),), labels),
            )
            for metric in RATES
            for rows in (300, 1_500, 8_000)
            for differing in (0.01, 0.03, 0.1)
            for name, labels in HOW.items()
        ),
        *(
            Cell(f"{metric} change, {rows:,} rows, {kind}; {name}", partial(change, metric, ((rows, people),), labels))
            for metric in RATES
            for rows in (300, 1_500, 8_000)
            for kind, people in HARD.items()
            for name, labels in HOW.items()
        ),
        *(
            Cell(f"{metric} change, all rows of three groups; {name}", partial(change, metric, MIXED, labels))
            for metric in RATES
            for name, labels in HOW.items()
        ),
    ),
)
