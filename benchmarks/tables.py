"""Counting a large Parquet file beside DuckDB's own group-by: seconds and peak memory, each in its own process.

Writes benchmarks/results/tables.json and its table in docs/benchmarks.md. Run it with:
python benchmarks/tables.py [rows]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import machine, middle, write

MAKE = """
COPY (SELECT (hash(i) % 100)::UTINYINT AS g, (hash(i + 1) % 2)::UTINYINT AS y, (hash(i + 2) % 2)::UTINYINT AS d
      FROM range({rows}) t(i)) TO '{file}' (FORMAT parquet)
"""
NATIVE = """
import duckdb
found = duckdb.sql("SELECT g, y, d, count(*) AS rows FROM '{file}' GROUP BY ALL").fetchall()
"""
OURS = """
from evenhand.evidence.counting import count_files
found = count_files({file!r}, label="y", groups=["g"], prediction="d", engine="duckdb")
"""
REST = """
import evenhand as eh
from evenhand.audits import audit_given
from evenhand.evidence.counting import count_files
counts = count_files({file!r}, label="y", groups=["g"], prediction="d", engine="duckdb")
counts["g"] = "group " + counts["g"].astype(str)
start, used = time.perf_counter(), time.process_time()
data = eh.read_evaluation_set(counts, label="y", sensitive_features=["g"], prediction="d", frequency="rows")
record = audit_given(data)
eh.render(record, eh.judge(record, eh.load_policy({{"limits": {{"accuracy": {{"at_least": 0.4}}}}}})))
"""
MEASURE = """
import resource, time
import duckdb, narwhals, pandas, pyarrow
from evenhand.evidence import counting
duckdb.sql("set threads = 1")
start, used = time.perf_counter(), time.process_time()
{code}
taken, cpu = time.perf_counter() - start, time.process_time() - used
print(taken, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
WORDS = {
    "native": "DuckDB's own count",
    "ours": "`count_files`",
    "audit": "verdict and page from the counts",
}


def measured(code: str, file: str) -> tuple[float, ...]:
    """Return wall seconds, CPU seconds, imports left aside, and peak MB."""
    program = MEASURE.format(code=code.format(file=file))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return tuple(float(part) for part in done.stdout.split()[-3:])


def main(rows: int) -> None:
    """Make the file, run both sides in turns, write the table and the figures."""
    import duckdb

    runs: dict[str, list[tuple[float, ...]]] = {"native": [], "ours": [], "audit": []}
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "rows.parquet")
        duckdb.sql(MAKE.format(rows=rows, file=file))
        for _ in range(5):
            for name, code in (("native", NATIVE), ("ours", OURS), ("audit", REST)):
                runs[name].append(measured(code, file))
    lines = ["| what | seconds | CPU seconds | peak memory |", "|---|---|---|---|"]
    for name, taken in runs.items():
        wall, used, memory = (middle(part) for part in zip(*taken, strict=True))
        lines.append(f"| {WORDS[name]} | {wall:.2f} | {used:.2f} | {memory:.0f} MB |")
    ratio = middle(used for _, used, _ in runs["ours"]) / middle(used for _, used, _ in runs["native"])
    lines += ["", f"{rows:,} rows: {ratio:.2f} times the CPU seconds of DuckDB's own count."]
    figures = {**machine("duckdb", "narwhals", "pyarrow"), "rows": rows, "runs": runs}
    timed = "Times `count_files`, by which `eh.audit_table` counts, and `audit_given`, `judge`, `render`, in processes."
    write("tables", figures, lines, timed)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000_000)
