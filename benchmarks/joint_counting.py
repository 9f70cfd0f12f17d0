"""What it costs to count two models jointly, beside counting one: CPU seconds of both in one run, as a ratio.

Writes benchmarks/results/joint_counting.json.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import duckdb

from evenhand.evidence.counting import count_files

OUT = Path(__file__).parent / "results" / "joint_counting.json"
ROWS, REPEATS = 5_000_000, 5
TABLE = """
    copy (
        select hash(i) % 2 as y, (hash(i, 1) % 1000) / 1000.0 as new, (hash(i, 2) % 1000) / 1000.0 as old,
               'r' || hash(i, 3) % 5 as race, 's' || hash(i, 4) % 2 as sex
        from range({rows}) as t(i)
    ) to '{place}' (format parquet)
"""


def main() -> None:
    """Write rows, count them in turns, print and write the figures."""
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "scored.parquet")
        duckdb.execute(TABLE.format(rows=ROWS, place=place))
        what = {"label": "y", "groups": ["race", "sex"], "score": "new", "engine": "duckdb"}
        seconds: dict[str, list[float]] = {"one model": [], "two models": []}
        cells = {}
        for _ in range(REPEATS):
            for name, more in (("one model", {}), ("two models", {"original_score": "old"})):
                started = time.process_time()
                cells[name] = len(count_files(place, **what, **more))
                seconds[name].append(time.process_time() - started)
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    raw = {
        "rows": ROWS,
        "cpu_seconds": seconds,
        "cells": cells,
        "ratio": medians["two models"] / medians["one model"],
        "versions": {name: version(name) for name in ("evenhand", "duckdb")},
    }
    print(f"{ROWS:,} rows: {medians}, ratio {raw['ratio']:.2f}, cells {cells}")
    OUT.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
