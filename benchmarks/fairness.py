"""Metrics by group: public calls beside fairlearn's MetricFrame and Aequitas, in one run: CPU seconds, medians.

Writes benchmarks/results/fairness.json and its tables in docs/benchmarks.md. Aequitas runs in an environment of its
own, whose python EVENHAND_PEERS names; without it its column stays empty. Run it with: make bench
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import fairlearn.metrics as fair
import numpy as np
import pandas as pd
import sklearn.metrics as sk
from measuring import machine, middle, peak_megabytes, seconds, write

import evenhand as eh
from evenhand.data.grouping import encode, intersect
from evenhand.metrics import Tally, disparity, measure

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = tuple((rows, groups) for rows in (10_000, 1_000_000) for groups in (10, 100, 1_000))
GOALS = {(10_000, 10): 0.05, (10_000, 100): 0.15, (10_000, 1_000): 1.0, (1_000_000, 100): 0.25}
"""CPU seconds that a whole `audit_predictions` is to take."""
SLOW = 10_000_000
"""Rows x groups from which on fairlearn is run once: it takes half a minute."""
FEATURES = (1, 2, 4, 8)
"""Sensitive features of five values each, crossed in pairs."""
METRICS = {
    "accuracy": sk.accuracy_score,
    "recall": sk.recall_score,
    "precision": sk.precision_score,
    "selection_rate": fair.selection_rate,
    "false_positive_rate": fair.false_positive_rate,
}
AEQUITAS = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import pandas as pd
from aequitas.group import Group
found = {}
for file in sys.argv[1:]:
    table, taken = pd.read_csv(file), []
    for _ in range(3):
        start = time.process_time()
        Group().get_crosstabs(table.copy())
        taken.append(time.process_time() - start)
    found[file] = taken
print(json.dumps(found))
"""

Rows = tuple[np.ndarray, np.ndarray, pd.Series]


def rows(n: int, groups: int) -> Rows:
    """Return truth, decisions and a sensitive column of text."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    predicted = np.where(rng.random(n) < 0.8, truth, 1 - truth)
    column = pd.Series([f"group {code:04}" for code in rng.integers(0, groups, n)], name="group", dtype="str")
    return truth, predicted, column


def ours(truth: np.ndarray, predicted: np.ndarray, column: pd.Series | pd.DataFrame) -> dict[str, float]:
    """Return every metric of every group and its widest gap, with intervals, by the functions that measuring calls."""
    frames = [column[name] for name in column] if isinstance(column, pd.DataFrame) else [column]
    singles = [encode(str(part.name), part, None) for part in frames]
    grouping = singles[0] if len(singles) == 1 else intersect(singles, len(truth))
    tally = Tally.count(truth, predicted, grouping.codes, len(grouping))
    for metric in METRICS:
        measure(metric, tally)
    return {metric: disparity(f"{metric}_difference", tally).estimate or 0.0 for metric in METRICS}


def measured(truth: np.ndarray, predicted: np.ndarray, column: pd.Series) -> dict[str, float]:
    """Return the widest gaps; every group's value, the gaps and the ratios have intervals."""
    record = eh.measure(truth, predicted, sensitive_features=column, metrics=METRICS.keys())
    return {metric: record[f"{metric}_difference[{column.name}]"].estimate or 0.0 for metric in METRICS}


def audited(truth: np.ndarray, predicted: np.ndarray, column: pd.Series) -> eh.AuditRecord:
    """Return all that an audit of predictions states."""
    return eh.audit_predictions(truth, predicted, sensitive_features=column)


def theirs(truth: np.ndarray, predicted: np.ndarray, column: pd.Series) -> dict[str, float]:
    """Return the widest gaps, and every group's value, without intervals."""
    frame = fair.MetricFrame(metrics=METRICS, y_true=truth, y_pred=predicted, sensitive_features=column)
    return {str(name): float(value) for name, value in frame.difference().items()}


def aequitas() -> dict[tuple[int, int], list[float]]:
    """Return the seconds that Aequitas takes for the counts and rates of the groups of each case."""
    python = os.environ.get("EVENHAND_PEERS")
    if python is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        files = {case: str(Path(folder) / f"{case[0]}-{case[1]}.csv") for case in CASES}
        for case, file in files.items():
            truth, predicted, column = rows(*case)
            table = pd.DataFrame({"score": predicted, "label_value": truth, "g": column.to_numpy()})
            table.to_csv(file, index=False)
        command = [python, "-c", AEQUITAS, *files.values()]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {case: found[file] for case, file in files.items()}


