"""Counting a large Parquet file beside DuckDB's own group-by: wall seconds and peak memory, each in its own process.

Writes benchmarks/results/counting.json and prints the table of docs/benchmarks.md. Run it with:
python benchmarks/counting.py [rows]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

OUT = Path(__file__).parent / "results" / "counting.json"
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
start = time.perf_counter()
data = eh.read_evaluation_set(counts, label="y", sensitive_features=["g"], prediction="d", frequency="rows")
record = audit_given(data)
eh.render(record, eh.judge(record, eh.load_policy({{"limits": {{"accuracy": {{"at_least": 0.4}}}}}})))
"""
MEASURE = """
import resource, time
import duckdb, narwhals, pandas, pyarrow
from evenhand.evidence import counting
start = time.perf_counter()
{code}
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measured(code: str, file: str) -> tuple[float, float]:
    """Return seconds, imports left aside, and peak MB."""
    program = MEASURE.format(code=code.format(file=file))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def main(rows: int) -> None:
    """Make the file, run both sides in turns, print the table, write the figures."""
    import duckdb

    runs: dict[str, list[tuple[float, float]]] = {"native": [], "ours": [], "audit": []}
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "rows.parquet")
        duckdb.sql(MAKE.format(rows=rows, file=file))
        for _ in range(3):
            for name, code in (("native", NATIVE), ("ours", OURS), ("audit", REST)):
                runs[name].append(measured(code, file))
    print(f"{rows:,} rows of Parquet, 100 groups x 2 x 2.\n\n| what | seconds | peak MB |\n|---|---|---|")
    words = {"native": "DuckDB's own count", "ours": "count_files", "audit": "verdict and page from the counts"}
    for name, taken in runs.items():
        seconds, memory = (statistics.median(part) for part in zip(*taken, strict=True))
        print(f"| {words[name]} | {seconds:.2f} | {memory:.0f} |")
    versions = {name: version(name) for name in ("evenhand", "duckdb", "narwhals")}
    OUT.write_text(json.dumps({"versions": versions, "rows": rows, "runs": runs}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000_000)
