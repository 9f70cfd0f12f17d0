"""Scores by group and bootstraps beside scikit-learn and fairlearn, in one run: CPU seconds, medians, as ratios.

Writes benchmarks/results/scores.json and prints the table of docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

import json
import platform
import statistics
import time
import tracemalloc
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import fairlearn.metrics as fair
import numpy as np
import pandas as pd
import polars as pl
import sklearn.metrics as sk
from sklearn.calibration import calibration_curve

from evenhand.metrics import Tally, brier_score, roc_auc
from evenhand.metrics.bootstrap import resample, resampled_rates
from evenhand.metrics.ordered import bins_of, counts_of, order_scores
from evenhand.metrics.ranks import roc_auc_of
from evenhand.metrics.scores import BINS, calibration_error_of
from evenhand.metrics.sweeping import tallies, thresholds

if TYPE_CHECKING:
    from collections.abc import Callable

OUT = Path(__file__).parent / "results" / "scores.json"
RATES = ("accuracy", "recall", "precision", "selection_rate", "false_positive_rate")
PEERS = {
    "accuracy": sk.accuracy_score,
    "recall": sk.recall_score,
    "precision": sk.precision_score,
    "selection_rate": fair.selection_rate,
    "false_positive_rate": fair.false_positive_rate,
}


def rows(n: int, groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, scores and group codes."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    return truth, np.clip(0.25 * truth + 0.75 * rng.random(n), 0, 1), rng.integers(0, groups, n).astype(np.int32)


def seconds(call: Callable[[], object], repeats: int) -> list[float]:
    """Return CPU seconds of each call, after one that does not count."""
    call()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return taken


def ours(truth: np.ndarray, score: np.ndarray, codes: np.ndarray, groups: int) -> object:
    """AUC with DeLong's interval, Brier score, calibration error, and decisions at a hundred thresholds."""
    ordered = order_scores(truth, score, codes, groups)
    tables = [bins_of(group, ordered, BINS) for group in range(groups)]
    return (
        roc_auc_of(ordered),
        brier_score(truth, score, codes, groups),
        calibration_error_of(tables, ordered.rows),
        tallies(counts_of(ordered, thresholds(score))),
    )


def theirs(truth: np.ndarray, score: np.ndarray, codes: np.ndarray, groups: int) -> object:
    """The same values group by group, without intervals and thresholds."""
    out = []
    for group in range(groups):
        mine = codes == group
        y, p = truth[mine], score[mine]
        out.append((sk.roc_auc_score(y, p), sk.brier_score_loss(y, p), calibration_curve(y, p, n_bins=10)))
    return out


def numpy_bootstrap(truth: np.ndarray, decided: np.ndarray, codes: np.ndarray, groups: int, times: int) -> object:
    """A good bootstrap over rows: one code a row, gathered and counted."""
    code = ((codes * 2 + truth) * 2 + decided).astype(np.int64)
    rng = np.random.default_rng(0)
    return [np.bincount(code[rng.integers(0, len(code), len(code))], minlength=groups * 4) for _ in range(times)]


def cells(truth: np.ndarray, decided: np.ndarray, codes: np.ndarray, groups: int) -> object:
    """A thousand draws of the counts: limits of every group's rates, of their gaps and ratios."""
    tally = Tally.count(truth, decided, codes, groups)
    drawn = resample(tally, 1_000)
    out = []
    for metric in RATES:
        values = np.sort(resampled_rates(metric, tally, cells=drawn), axis=0)
        gap = np.sort(values.max(axis=1) - values.min(axis=1))
        out.append((values[[25, 975]], gap[[25, 975]]))
    return out


def told(name: str, peer: list[float], mine: list[float], found: list[dict[str, object]], scale: float = 1.0) -> None:
    """Print a row of the table and keep its figures; `scale` is by how much the peer's seconds are multiplied."""
    slow, fast = statistics.median(peer) * scale, statistics.median(mine)
    print(f"| {name} | {slow:,.3g} s | {1000 * fast:,.3g} ms | {slow / fast:,.3g} x |")
    found.append({"work": name, "peer": peer, "peer_scaled_by": scale, "evenhand": mine})


