"""How long `evenhand monitor` takes over one large batch, and how large its state gets: the goal of a million rows.

A batch has a million rows of 50 inputs (40 numbers, 10 of them with gaps, and 10 of twelve categories), two sensitive
features, a score, a label and a time, as Parquet. Writes benchmarks/results/batches.json and its table in
docs/benchmarks.md. Run it with: python benchmarks/batches.py
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from measuring import machine, middle, write

import evenhand as eh
from evenhand.cli.main import exit_code

ROWS, AUDITED, ROUNDS, GOAL = 1_000_000, 50_000, 5, 3.0
NUMBERS, GAPS, WORDS = 40, 10, 10
SENSITIVE: Final = ["sex", "race"]
POLICY: Final = """
[limits]
"selection_rate_difference[sex]" = { at_most = 0.2 }
"recall_difference[race]" = { at_most = 0.3 }
"accuracy" = { at_least = 0.5 }
"""


def rows(n: int, seed: int) -> pd.DataFrame:
    """Return rows of which nothing changes from batch to batch."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n, NUMBERS)), columns=[f"number{at}" for at in range(NUMBERS)])
    for at in range(GAPS):
        table.loc[rng.random(n) < 0.05, f"number{at}"] = np.nan
    names = np.array([f"category {at}" for at in range(12)])
    for at in range(WORDS):
        table[f"word{at}"] = names[rng.integers(0, 12, n)]
    table["sex"] = np.array(["f", "m"])[(rng.random(n) < 0.5).astype(int)]
    table["race"] = np.array(["a", "b", "c"])[rng.integers(0, 3, n)]
    table["score"] = 1 / (1 + np.exp(-table["number20"]))
    table["paid"] = (rng.random(n) < table["score"]).astype(int)
    return table


def prepared(folder: Path) -> None:
    """Write a batch, a policy, and the baseline of an audit of other rows."""
    rows(ROWS, 1).to_parquet(folder / "batch.parquet")
    table = rows(AUDITED, 2)
    table.to_parquet(folder / "test.parquet")
    (folder / "policy.toml").write_text(POLICY, "utf-8")
    record = eh.audit_predictions(
        table["paid"], y_score=table["score"], sensitive_features=table[SENSITIVE], intersections=1,
        audits=["performance", "fairness"],
    )  # fmt: skip
    eh.write_record(folder / "audit.json", record)
    said = ["--label", "paid", "--score", "score", "--sensitive", "sex", "--sensitive", "race"]
    audit = ["--audit", str(folder / "audit.json"), "-o", str(folder / "baseline.json")]
    if exit_code(["baseline", str(folder / "test.parquet"), *audit, *said]):
        raise RuntimeError("no baseline was made")


def taken(folder: Path, at: int) -> dict[str, float]:
    """Return the seconds that the verb takes, inside a process that has imported it, and the bytes of its state."""
    state = folder / f"state{at}.json"
    held = {"baseline": folder / "baseline.json", "policy": folder / "policy.toml", "state": state}
    words = [word for name, file in held.items() for word in (f"--{name}", str(file))]
    began, used = time.perf_counter(), time.process_time()
    if exit_code(["monitor", str(folder / "batch.parquet"), *words]) == 2:
        raise RuntimeError("the batch was not taken")
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    return {"seconds": seconds, "cpu": cpu, "state": state.stat().st_size}


def main() -> None:
    """Time it, and write the figures."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepared(folder)
        runs = [taken(folder, at) for at in range(ROUNDS)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, cpu = (middle([run[what] for run in runs]) for what in ("seconds", "cpu"))
    lines = [
        "| a batch of | seconds | CPU seconds | goal | MiB of memory at most | KiB of state |",
        "|---|---:|---:|---:|---:|---:|",
        f"| {ROWS:,} rows, {NUMBERS + WORDS} inputs, {len(SENSITIVE)} sensitive features | {seconds:.2f} | {cpu:.2f} | "
        f"{GOAL:g} | {memory:,.0f} | {runs[0]['state'] / 1024:,.0f} |",
    ]
    figures = {**machine("pyarrow"), "rows": ROWS, "goal": GOAL, "memory": memory, "runs": runs}
    write("batches", figures, lines, f"Times the verb on a Parquet file, once imported; medians of {ROUNDS}.")


if __name__ == "__main__":
    main()
