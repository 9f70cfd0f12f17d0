"""Shapley values beside shap's explainers at equal error, in one run: CPU seconds, medians, as ratios.

The model is a network over 38 columns, some of them categories; a player is a column as a person named it. Errors are
relative to the same background's values, found with 64 times the evaluations. Writes
benchmarks/results/explaining.json and prints the table of docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

import json
import statistics
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

import evenhand as eh
from evenhand.explaining import explain
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.explaining import Attributions
    from evenhand.subjects import Subject

OUT = Path(__file__).parent / "results" / "explaining.json"
ROWS, BACKGROUND, REPEATS = 20, 100, 3


def timed(model: Subject, X: pd.DataFrame, background: pd.DataFrame, **how: object) -> tuple[float, Attributions]:
    """Return CPU seconds and values."""
    start = time.process_time()
    found = explain(model, X, background, **how)  # type: ignore[arg-type]
    return time.process_time() - start, found


def error(found: Attributions, truth: Attributions) -> float:
    """Return the root mean square error relative to the root mean square value."""
    return float(np.sqrt(((found.values - truth.values) ** 2).mean() / (truth.values**2).mean()))


def main() -> None:
    """Run all ways in turns, print the table, write the figures."""
    torch.set_num_threads(1)
    parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3}, seed=0)
    model = fit(parts["train"], config=TrainingConfig(epochs=20, seed=0))
    X, background = parts["test"].X.iloc[:ROWS], parts["train"].X.iloc[:BACKGROUND]
    _, truth = timed(model, X, background, method="pairs", permutations=64)
    ways = {"pairs": {"method": "pairs"}, "shap-permutation": {"method": "shap-permutation"}}
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for repeat in range(REPEATS):
        for name, how in ways.items():
            seconds, found = timed(model, X, background, seed=repeat, **how)
            runs[name].append((seconds, error(found, truth)))
    ours = statistics.median(seconds for seconds, _ in runs["pairs"])
    print(f"{ROWS} rows, {BACKGROUND} background rows, {X.shape[1]} columns.\n")
    print("| way | ms a row | relative error | beside pairs |\n|---|---|---|---|")
    for name, taken in runs.items():
        seconds = statistics.median(part[0] for part in taken)
        wrong = statistics.median(part[1] for part in taken)
        print(f"| {name} | {1000 * seconds / ROWS:.1f} | {wrong:.3f} | {seconds / ours:.1f} x |")
    versions = {name: version(name) for name in ("evenhand", "shap", "torch", "numpy")}
    OUT.write_text(
        json.dumps({"versions": versions, "rows": ROWS, "background": BACKGROUND, "runs": runs}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