def beside_peers() -> tuple[list[dict[str, object]], list[str]]:
    """Return the seconds of each case, and the table of them."""
    lines = [
        "| rows | groups | fairlearn's MetricFrame, no intervals | Aequitas, counts and rates | `eh.measure` | "
        "fairlearn / `eh.measure` | `eh.audit_predictions` | its goal | inner functions |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    runs: list[dict[str, object]] = []
    others = aequitas()
    for n, groups in CASES:
        table = rows(n, groups)
        slow = n * groups >= SLOW
        gaps = measured(*table)
        for others_gaps in (ours(*table), *([theirs(*table)] if groups == min(CASES)[1] else [])):
            assert all(abs(others_gaps[metric] - gaps[metric]) < 1e-12 for metric in METRICS)
        peer = seconds(partial(theirs, *table), 1 if slow else 3, warm=not slow)
        light, full = seconds(partial(measured, *table), 7), seconds(partial(audited, *table), 3)
        inner = seconds(partial(ours, *table), 7)
        runs.append(
            {
                "rows": n, "groups": groups, "fairlearn": peer, "aequitas": others.get((n, groups)), "measure": light,
                "audit_predictions": full, "inner": inner, "goal of audit_predictions": GOALS.get((n, groups)),
            }
        )  # fmt: skip
        told = [f"{n:,}", f"{groups:,}", _told(peer), _told(others.get((n, groups))), _told(light)]
        told += [f"{middle(peer) / middle(light):,.0f} x", _told(full), _told(GOALS.get((n, groups))), _told(inner)]
        lines.append(f"| {' | '.join(told)} |")
    return runs, lines


def _told(taken: list[float] | float | None) -> str:
    """Return seconds as a cell of the table."""
    if taken is None:
        return ""
    value = middle(taken) if isinstance(taken, list) else taken
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.0f} ms"


def growth() -> tuple[list[dict[str, object]], list[str]]:
    """Return how both calls grow with the features, which are crossed in pairs, and the table of it."""
    rng = np.random.default_rng(0)
    n = 10_000
    truth = rng.integers(0, 2, n)
    predicted = np.where(rng.random(n) < 0.8, truth, 1 - truth)
    columns = {f"f{at}": pd.Series(rng.choice(list("abcde"), n), dtype="str") for at in range(max(FEATURES))}
    runs: list[dict[str, object]] = []
    lines = [
        "| features of five values | groupings | `eh.measure` | a grouping | `eh.audit_predictions` | a grouping |",
        "|---|---|---|---|---|---|",
    ]
    for features in FEATURES:
        table = pd.DataFrame({name: columns[name] for name in list(columns)[:features]})
        groupings = features * (features + 1) // 2
        both: list[Callable[[], object]] = [
            partial(eh.measure, truth, predicted, sensitive_features=table, metrics=METRICS.keys()),
            partial(eh.audit_predictions, truth, predicted, sensitive_features=table),
        ]
        light, full = (seconds(call, 3) for call in both)
        runs.append({"features": features, "groupings": groupings, "measure": light, "audit_predictions": full})
        each = [f"{_told(taken)} | {middle(taken) / groupings * 1000:.1f} ms" for taken in (light, full)]
        lines.append(f"| {features} | {groupings} | {' | '.join(each)} |")
    return runs, lines


def main() -> None:
    """Run both sides, write the tables and the figures."""
    warnings.filterwarnings("ignore", module="sklearn")  # groups without positives, which it makes 0
    runs, lines = beside_peers()
    grown, more = growth()
    table = rows(1_000_000, 100)
    memory = peak_megabytes(partial(measured, *table))
    lines += ["", "Ten thousand rows, every feature and all pairs of features:", "", *more, ""]
    lines += [
        f"`eh.measure` holds {memory:.0f} MB in addition to a million rows in 100 groups. Intervals come from counts, "
        "so their cost does not grow with the rows."
    ]
    figures = {**machine("fairlearn", "scikit-learn"), "runs": runs, "features": grown, "peak_megabytes": memory}
    timed = (
        "Times public calls, the second in a process: MetricFrame and its difference(), Group.get_crosstabs, "
        "eh.measure with five metrics, eh.audit_predictions with all audits; the last column times inner functions."
    )
    write("fairness", figures, lines, timed)


if __name__ == "__main__":
    main()
