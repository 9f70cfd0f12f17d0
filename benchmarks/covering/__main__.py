"""Simulate how often intervals err, cell by cell, and write the figures with the hashes of the methods behind them.

python benchmarks/covering             every topic
python benchmarks/covering weights     one topic, by its name in catalogue.py
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import Any, Final

from catalogue import TOPICS
from cells import ROOT, Topic, hashes

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


def main(names: list[str]) -> None:
    """Simulate the topics of those names, and keep what is known of the others."""
    known: dict[str, Any] = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    for name in names or TOPICS:
        known[name] = simulated(TOPICS[name]())
        OUT.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
