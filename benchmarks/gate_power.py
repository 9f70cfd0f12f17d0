"""How often limits on gaps are decided by a score test, and by square-and-add over exact limits as before.

Writes benchmarks/results/gate_power.json. Run it with: python benchmarks/gate_power.py
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from evenhand.metrics import Tally, compare, measure

ROUNDS: Final = 4_000
OUT: Final = Path(__file__).parent / "results" / "gate_power.json"
SETTINGS: Final = (
    ("60 against 540, rate .7, fair", "ratio", 0.8, (60, 540), (0.7, 0.7)),
    ("60 against 540, ratio .65", "ratio", 0.8, (60, 540), (0.455, 0.7)),
    ("30 against 30, ratio .65", "ratio", 0.8, (30, 30), (0.455, 0.7)),
    ("300 against 1,500, ratio .9", "ratio", 0.8, (300, 1500), (0.63, 0.7)),
    ("60 against 540, gap .1", "difference", 0.2, (60, 540), (0.6, 0.7)),
    ("5 groups of 100, one .2 lower", "difference", 0.1, (100,) * 5, (0.5,) * 4 + (0.3,)),
    ("5 groups of 400, one .2 lower", "difference", 0.1, (400,) * 5, (0.5,) * 4 + (0.3,)),
    ("12 groups of 400, one .2 lower", "difference", 0.1, (400,) * 12, (0.5,) * 11 + (0.3,)),
    ("12 groups of 1,000, fair", "difference", 0.1, (1000,) * 12, (0.3,) * 12),
)
"""A name, how shares are compared, the limit, rows, and true rates."""


def decided(how: str, limit: float, rows: tuple[int, ...], rates: tuple[float, ...], rounds: int) -> dict[str, object]:
    """Return how often a limit passes and fails, and the mean width, before and now."""
    hits = np.random.default_rng(1).binomial(rows, rates, (rounds, len(rows)))
    kinds, where = np.unique(hits, axis=0, return_inverse=True)
    found: dict[str, list[tuple[float, float]]] = {"before": [], "now": []}
    for kind in kinds:
        cells = np.zeros((len(rows), 2, 2), dtype=np.int64)
        cells[:, 0, 0], cells[:, 0, 1] = np.array(rows) - kind, kind
        values = measure("selection_rate", Tally(cells))
        for name, given in (("before", replace(values, binomial=None)), ("now", values)):
            one = compare(given, how)  # type: ignore[arg-type]
            found[name].append((one.low or 0.0, 1.0 if one.high is None else one.high))
    told = {}
    for name, ends in found.items():
        low, high = np.array(ends)[where.ravel()].T
        passed, failed = (high <= limit, low > limit) if how == "difference" else (low >= limit, high < limit)
        told[name] = {"passes": passed.mean(), "fails": failed.mean(), "width": (high - low).mean()}
    return told


def main() -> None:
    """Simulate all settings and write them."""
    figures = {name: decided(*setting, ROUNDS) for name, *setting in SETTINGS}  # type: ignore[arg-type]
    OUT.write_text(json.dumps({"rounds": ROUNDS, "settings": figures}, indent=1) + "\n", encoding="utf-8")
    for name, told in figures.items():
        print(name, {when: {what: round(float(rate), 3) for what, rate in of.items()} for when, of in told.items()})  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
