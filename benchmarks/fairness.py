"""Metrics by group beside fairlearn's MetricFrame, in one run: CPU seconds, medians, as ratios.

Writes benchmarks/results/fairness.json and prints the table of docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import fairlearn.metrics as fair
import numpy as np
import pandas as pd
import sklearn.metrics as sk

from evenhand.data.grouping import encode
from evenhand.metrics import Tally, disparity, measure

if TYPE_CHECKING:
    from collections.abc import Callable

OUT = Path(__file__).parent / "results" / "fairness.json"
METRICS = {
    "accuracy": sk.accuracy_score,
    "recall": sk.recall_score,
    "precision": sk.precision_score,
    "selection_rate": fair.selection_rate,
    "false_positive_rate": fair.false_positive_rate,
}


def rows(n: int, groups: int, kind: str) -> tuple[np.ndarray, np.ndarray, pd.Series]:
    """Return truth, decisions and a sensitive column of text or categories."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    predicted = np.where(rng.random(n) < 0.8, truth, 1 - truth)
    column = pd.Series([f"group {code:03}" for code in rng.integers(0, groups, n)], name="group", dtype="str")
    return truth, predicted, column.astype("category") if kind == "categorical" else column


def ours(truth: np.ndarray, predicted: np.ndarray, column: pd.Series) -> dict[str, float]:
    """Return every metric of every group, with intervals, and its widest gap, with an interval."""
    grouping = encode("group", column, None)
    tally = Tally.count(truth, predicted, grouping.codes, len(grouping))
    for metric in METRICS:
        measure(metric, tally)
    return {metric: disparity(f"{metric}_difference", tally).estimate or 0.0 for metric in METRICS}


def theirs(truth: np.ndarray, predicted: np.ndarray, column: pd.Series) -> dict[str, float]:
    """Return the same without intervals."""
    frame = fair.MetricFrame(metrics=METRICS, y_true=truth, y_pred=predicted, sensitive_features=column)
    return {str(name): float(value) for name, value in frame.difference().items()}


def seconds(call: Callable[[], object], repeats: int) -> list[float]:
    """Return CPU seconds of each call, after one that does not count."""
    call()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return taken


def main() -> None:
    """Run both sides, print the table, write the figures."""
    found: dict[str, object] = {
        "versions": {name: version(name) for name in ("evenhand", "fairlearn", "scikit-learn", "numpy", "pandas")},
        "python": platform.python_version(),
        "processor": platform.machine(),
        "runs": [],
    }
    print("| rows | groups | column | fairlearn, no intervals | evenhand, with intervals | ratio |")
    print("|---|---|---|---|---|---|")
    for n, groups, kind in ((10_000, 10, "text"), (1_000_000, 100, "text"), (1_000_000, 100, "categorical")):
        table = rows(n, groups, kind)
        gaps = ours(*table), theirs(*table)
        assert all(abs(gaps[0][name] - gaps[1][name]) < 1e-12 for name in METRICS)
        peer = seconds(lambda table=table: theirs(*table), 3)  # type: ignore[misc]
        mine = seconds(lambda table=table: ours(*table), 7)  # type: ignore[misc]
        slow, fast = statistics.median(peer), statistics.median(mine)
        print(f"| {n:,} | {groups} | {kind} | {slow:.2f} s | {fast * 1000:.1f} ms | {slow / fast:,.0f} x |")
        found["runs"].append({"rows": n, "groups": groups, "column": kind, "fairlearn": peer, "evenhand": mine})  # type: ignore[attr-defined]
    big = [
        seconds(lambda scale=scale: [disparity(f"{m}_difference", Tally(_counts(scale))) for m in METRICS], 9)  # type: ignore[misc]
        for scale in (100, 10_000_000)
    ]
    ratio = statistics.median(big[1]) / statistics.median(big[0])
    print(f"\nIntervals of five disparities over 100 groups, a billion rows beside ten thousand: {ratio:.2f} x.")
    found["intervals"] = {"1e4 rows": big[0], "1e9 rows": big[1]}
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _counts(scale: int) -> np.ndarray:
    """Return counts of 100 groups with `scale` rows each."""
    share = np.random.default_rng(1).dirichlet(np.ones(4), 100)
    return np.rint(share * scale).astype(np.int64).reshape(100, 2, 2)


if __name__ == "__main__":
    main()
