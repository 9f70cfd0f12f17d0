"""Run the benchmarks of docs/benchmarks.md one after the other, each a process on one thread: make bench

Every table of the page is written with its raw figures in benchmarks/results. One that lacks data or peers is skipped
with its reason, and its table stays; one that fails does not stop the others. Name some to run these alone:
python benchmarks/run.py fairness scores
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import goals
from measuring import RESULTS, SKIPPED

HERE = Path(__file__).parent
NAMES = (
    "fairness", "others", "bootstrap", "scores", "counting", "tables", "slices", "explaining", "trees", "whole",
    "fitting", "differential_privacy", "probes", "attacks", "compression", "compression_matrix",
    "report", "view", "page", "mitigation", "doors", "first", "batches", "serving", "log_kills",
)  # fmt: skip
"""The benchmarks in the order of the page; each writes the table between its markers."""


def main() -> int:
    """Run what is named, or all; return 1 when one failed."""
    names = sys.argv[1:] or NAMES
    began = time.perf_counter()
    ended = {}
    for name in names:
        print(f"\n== {name}", flush=True)
        ended[name] = one(name)
        print(f"-- {name}: {ended[name]}", flush=True)
    goals.main()
    print(f"\n{len(names)} benchmarks in {(time.perf_counter() - began) / 60:.0f} minutes")
    for name, how in ended.items():
        print(f"  {name}: {how}")
    return int(any(how.startswith("failed") for how in ended.values()))


def one(name: str) -> str:
    """Run one benchmark, and return how it ended."""
    result, began = RESULTS / f"{name}.json", time.time()
    alone = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")}
    done = subprocess.run([sys.executable, str(HERE / f"{name}.py")], env=alone, check=False)
    taken = f"{time.time() - began:.0f} s"
    if done.returncode == SKIPPED:
        return "skipped"
    if done.returncode:
        return f"failed with status {done.returncode} after {taken}"
    written = result.exists() and result.stat().st_mtime >= began
    return taken if written else f"failed: {result.name} was not written"


if __name__ == "__main__":
    sys.exit(main())
