"""Counting integer-coded rows in memory beside pandas, Polars, DuckDB and one read of the same bytes: CPU seconds.

Writes benchmarks/results/counting.json and its table in docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

from functools import partial

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from measuring import machine, middle, peak_megabytes, seconds, write

from evenhand.metrics.counts.kernels import compiled
from evenhand.metrics.counts.tally import count_cells

ROWS, GROUPS = 10_000_000, 100


def main() -> None:
    """Count the same rows by all, write the table and the figures."""
    rng = np.random.default_rng(0)
    truth, decided = rng.integers(0, 2, (2, ROWS), dtype=np.int8)
    codes = rng.integers(0, GROUPS, ROWS, dtype=np.int32)
    table = pd.DataFrame({"g": codes, "t": truth, "d": decided})
    lazy = pl.DataFrame({"g": codes, "t": truth, "d": decided})
    base = duckdb.connect()
    base.execute("set threads = 1")
    base.register("rows", lazy.to_arrow())
    query = "select g, t, d, count(*) from rows group by all"
    parts, shape = (codes, truth, decided), (GROUPS, 2, 2)
    calls = {
        "one read of the same bytes": lambda: [int(part.view(np.int64).sum()) for part in parts],
        "evenhand, numpy": partial(count_cells, parts, shape, compiled_from=10**12),
        **({"evenhand, numba": partial(count_cells, parts, shape, compiled_from=0)} if compiled() else {}),
        "of that, numpy.bincount alone": partial(_bincount, (codes.astype(np.intp) * 4 + truth * 2 + decided)),
        "pandas": lambda: table.groupby(["g", "t", "d"]).size(),
        "Polars": lambda: lazy.group_by("g", "t", "d").len(),
        "DuckDB": lambda: base.execute(query).fetchall(),
    }
    taken = {name: seconds(call, 7) for name, call in calls.items()}
    memory = {
        name: peak_megabytes(call) for name, call in calls.items() if "Polars" not in name and "DuckDB" not in name
    }
    read, mine = middle(taken["one read of the same bytes"]), middle(taken["evenhand, numpy"])
    lines = ["| what | ms | reads of the bytes | beside evenhand, numpy | peak MB |", "|---|---|---|---|---|"]
    for name, figures in taken.items():
        own, peak = middle(figures), memory.get(name)
        shown = "not seen" if peak is None else f"{peak:.1f}"
        lines.append(f"| {name} | {own * 1000:.1f} | {own / read:.1f} | {own / mine:.1f} x | {shown} |")
    figures = {**machine("polars", "duckdb", "numba"), "runs": taken, "peak_megabytes": memory}
    write("counting", figures, lines, "Times an inner function, `evenhand.metrics.counts.tally.count_cells`.")


def _bincount(cells: np.ndarray, chunk: int = 1 << 16) -> None:
    for start in range(0, len(cells), chunk):
        np.bincount(cells[start : start + chunk])


if __name__ == "__main__":
    main()