def main() -> None:
    """Run all, print the table, write the figures."""
    names = ("evenhand", "fairlearn", "scikit-learn", "numpy", "pandas", "polars", "duckdb")
    runs: list[dict[str, object]] = []
    print("| work | peer | evenhand | ratio |\n|---|---|---|---|")
    truth, score, codes = rows(1_000_000, 100)
    told(
        "AUC, Brier, calibration: scikit-learn, group by group",
        seconds(partial(theirs, truth, score, codes, 100), 3),
        seconds(partial(ours, truth, score, codes, 100), 5),
        runs,
    )
    frame = partial(fair.MetricFrame, metrics=sk.roc_auc_score, y_true=truth, y_pred=score, sensitive_features=codes)
    told(
        "AUC: fairlearn's MetricFrame",
        seconds(lambda: frame().by_group, 1),
        seconds(partial(roc_auc, truth, score, codes, 100), 5),
        runs,
    )
    small, decided = rows(10_000, 10), (rows(10_000, 10)[1] > 0.5).astype(int)
    peer = partial(
        fair.MetricFrame,
        metrics=PEERS,
        y_true=small[0],
        y_pred=decided,
        sensitive_features=small[2],
        n_boot=20,
        ci_quantiles=[0.025, 0.975],
        random_state=0,
    )
    told(
        "1,000 replicates, 10,000 rows x 10 groups: fairlearn (20 replicates, scaled)",
        seconds(lambda: peer().by_group_ci, 1),
        seconds(partial(cells, small[0], decided, small[2], 10), 5),
        runs,
        50,
    )
    chosen = (score > 0.5).astype(int)
    mine = seconds(partial(cells, truth, chosen, codes, 100), 5)
    told(
        "1,000 replicates, 1,000,000 rows x 100 groups: rows drawn by numpy (20 replicates, scaled)",
        seconds(partial(numpy_bootstrap, truth, chosen, codes, 100, 20), 2),
        mine,
        runs,
        50,
    )
    counting(runs)
    found = {
        "versions": {name: version(name) for name in names},
        "python": platform.python_version(),
        "processor": platform.machine(),
        "runs": runs,
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def counting(runs: list[dict[str, object]]) -> None:
    """Count ten million integer-coded rows beside pandas, Polars, DuckDB and one read of the same bytes."""
    rng = np.random.default_rng(0)
    truth, decided = rng.integers(0, 2, (2, 10_000_000), dtype=np.int8)
    codes = rng.integers(0, 100, 10_000_000, dtype=np.int32)
    mine = seconds(partial(Tally.count, truth, decided, codes, 100), 7)
    table = pd.DataFrame({"g": codes, "t": truth, "d": decided})
    lazy = pl.DataFrame({"g": codes, "t": truth, "d": decided})
    base = duckdb.connect()
    base.execute("set threads = 1")
    base.register("rows", lazy.to_arrow())
    told("count 1e7 rows: pandas", seconds(lambda: table.groupby(["g", "t", "d"]).size(), 3), mine, runs)
    told("count 1e7 rows: Polars", seconds(lambda: lazy.group_by("g", "t", "d").len(), 5), mine, runs)
    query = "select g, t, d, count(*) from rows group by all"
    told("count 1e7 rows: DuckDB", seconds(lambda: base.execute(query).fetchall(), 5), mine, runs)
    read = seconds(lambda: (int(truth.view(np.int64).sum()), int(decided.view(np.int64).sum()), int(codes.sum())), 7)
    print(f"\nCounting takes {statistics.median(mine) / statistics.median(read):.1f} times one read of the same bytes.")
    tracemalloc.start()
    Tally.count(truth, decided, codes, 100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(
        f"Peak memory beside the columns: {peak / 1e6:.1f} MB of {truth.nbytes * 2 / 1e6 + codes.nbytes / 1e6:.0f} MB."
    )
    runs.append({"work": "one read of 1e7 rows", "peer": read, "evenhand": mine, "peak_bytes": peak})


if __name__ == "__main__":
    main()
