"""What the doors cost: their share of an audit of a million rows, and the start of the gate.

A door is a function that checks what comes in. The outermost calls of every function of the doors' modules are timed
during a whole audit; their share of the audit's CPU time is what counts. The gate is started as a process, and, where
a checkout of an earlier evenhand is named, in turns with that one. Writes benchmarks/results/doors.json and the
table of docs/benchmarks.md. Run it with: python benchmarks/doors.py [--rows 1000000] [--before CHECKOUT]
"""

from __future__ import annotations

import argparse
import functools
import importlib
import inspect
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import measuring
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

import evenhand as eh

if TYPE_CHECKING:
    from collections.abc import Callable

DOORS = (
    "evenhand.data.aligning", "evenhand.data.columns", "evenhand.data.validating", "evenhand.subjects.proof",
    "evenhand.subjects.target", "evenhand.subjects.binding", "evenhand.subjects.kinds",
    "evenhand.evidence.own_decisions",
)  # fmt: skip
SOURCE = Path(__file__).parents[1] / "src"
POLICY = '[limits]\n"selection_rate_difference[sex]" = { at_most = 0.5 }\n'


class Clock:
    """Adds up the CPU time of the outermost calls of wrapped functions."""

    def __init__(self) -> None:
        self.spent = 0.0
        self.calls = 0
        self._inside = False

    def wrap(self, function: Callable[..., object]) -> Callable[..., object]:
        """Return the function, its outermost calls timed."""

        @functools.wraps(function)
        def timed(*given: object, **more: object) -> object:
            if self._inside:
                return function(*given, **more)
            self._inside, start = True, time.process_time()
            try:
                return function(*given, **more)
            finally:
                self.spent += time.process_time() - start
                self.calls += 1
                self._inside = False

        return timed


def watch(clock: Clock) -> None:
    """Wrap every function and method of the doors, wherever it was imported to."""
    wrapped = {}
    for name in DOORS:
        module = importlib.import_module(name)
        for known, found in vars(module).items():
            if inspect.isfunction(found) and found.__module__ == name and not inspect.isgeneratorfunction(found):
                wrapped[found] = clock.wrap(found)
                setattr(module, known, wrapped[found])
            elif inspect.isclass(found) and found.__module__ == name:
                for method, body in list(vars(found).items()):
                    if inspect.isfunction(body) and not method.startswith("__"):
                        setattr(found, method, clock.wrap(body))
    for module in [module for key, module in sys.modules.items() if key.startswith("evenhand.")]:
        for known, found in list(vars(module).items()):
            if inspect.isfunction(found) and found in wrapped:
                setattr(module, known, wrapped[found])


def rows(count: int) -> tuple[pd.DataFrame, LogisticRegression]:
    """Return a table of made-up decisions, and a model fitted on a part of it."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(count, 5)), columns=list("abcde"))
    table["sex"] = rng.choice(["female", "male"], count)
    table["race"] = rng.choice(["a", "b", "c", "d"], count)
    table["y"] = (table["a"] + rng.normal(size=count) > 0).astype(int)
    some = table[:20_000]
    return table, LogisticRegression().fit(some[list("abcde")], some["y"])


def share_of_doors(count: int, repeats: int) -> dict[str, dict[str, Any]]:
    """Return the doors' share of audits of the same rows, given in three ways."""
    table, model = rows(count)
    scores = model.predict_proba(table[list("abcde")])[:, 1]
    roles = {"sensitive_features": ["sex", "race"], "exclude": []}
    chosen = {"explain": False, "footprint": False}

    def of_model() -> object:
        data = eh.read_evaluation_set(table, label="y", **roles)
        return eh.audit(model, data, **chosen)

    def of_predictions() -> object:
        groups = table[["sex", "race"]]
        return eh.audit_predictions(table["y"], y_score=scores, sensitive_features=groups, **chosen)

    def of_arrays() -> object:
        groups = {column: table[column].to_numpy() for column in ("sex", "race")}
        return eh.audit_predictions(table["y"].to_numpy(), y_score=scores, sensitive_features=groups, **chosen)

    cases = {"a model and a table": of_model, "scores and a table": of_predictions, "scores and arrays": of_arrays}
    for run in cases.values():
        run()  # loads what is loaded once
    clock = Clock()
    watch(clock)
    found: dict[str, dict[str, Any]] = {}
    for name, run in cases.items():
        shares, seconds = [], []
        for _ in range(repeats):
            clock.spent, clock.calls, start = 0.0, 0, time.process_time()
            run()
            seconds.append(time.process_time() - start)
            shares.append(clock.spent / seconds[-1])
        found[name] = {
            "share": measuring.middle(shares), "shares": shares, "seconds": measuring.middle(seconds),
            "calls": clock.calls,
        }  # fmt: skip
    return found


def start_of_gate(before: Path | None, repeats: int) -> dict[str, Any]:
    """Return CPU seconds of `evenhand gate` as a process, and the median ratio of pairs of runs."""
    rng = np.random.default_rng(1)
    y, groups = rng.integers(0, 2, 4_000), rng.choice(["female", "male"], 4_000)
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.toml"
        policy.write_text(POLICY, encoding="utf-8")
        sources = {"now": SOURCE, **({} if before is None else {"before": before / "src"})}
        for name, source in sources.items():
            _run(source, ["-c", MAKE, f"{folder}/{name}.json"], y.tolist(), groups.tolist())
        taken: dict[str, list[float]] = {name: [] for name in sources}
        for _ in range(repeats + 1):
            for name, source in sources.items():
                gate = [
                    "-m",
                    "evenhand",
                    "gate",
                    f"{folder}/{name}.json",
                    "--policy",
                    str(policy),
                    "-o",
                    f"{folder}/out.txt",
                ]
                taken[name].append(_run(source, gate))
    steady = {name: values[1:] for name, values in taken.items()}
    found: dict[str, Any] = {name: measuring.middle(values) for name, values in steady.items()}
    found["seconds"] = steady
    if before is not None:
        pairs = zip(steady["now"], steady["before"], strict=True)
        found["ratio"] = measuring.middle(now / earlier for now, earlier in pairs)
    return found


MAKE = """
import json, sys
import evenhand as eh
y, groups = json.load(sys.stdin)
eh.write_record(sys.argv[1], eh.audit_predictions(y, y, sensitive_features={"sex": groups}))
"""


def _run(source: Path, command: list[str], *given: object) -> float:
    """Run Python on a source tree and return the CPU seconds of the process."""
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *command], input=json.dumps(given), text=True, check=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    )  # fmt: skip
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime


def main() -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--before", type=Path, help="a checkout of an earlier evenhand, to start its gate in turns")
    asked = parser.parse_args()
    gate = start_of_gate(asked.before, 3 * asked.repeats)
    audits = share_of_doors(asked.rows, asked.repeats)
    figures = {
        **measuring.machine("scikit-learn"), "rows": asked.rows, "doors": DOORS, "audit": audits, "gate": gate,
    }  # fmt: skip
    lines = [f"| audit of {asked.rows:,} rows | CPU seconds | share of the doors |", "|---|---:|---:|"]
    lines += [f"| {name} | {found['seconds']:.2f} | {found['share']:.2%} |" for name, found in audits.items()]
    lines += ["", "| `evenhand gate`, a process | CPU seconds |", "|---|---:|"]
    lines += [f"| {name} | {gate[name]:.2f} |" for name in ("now", "before") if name in gate]
    measuring.write(
        "doors", figures, lines, "Times the public call `eh.audit_predictions`, and `evenhand gate` as a process."
    )


if __name__ == "__main__":
    main()
