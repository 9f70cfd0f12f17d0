"""Metrics by group beside fairlearn's MetricFrame, in one run: CPU seconds, medians, as ratios.

Writes benchmarks/results/fairness.json and its table in docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

from functools import partial

import fairlearn.metrics as fair
import numpy as np
import pandas as pd
import sklearn.metrics as sk
from measuring import machine, middle, peak_megabytes, seconds, write

from evenhand.data.grouping import encode, intersect
from evenhand.metrics import Tally, disparity, measure

CASES = (
    (10_000, 10, "text"),
    (1_000_000, 100, "text"),
    (1_000_000, 100, "categorical"),
    (1_000_000, 100, "three crossed, text"),
)
METRICS = {
    "accuracy": sk.accuracy_score,
    "recall": sk.recall_score,
    "precision": sk.precision_score,
    "selection_rate": fair.selection_rate,
    "false_positive_rate": fair.false_positive_rate,
}


def rows(n: int, groups: int, kind: str) -> tuple[np.ndarray, np.ndarray, pd.Series | pd.DataFrame]:
    """Return truth, decisions and a sensitive column of text or categories, or three of them."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    predicted = np.where(rng.random(n) < 0.8, truth, 1 - truth)
    if kind.startswith("three"):
        columns = {f"c{size}": [f"value {code}" for code in rng.integers(0, size, n)] for size in (2, 5, 10)}
        return truth, predicted, pd.DataFrame(columns, dtype="str")
    column = pd.Series([f"group {code:03}" for code in rng.integers(0, groups, n)], name="group", dtype="str")
    return truth, predicted, column.astype("category") if kind == "categorical" else column


def ours(truth: np.ndarray, predicted: np.ndarray, column: pd.Series | pd.DataFrame) -> dict[str, float]:
    """Return every metric of every group, with intervals, and its widest gap, with an interval."""
    singles = [encode(str(part.name), part, None) for part in frames(column)]
    grouping = singles[0] if len(singles) == 1 else intersect(singles, len(truth))
    tally = Tally.count(truth, predicted, grouping.codes, len(grouping))
    for metric in METRICS:
        measure(metric, tally)
    return {metric: disparity(f"{metric}_difference", tally).estimate or 0.0 for metric in METRICS}


def theirs(truth: np.ndarray, predicted: np.ndarray, column: pd.Series | pd.DataFrame) -> dict[str, float]:
    """Return the same without intervals."""
    frame = fair.MetricFrame(metrics=METRICS, y_true=truth, y_pred=predicted, sensitive_features=column)
    return {str(name): float(value) for name, value in frame.difference().items()}


def frames(column: pd.Series | pd.DataFrame) -> list[pd.Series]:
    """Return the columns of a feature, or of several."""
    return [column[name] for name in column] if isinstance(column, pd.DataFrame) else [column]


def main() -> None:
    """Run both sides, write the table and the figures."""
    lines = [
        "| rows | groups | column | fairlearn, no intervals | peak | evenhand, with intervals | peak | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    runs: list[dict[str, object]] = []
    for n, groups, kind in CASES:
        table = rows(n, groups, kind)
        gaps = ours(*table), theirs(*table)
        assert all(abs(gaps[0][name] - gaps[1][name]) < 1e-12 for name in METRICS)
        peer, mine = seconds(partial(theirs, *table), 3, warm=n < 100_000), seconds(partial(ours, *table), 7)
        memory = peak_megabytes(partial(theirs, *table)) if kind != "categorical" else None
        own = peak_megabytes(partial(ours, *table))
        slow, fast = middle(peer), middle(mine)
        shown = "not measured" if memory is None else f"{memory:.0f} MB"
        lines.append(
            f"| {n:,} | {groups} | {kind} | {slow:.2f} s | {shown} | {fast * 1000:.1f} ms | {own:.0f} MB "
            f"| {slow / fast:,.0f} x |"
        )
        runs.append(
            {
                "rows": n,
                "groups": groups,
                "column": kind,
                "fairlearn": peer,
                "evenhand": mine,
                "peak_megabytes": [memory, own],
            }
        )
    big = [
        seconds(lambda scale=scale: [disparity(f"{m}_difference", Tally(_counts(scale))) for m in METRICS], 9)  # type: ignore[misc]
        for scale in (100, 10_000_000)
    ]
    ratio = middle(big[1]) / middle(big[0])
    lines += [
        "",
        "Intervals come from counts, so their cost does not grow with the rows: five disparities over 100 groups take",
        f"{ratio:.2f} times as long for a billion rows as for ten thousand.",
    ]
    figures = {
        **machine("fairlearn", "scikit-learn"),
        "runs": runs,
        "intervals": {"1e4 rows": big[0], "1e9 rows": big[1]},
    }
    write("fairness", figures, lines)


def _counts(scale: int) -> np.ndarray:
    """Return counts of 100 groups with `scale` rows each."""
    share = np.random.default_rng(1).dirichlet(np.ones(4), 100)
    return np.rint(share * scale).astype(np.int64).reshape(100, 2, 2)


if __name__ == "__main__":
    main()
