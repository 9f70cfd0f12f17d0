"""Of 10,000 rows some are labelled: those on which two models differ, and a sample. Are the verdicts those of all?

Writes benchmarks/results/labels.json and prints the table of docs/design/compression_audit.md.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "covering"))
from topic_labels import RATES, People

from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.inference.labelled import labels_wanted

OUT: Final = Path(__file__).parent / "results" / "labels.json"
ROUNDS: Final = 4_000
GROUPS: Final = (400, 1_800, 7_800)
DIFFERING: Final = (0.01, 0.03, 0.05, 0.1)
HARMED: Final = 0.3
"""By how much accuracy fell at the limit, as a share of the rows on which the models differ."""
TRUTHS: Final = {"at the limit": HARMED, "no harm": 0.0, "twice the limit": 2 * HARMED}


def draw(rng: np.random.Generator, people: People) -> np.ndarray:
    """Return (rounds x groups, 2, 2, 2) rows of [truth, original's decision, compressed model's decision]."""
    chances, positive = people.cells()
    sizes = np.tile(GROUPS, ROUNDS)
    rows = rng.multinomial(sizes, chances.ravel()).reshape(-1, 2, 2)
    hits = rng.binomial(rows, positive)
    return np.stack([rows - hits, hits], axis=1)


def some(rng: np.random.Generator, full: np.ndarray) -> tuple[JointTally, np.ndarray]:
    """Return the tally of the rows that are chosen of fully labelled ones, and how many they are."""
    rows = full.sum(axis=1)
    wanted = labels_wanted(rows, np.zeros_like(rows))
    hits = rng.hypergeometric(full[:, 1], full[:, 0], wanted)
    counts, weight = np.stack([wanted - hits, hits], axis=1), (rows / np.maximum(wanted, 1))[:, None]
    joint = JointTally.of_counts(counts, counts * weight, counts * weight**2)
    return replace(joint, labelled=True), wanted.sum(axis=(1, 2)).reshape(ROUNDS, -1).sum(axis=1)


def limit_of(metric: str, differing: float) -> float:
    """Return the change at the limit."""
    chances, positive = People(differing, HARMED).cells()
    cells = np.stack([chances * (1 - positive), chances * positive])[None]
    return float(measure_change(metric, JointTally.of_counts(np.round(cells * 1e12).astype(np.int64))).estimate[0])


def verdicts(metric: str, joint: JointTally, limit: float) -> np.ndarray:
    """Return 1 for passed, -1 for failed, 0 for undecided."""
    found = measure_change(metric, joint)
    if metric == "false_positive_rate":
        return (found.high <= limit).astype(int) - (found.low > limit)
    return (found.low >= limit).astype(int) - (found.high < limit)


def cells() -> list[dict[str, object]]:
    """Return the verdicts of all labels and of some, for every setting."""
    found: list[dict[str, object]] = []
    for differing in DIFFERING:
        for truth, fallen in TRUTHS.items():
            rng = np.random.default_rng(7)
            full = draw(rng, People(differing, fallen))
            chosen, labels = some(rng, full)
            for metric in RATES:
                limit = limit_of(metric, differing)
                both = [verdicts(metric, joint, limit) for joint in (JointTally.of_counts(full), chosen)]
                for at, size in enumerate(GROUPS):
                    whole, part = (each.reshape(ROUNDS, -1)[:, at] for each in both)
                    found.append(
                        {
                            "differing": differing, "truth": truth, "metric": f"{metric}_change", "group": size,
                            "limit": limit, "labels": float(labels.mean() / sum(GROUPS)),
                            "passed": [float((each == 1).mean()) for each in (whole, part)],
                            "failed": [float((each == -1).mean()) for each in (whole, part)],
                            "same": float((whole == part).mean()), "opposite": float((whole * part == -1).mean()),
                        }
                    )  # fmt: skip
    return found


def summary(found: list[dict[str, object]]) -> list[tuple[str, ...]]:
    """Return a line for each share of differing rows and each truth: the worst over metrics and groups, and means."""
    lines = []
    for differing in DIFFERING:
        for truth in TRUTHS:
            chosen = [cell for cell in found if (cell["differing"], cell["truth"]) == (differing, truth)]
            pick = max if truth == "at the limit" else np.mean
            sides = [pick([cell[name][at] for cell in chosen]) for name in ("passed", "failed") for at in (0, 1)]  # type: ignore[index]
            lines.append(
                (
                    f"{differing:.0%}", truth, f"{chosen[0]['labels']:.1%}", *(f"{side:.3f}" for side in sides),
                    f"{np.mean([cell['same'] for cell in chosen]):.3f}",
                )
            )  # fmt: skip
    return lines


def main() -> None:
    """Compute, print the table, write the figures."""
    found = cells()
    head = ("models differ on", "truth", "labelled", "passed, all labels", "some", "failed, all labels", "some", "same")
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for line in summary(found):
        print(f"| {' | '.join(line)} |")
    OUT.write_text(json.dumps({"rounds": ROUNDS, "groups": GROUPS, "cells": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
