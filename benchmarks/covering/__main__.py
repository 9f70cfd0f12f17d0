"""Simulate how often intervals err, cell by cell, and write the figures with the hashes of the methods behind them.

python benchmarks/covering             every topic
python benchmarks/covering weights     one topic, by its name in catalogue.py
python benchmarks/covering --seed 1 --rounds 1000 weights
    with other random numbers and at most so many rounds a cell; writes nothing and prints only the cells that miss
    the target by more than two standard errors of the simulation
python benchmarks/covering --as-of main --rounds 200 weights
    after a change of the code that is to change no figure: runs so many rounds of each cell by the code of that commit
    and by this one, and keeps the figures with the new hashes if every outcome is the same to the last digit
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import tables
from catalogue import TOPICS
from cells import ROOT, Topic, hashes

import evenhand

OUT: Final = ROOT / "benchmarks" / "results" / "covering.json"


def simulated(topic: Topic) -> dict[str, Any]:
    """Return the figures of a topic."""
    found = {}
    for at, cell in enumerate(topic.cells, 1):
        start = time.monotonic()
        got = cell.run(topic.seeded(cell), cell.rounds)
        found[cell.name] = {**asdict(got), "met": got.met}
        sign = " " if got.met else "!"
        print(
            f"{sign} {topic.name} {at}/{len(topic.cells)} {cell.name}: above {got.above:.3f}, below {got.below:.3f}, "
            f"marked {got.marked:.2f} ({time.monotonic() - start:.0f} s)",
            flush=True,
        )
    return {"methods": hashes(topic.methods), "cells": found}


def written(names: list[str]) -> None:
    """Simulate the topics of those names, and keep what is known of the others."""
    known: dict[str, Any] = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    for name in names:
        known[name] = simulated(TOPICS[name]())
        OUT.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")
    if set(tables.TOPICS) <= set(known):
        tables.written(known)


def checked(topic: Topic, seed: int, rounds: int) -> None:
    """Print the cells of a topic that miss the target with other random numbers."""
    start, missed = time.monotonic(), 0
    for cell in topic.cells:
        got = cell.run(topic.seeded(cell, seed), min(rounds, cell.rounds))
        if not got.near:
            missed += 1
            print(
                f"! {topic.name}, {cell.name}: above {got.above:.3f}, below {got.below:.3f}, marked {got.marked:.2f}",
                flush=True,
            )
    share = missed / len(topic.cells)
    print(
        f"  {topic.name}: {missed} of {len(topic.cells)} cells ({share:.1%}) miss the target "
        f"({time.monotonic() - start:.0f} s)",
        flush=True,
    )


def drawn(names: list[str], rounds: int) -> dict[str, list[float | None]]:
    """Return what a few rounds of each cell give, by topic and cell."""
    found: dict[str, list[float | None]] = {}
    for topic in (TOPICS[name]() for name in names):
        for cell in topic.cells:
            got = cell.run(topic.seeded(cell, 1), min(rounds, cell.rounds))
            found[f"{topic.name}/{cell.name}"] = [got.above, got.below, got.marked, got.width]
    return found


def carried(names: list[str], commit: str, rounds: int) -> None:
    """Keep the figures of topics whose outcomes are those of a commit's code, with the hashes of the present code."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "worktree", "add", "-q", "--detach", folder, commit], cwd=ROOT, check=True)
        try:
            command = [sys.executable, str(Path(__file__).parent), "--drawn", "--rounds", str(rounds), *names]
            path = {**os.environ, "PYTHONPATH": str(Path(folder) / "src")}
            done = subprocess.run(command, env=path, capture_output=True, text=True, check=True)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=ROOT, check=True)
    before, known = json.loads(done.stdout), json.loads(OUT.read_text(encoding="utf-8"))
    assert Path(folder, "src").as_posix() in before.pop("code"), "the other commit's code was not run"
    now = drawn(names, rounds)
    other = [name for name, value in now.items() if before[name] != value]
    if other:
        sys.exit(f"{len(other):,} of {len(now):,} cells come out otherwise, such as {other[0]}. Simulate them anew.")
    for name in names:
        known[name]["methods"] = hashes(TOPICS[name]().methods)
    OUT.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(f"{len(now):,} cells come out as by {commit}, {rounds:,} rounds each: their figures are kept.")


def main() -> None:
    """Simulate the topics that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topics", nargs="*", help=", ".join(TOPICS))
    parser.add_argument("--seed", type=int, help="check with other random numbers, and write nothing")
    parser.add_argument("--rounds", type=int, default=4_000, help="with --seed, the most rounds a cell")
    parser.add_argument("--as-of", metavar="COMMIT", help="keep the figures if its code gives the same outcomes")
    parser.add_argument("--drawn", action="store_true", help="print the outcomes of a few rounds as JSON")
    asked = parser.parse_args()
    names = asked.topics or list(TOPICS)
    if asked.drawn:
        print(json.dumps({"code": evenhand.__file__, **drawn(names, asked.rounds)}))
        return
    if asked.as_of is not None:
        carried(names, asked.as_of, asked.rounds)
        return
    if asked.seed is None:
        written(names)
        return
    for name in names:
        checked(TOPICS[name](), asked.seed, asked.rounds)


if __name__ == "__main__":
    main()
