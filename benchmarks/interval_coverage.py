"""How often intervals err on either side: exact where all outcomes can be listed, simulated where not.

Writes benchmarks/results/interval_coverage.json and prints the tables of docs/design/intervals.md.
Run it with: make coverage
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom

from evenhand.metrics import Tally, disparity
from evenhand.metrics.intervals import (
    clopper_pearson,
    difference_interval,
    ratio_interval,
    wilson,
    z_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Z = z_of(0.95)
NEAR = np.concatenate([np.linspace(0, 0.05, 51), np.linspace(0.06, 0.5, 45)])
RATES = np.concatenate([NEAR, 1 - NEAR])
GRID = (0.005, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)
PAIRS = [(p, q) for p, q in product(GRID, repeat=2) if abs(p - q) < 0.81]
SIZES = ((10, 10), (30, 30), (100, 100), (20, 200), (10, 1000))
ROUNDS = 4000
OUT = Path(__file__).parent / "results" / "interval_coverage.json"

Ends = tuple[np.ndarray, np.ndarray]


def single(n: int) -> dict[str, dict[str, float]]:
    """Return the worst error on one side, the least coverage and the mean width of two intervals of a rate."""
    k = np.arange(n + 1)
    size = np.full(n + 1, n)
    methods: dict[str, Ends] = {
        "wilson": wilson(k, size, Z),
        "clopper-pearson": clopper_pearson(k, size, Z),
    }
    return {name: _errors(ends, n, k) for name, ends in methods.items()}


def _errors(ends: Ends, n: int, k: np.ndarray) -> dict[str, float]:
    low, high = ends
    chance = binom.pmf(k[None, :], n, RATES[:, None])
    above = (chance * (low[None, :] > RATES[:, None] + 1e-12)).sum(axis=1)
    below = (chance * (high[None, :] < RATES[:, None] - 1e-12)).sum(axis=1)
    return {
        "worst_side": float(max(above.max(), below.max())),
        "least_coverage": float((1 - above - below).min()),
        "mean_width": float((chance * (high - low)[None, :]).sum(axis=1).mean()),
    }


def paired(n: tuple[int, int], how: str, ends: Callable[..., Ends]) -> dict[str, float]:
    """Return the worst error on one side over a grid of two true rates, all outcomes listed."""
    first, second = np.meshgrid(np.arange(n[0] + 1), np.arange(n[1] + 1), indexing="ij")
    sides = [(k / size, *ends(k, np.full(k.shape, size), Z)) for k, size in ((first, n[0]), (second, n[1]))]
    low, high = (difference_interval if how == "difference" else ratio_interval)(sides[0], sides[1])
    worst, least = 0.0, 1.0
    for p, q in PAIRS:
        chance = binom.pmf(np.arange(n[0] + 1), n[0], p)[:, None] * binom.pmf(np.arange(n[1] + 1), n[1], q)[None, :]
        true = p - q if how == "difference" else p / q
        known = np.ones_like(chance, dtype=bool) if how == "difference" else (first + second) > 0
        above = chance[known & (low > true + 1e-12)].sum()
        below = chance[known & (high < true - 1e-12)].sum()
        worst, least = max(worst, above, below), min(least, 1 - above - below)
    return {"worst_side": float(worst), "least_coverage": float(least)}


def many(n: list[int], rates: list[float], how: str, seed: int = 1) -> dict[str, float]:
    """Return how often the interval of an extreme over groups errs on either side, simulated."""
    rng = np.random.default_rng(seed)
    size, p = np.array(n), np.array(rates)
    true = p.max() - p.min() if how == "difference" else p.min() / p.max()
    above = below = 0
    for _ in range(ROUNDS):
        hits = rng.binomial(size, p)
        counts = np.zeros((len(n), 2, 2), dtype=np.int64)
        counts[:, 1, 1], counts[:, 1, 0] = hits, size - hits
        found = disparity(f"recall_{how}", Tally(counts))
        above += found.low is not None and found.low > true + 1e-12
        below += found.high is not None and found.high < true - 1e-12
    return {"low_end_above": above / ROUNDS, "high_end_below": below / ROUNDS}


MANY = {
    "2 x 100, equal (.5)": ([100, 100], [0.5, 0.5]),
    "30 and 1000, .9 and .7": ([30, 1000], [0.9, 0.7]),
    "2 x 1000, rare (.005, .02)": ([1000, 1000], [0.005, 0.02]),
    "10 x 100, equal (.6)": ([100] * 10, [0.6] * 10),
    "10 x 30, .5 and .7": ([30] * 10, [0.5] * 5 + [0.7] * 5),
    "50 x 40, equal (.5)": ([40] * 50, [0.5] * 50),
}


def main() -> None:
    """Compute all tables, print them and write their figures."""
    found = {
        "single": {str(n): single(n) for n in (10, 30, 100, 300, 1000)},
        "paired": {
            f"{how}, {name} limits": {f"{a} and {b}": paired((a, b), how, ends) for a, b in SIZES}
            for how in ("difference", "ratio")
            for name, ends in (("wilson", wilson), ("clopper-pearson", clopper_pearson))
        },
        "extremes": {how: {name: many(*cell, how) for name, cell in MANY.items()} for how in ("difference", "ratio")},
        "rounds": ROUNDS,
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("| rows | method | worst error of one side | least coverage | mean width |\n|---|---|---|---|---|")
    for n, methods in found["single"].items():  # type: ignore[union-attr]
        for name, row in methods.items():
            print(f"| {n} | {name} | {row['worst_side']:.3f} | {row['least_coverage']:.3f} | {row['mean_width']:.4f} |")
    print("\n| of two groups | rows | worst error of one side | least coverage |\n|---|---|---|---|")
    for how, cells in found["paired"].items():  # type: ignore[union-attr]
        for name, row in cells.items():
            print(f"| {how} | {name} | {row['worst_side']:.3f} | {row['least_coverage']:.3f} |")
    print("\n| extreme over groups | groups | low end above the truth | high end below it |\n|---|---|---|---|")
    for how, cells in found["extremes"].items():  # type: ignore[union-attr]
        for name, row in cells.items():
            print(f"| {how} | {name} | {row['low_end_above']:.3f} | {row['high_end_below']:.3f} |")


if __name__ == "__main__":
    main()
