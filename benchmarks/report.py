"""Drawing the page: CPU seconds, bytes and figures.

The audit is of a logistic regression on as many rows and groups as the Adult test set has (16,281 rows; five races, two
sexes); with a path as its argument the record of that file is drawn instead. Writes benchmarks/results/report.json
and its table in docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from measuring import machine, middle, write
from sklearn.linear_model import LogisticRegression

import evenhand as eh

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

ROWS, REPEATS = 16_281, 9
SHARES = {"White": 0.857, "Black": 0.096, "Asian": 0.029, "Indigenous": 0.010, "Other": 0.008}
FRESH = """
import time
from evenhand.records import read_record
from evenhand.policy import judge, load_policy
from evenhand.report import render
start = time.process_time()
record = read_record({audit!r})
verdict = judge(record, load_policy({limits!r}))
page = render(record, verdict)
print(time.process_time() - start)
"""
LIMITS = {"limits": {"accuracy": {"at_least": 0.8}, "selection_rate_ratio[sex]": {"at_least": 0.8},
                     "recall[race=*]": {"at_least": 0.5}}}  # fmt: skip


def audited() -> AuditRecord:
    """Return an audit of the size of Adult's."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(ROWS, 9)), columns=[f"column {at}" for at in range(9)])
    table["race"] = rng.choice(list(SHARES), ROWS, p=list(SHARES.values()))
    table["sex"] = rng.choice(["Female", "Male"], ROWS, p=[0.33, 0.67])
    lift = (table["sex"] == "Male") * 0.8 - 1.6
    table["income"] = (table["column 0"] + table["column 1"] + lift + rng.normal(size=ROWS) > 0).astype(int)
    data = eh.read_evaluation_set(
        table, label="income", favourable=1, sensitive_features=["sex", "race"], name="like Adult"
    )
    model = LogisticRegression().fit(data.X, data.y_true)
    return eh.audit(model, data, explain_rows=100)


def timed(record: AuditRecord, lang: str) -> tuple[float, str]:
    """Return CPU seconds and the page."""
    start = time.process_time()
    page = eh.render(record, eh.judge(record, eh.load_policy(LIMITS)), lang=lang)
    return time.process_time() - start, page


def fresh(folder: Path, record: AuditRecord) -> float:
    """Return CPU seconds of reading, judging and drawing in a process of its own, imports of templates and all."""
    audit = folder / "audit.json"
    eh.write_record(audit, record)
    code = FRESH.format(audit=str(audit), limits=LIMITS)
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Draw again and again, print the table, write the figures."""
    from tempfile import TemporaryDirectory

    record = eh.read_record(sys.argv[1]) if len(sys.argv) > 1 else audited()
    with TemporaryDirectory() as folder:
        cold = middle(fresh(Path(folder), record) for _ in range(REPEATS))
    told: dict[str, object] = {**machine("Jinja2"), "rows": ROWS, "findings": len(record.findings), "whole": cold}
    lines = ["| what | CPU seconds | bytes | figures |", "|---|---:|---:|---:|"]
    for lang in ("en", "zh-CN"):
        runs = [timed(record, lang) for _ in range(REPEATS)]
        page = runs[-1][1]
        figures = [len(svg.encode()) for svg in re.findall(r"<svg viewBox=.{,40}width.*?</svg>", page, re.S)]
        taken = middle(run[0] for run in runs)
        told[lang] = {"seconds": taken, "bytes": len(page.encode()), "figures": len(figures), "largest": max(figures)}
        lines.append(f"| judge and draw, {lang} | {taken:.3f} | {len(page.encode()):,} | {len(figures)} |")
    lines.append(f"| read, judge and draw in a new process | {cold:.3f} | | |")
    write("report", told, lines, "Times the public calls `read_record`, `judge` and `render`.")


if __name__ == "__main__":
    main()
