"""What a process costs that does one thing: its first audit, a gate, a page of 1,000 groups; CPU seconds.

Each is a process of its own, run in turns with processes that import what it cannot do without, and nothing else. The
record of 20,000 findings is an audit of 10,000 rows in 1,000 groups. Writes benchmarks/results/first.json and its table
in docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from measuring import ROOT, machine, middle, write

import evenhand as eh

ROWS, GROUPS, ROUNDS = 10_000, 1_000, 5
AUDITS = ROOT / "tests" / "golden" / "audits"
FIRST = """
import evenhand as eh
eh.audit_predictions([0, 1, 1, 0], [0, 1, 0, 0], sensitive_features={"sex": ["f", "f", "m", "m"]})
"""
PAGE = """
import time
import evenhand as eh
record = eh.read_record({audit!r})
taken = []
for _ in range(3):
    start = time.process_time()
    eh.render(record)
    taken.append(time.process_time() - start)
print(taken[0], min(taken[1:]))
"""
POLICY = """
schema = 1
[limits]
"accuracy" = { at_least = 0.7 }
"recall_difference[group]" = { at_most = 0.5 }
"""
AUDITING, DERIVING, FAIRLEARN = (
    "import pandas, narwhals, scipy.special", "import numpy, scipy.special, click", "import fairlearn.metrics",
)  # fmt: skip
RATIO, ABOVE, DRAWN = 1.3, 0.6, 0.5
"""The goals: of a first audit and a usual gate as a ratio to imports; of many findings, and of a page, in seconds."""


def many_groups(folder: Path) -> Path:
    """Write the record of many groups and a policy, and return its place."""
    rng, place = np.random.default_rng(0), folder / "audit.json"
    truth = rng.integers(0, 2, ROWS)
    decided = np.where(rng.random(ROWS) < 0.8, truth, 1 - truth)
    groups = [f"g{at:04}" for at in rng.integers(0, GROUPS, ROWS)]
    eh.write_record(place, eh.audit_predictions(truth, decided, sensitive_features={"group": groups}))
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    return place


def gate(audit: Path) -> list[str]:
    """Return the command that judges a record by the policy in its folder."""
    return [sys.executable, "-m", "evenhand", "gate", str(audit), "--policy", str(audit.with_name("policy.toml"))]


def cpu(command: list[str], env: dict[str, str]) -> float:
    """Return the CPU seconds of a process, which a gate may end with 1 or 3."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(done.stderr.decode())
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Run the processes in turns, print the table, write the figures."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        audit = many_groups(folder)
        usual = {name: gate(AUDITS / name / "audit.json") for name in ("demo", "compas")}
        commands = {
            "auditing": [sys.executable, "-c", AUDITING],
            "first": [sys.executable, "-c", FIRST],
            "deriving": [sys.executable, "-c", DERIVING],
            **usual,
            "many": gate(audit),
            **({"fairlearn": [sys.executable, "-c", FAIRLEARN]} if find_spec("fairlearn") else {}),
        }
        env = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
        for command in commands.values():  # compiles what it imports
            cpu(command, env)
        rounds = [{name: cpu(command, env) for name, command in commands.items()} for _ in range(ROUNDS)]
        page = subprocess.run(
            [sys.executable, "-c", PAGE.format(audit=str(audit))], env=env, capture_output=True, text=True, check=True
        )
        findings, size = len(eh.read_record(audit).findings), audit.stat().st_size
    taken = {name: middle(each[name] for each in rounds) for name in commands}
    drawn = dict(zip(("first", "again"), map(float, page.stdout.split()), strict=True))
    told = {**machine("scipy", "click", "fairlearn"), "findings": findings, "bytes": size, "rounds": rounds}
    write("first", {**told, "seconds": taken, "page": drawn}, table(taken, drawn, findings), TIMED)


TIMED = (
    "Times whole processes, with their imports, of `audit_predictions` and of `evenhand gate`, and the public call "
    "`render`; medians of processes in turns."
)


def table(taken: dict[str, float], drawn: dict[str, float], findings: int) -> list[str]:
    """Return the lines of the table."""
    lines = ["| what | CPU seconds | imports alone | goal | reached |", "|---|---:|---:|---:|---:|"]
    names = {"first": "first `audit_predictions`, four rows", "demo": "gate, demo", "compas": "gate, COMPAS"}
    for name, what in names.items():
        alone = taken["auditing" if name == "first" else "deriving"]
        lines.append(f"| {what} | {taken[name]:.2f} | {alone:.2f} | {RATIO} x | {taken[name] / alone:.2f} x |")
    above = taken["many"] - taken["deriving"]
    lines += [
        f"| gate, {findings:,} findings | {taken['many']:.2f} | {taken['deriving']:.2f} | + {ABOVE} | + {above:.2f} |",
        f"| page of {GROUPS:,} groups | {drawn['again']:.2f} | | {DRAWN} | {drawn['again']:.2f} |",
        f"| the same, first page of a process | {drawn['first']:.2f} | | | |",
    ]
    return lines + ([f"| `{FAIRLEARN}` | {taken['fairlearn']:.2f} | | | |"] if "fairlearn" in taken else [])


if __name__ == "__main__":
    main()
