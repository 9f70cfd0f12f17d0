"""A thousand replicates of five metrics by group, beside fairlearn's and a good bootstrap over rows: CPU seconds.

Writes benchmarks/results/bootstrap.json and its table in docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

from functools import partial

import fairlearn.metrics as fair
import numpy as np
import sklearn.metrics as sk
from measuring import machine, middle, peak_megabytes, seconds, write

from evenhand.metrics import Tally
from evenhand.metrics.inference.bootstrap import resample

METRICS = {
    "accuracy": sk.accuracy_score,
    "recall": sk.recall_score,
    "precision": sk.precision_score,
    "selection_rate": fair.selection_rate,
    "false_positive_rate": fair.false_positive_rate,
}
RATES = {
    "accuracy": ((0, 3), (0, 1, 2, 3)),
    "recall": ((3,), (2, 3)),
    "precision": ((3,), (1, 3)),
    "selection_rate": ((1, 3), (0, 1, 2, 3)),
    "false_positive_rate": ((1,), (0, 1)),
}
"""Numerator and denominator of each, as cells of truth x decision."""
REPLICATES = 1_000


def rows(n: int, groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, decisions and group codes."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    decided = np.where(rng.random(n) < 0.8, truth, 1 - truth)
    return truth, decided, rng.integers(0, groups, n).astype(np.int32)


def ours(truth: np.ndarray, decided: np.ndarray, codes: np.ndarray, groups: int) -> object:
    """Count, draw a thousand times, and find limits of every group's rates, of their gaps and their ratios."""
    tally = Tally.count(truth, decided, codes, groups)
    drawn, out = resample(tally, REPLICATES), []
    for metric in METRICS:
        top, bottom = (drawn.reshape(REPLICATES, groups, 4)[:, :, list(cells)].sum(axis=2) for cells in RATES[metric])
        values = top / bottom
        most, least = values.max(axis=1), values.min(axis=1)
        out.append([np.sort(part, axis=0)[[25, 975]] for part in (values, most - least, least / most)])
    return out


def theirs(truth: np.ndarray, decided: np.ndarray, codes: np.ndarray, replicates: int) -> object:
    """The limits of every group's values, by rows drawn again."""
    frame = fair.MetricFrame(
        metrics=METRICS,
        y_true=truth,
        y_pred=decided,
        sensitive_features=codes,
        n_boot=replicates,
        ci_quantiles=[0.025, 0.975],
        random_state=0,
    )
    return frame.by_group_ci


def by_rows(truth: np.ndarray, decided: np.ndarray, codes: np.ndarray, groups: int, times: int) -> object:
    """A good bootstrap over rows: one code a row, gathered and counted."""
    code = ((codes * 2 + truth) * 2 + decided).astype(np.int64)
    rng = np.random.default_rng(0)
    return [np.bincount(code[rng.integers(0, len(code), len(code))], minlength=groups * 4) for _ in range(times)]


def main() -> None:
    """Run all, write the table and the figures."""
    small, large = rows(10_000, 10), rows(1_000_000, 100)
    few, many = partial(ours, *small, 10), partial(ours, *large, 100)
    mine, big = seconds(few, 9), seconds(many, 7)
    drawn = 2
    whole = seconds(partial(theirs, *small, REPLICATES), 1, warm=False)
    once, some = (seconds(partial(theirs, *large, times), 1, warm=False)[0] for times in (1, 1 + drawn))
    good = seconds(partial(by_rows, *large, 100, 20), 3)
    scaled = once + (some - once) / drawn * (REPLICATES - 1)
    compared = (
        ("1e4 rows x 10 groups: fairlearn, run whole (once)", middle(whole), middle(mine)),
        (f"1e6 rows x 100 groups: fairlearn, scaled from {drawn} replicates", scaled, middle(big)),
        ("1e6 rows x 100 groups: rows drawn by numpy, scaled from 20", middle(good) * REPLICATES / 20, middle(big)),
    )
    lines = ["| 1,000 replicates | peer | evenhand | ratio |", "|---|---|---|---|"]
    lines += [f"| {name} | {peer:,.1f} s | {own * 1000:.1f} ms | {peer / own:,.0f} x |" for name, peer, own in compared]
    memory = {"small": peak_megabytes(few), "large": peak_megabytes(many)}
    memory["numpy, one replicate of the large"] = peak_megabytes(partial(by_rows, *large, 100, 1))
    lines += [
        "",
        f"Peak memory beside the rows: {memory['small']:.0f} MB and {memory['large']:.0f} MB here; one replicate ",
    ]
    lines[-1] += f"over rows by numpy {memory['numpy, one replicate of the large']:.0f} MB."
    figures = {
        **machine("fairlearn", "scikit-learn"),
        "evenhand": {"1e4 x 10": mine, "1e6 x 100": big},
        "fairlearn, 1e4 x 10, 1,000 replicates": whole,
        "fairlearn, 1e6 x 100": {
            "1 replicate": once,
            f"{1 + drawn} replicates": some,
            "1,000 replicates, scaled": scaled,
        },
        "numpy rows, 1e6 x 100, 20 replicates": good,
        "peak_megabytes": memory,
    }
    write("bootstrap", figures, lines, "Times an inner function, `evenhand.metrics.inference.bootstrap.resample`.")


if __name__ == "__main__":
    main()
