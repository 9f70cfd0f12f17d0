"""How often intervals of paired changes err on either side: exact where outcomes can be listed, else simulated.

Writes benchmarks/results/paired_coverage.json and prints the tables of docs/design/compression_audit.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import multinomial

from evenhand.metrics.comparisons.changes import excess_change, measure_change
from evenhand.metrics.comparisons.disparity_changes import disparity_change
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.inference.intervals import wilson, z_of
from evenhand.metrics.inference.paired import apart, exclusive, paired_change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Z = z_of(0.95)
GRID = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
"""True shares of rows gained and lost."""
SIZES = (10, 30, 100, 300)
ROUNDS, DRAWS = 2_000, 300
OUT = Path(__file__).parent / "results" / "paired_coverage.json"

Ends = tuple[np.ndarray, np.ndarray]


def ours(b: np.ndarray, c: np.ndarray, n: int) -> Ends:
    """Return the interval in use."""
    rest = n - b - c
    found = paired_change(rest, b, c, np.zeros_like(rest))
    return found.low, found.high


def by_wilson(b: np.ndarray, c: np.ndarray, n: int) -> Ends:
    """Return square-and-add of the discordant shares over Wilson's limits."""
    sides = [(k / n, *wilson(k, np.full(len(k), n), Z)) for k in (b, c)]
    return apart(sides[0], sides[1], exclusive(b / n, c / n))


def tango(b: np.ndarray, c: np.ndarray, n: int) -> Ends:
    """Return the score interval of Tango (1998), Statistics in Medicine 17, by bisection."""
    estimate = (b - c) / n
    found = []
    for sign in (1, -1):
        near, far = estimate.astype(float), np.full(len(b), -1.0 * sign)
        for _ in range(60):
            middle = (near + far) / 2
            inside = sign * _score(b, c, n, middle) <= Z
            near, far = np.where(inside, middle, near), np.where(inside, far, middle)
        found.append((near + far) / 2)
    return found[0], found[1]


def _score(b: np.ndarray, c: np.ndarray, n: int, change: np.ndarray) -> np.ndarray:
    linear = -b - c + (2 * n - b + c) * change
    constant = -c * change * (1 - change)
    lost = (np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0)) - linear) / (4 * n)
    variance, distance = n * (2 * lost + change * (1 - change)), b - c - n * change
    with np.errstate(divide="ignore", invalid="ignore"):
        found = distance / np.sqrt(np.maximum(variance, 0))
    return np.where(variance <= 1e-14, np.where(np.abs(distance) < 1e-12, 0.0, np.sign(distance) * np.inf), found)


def wald(b: np.ndarray, c: np.ndarray, n: int) -> Ends:
    """Return the interval of the textbooks."""
    p, q = b / n, c / n
    half = Z * np.sqrt((p + q - (p - q) ** 2) / n)
    return p - q - half, p - q + half


def bonett_price(b: np.ndarray, c: np.ndarray, n: int) -> Ends:
    """Return Wald's after one row was added to each discordant cell (Bonett and Price 2012)."""
    p, q = (b + 1) / (n + 2), (c + 1) / (n + 2)
    half = Z * np.sqrt((p + q - (p - q) ** 2) / (n + 2))
    return p - q - half, p - q + half


METHODS: dict[str, Callable[[np.ndarray, np.ndarray, int], Ends]] = {
    "wald": wald,
    "bonett-price": bonett_price,
    "tango": tango,
    "discordant rows, wilson limits": by_wilson,
    "discordant rows, exact limits (used)": ours,
}


def listed(n: int) -> dict[str, dict[str, float]]:
    """Return the worst error on one side, the least coverage and the mean width, over all outcomes of n rows."""
    b, c = (part.ravel() for part in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    b, c = b[b + c <= n], c[b + c <= n]
    outcomes = np.column_stack([b, c, n - b - c])
    ends = {name: method(b, c, n) for name, method in METHODS.items()}
    found = {name: {"worst_side": 0.0, "least_coverage": 1.0, "mean_width": 0.0} for name in METHODS}
    truths = [(p, q) for p in GRID for q in GRID if 0 < p + q <= 0.6]
    for p, q in truths:
        chance = multinomial.pmf(outcomes, n, [p, q, 1 - p - q])
        for name, (low, high) in ends.items():
            above, below = chance[low > p - q + 1e-12].sum(), chance[high < p - q - 1e-12].sum()
            mine = found[name]
            mine["worst_side"] = max(mine["worst_side"], float(above), float(below))
            mine["least_coverage"] = min(mine["least_coverage"], float(1 - above - below))
            mine["mean_width"] += float((chance * (high - low)).sum()) / len(truths)
    return found


CASES: dict[str, tuple[list[int], list[tuple[float, float]], list[float]]] = {
    "2 x 300, alike": ([300] * 2, [(0.2, 0.6)] * 2, [0.97] * 2),
    "2 x 300, unlike": ([300] * 2, [(0.2, 0.6), (0.1, 0.3)], [0.9, 0.97]),
    "5 x 200, alike": ([200] * 5, [(0.2, 0.6)] * 5, [0.97] * 5),
    "5 x 200, one harmed": ([200] * 5, [(0.2, 0.6)] * 5, [0.97] * 4 + [0.7]),
    "10 x 100, alike": ([100] * 10, [(0.2, 0.6)] * 10, [0.97] * 10),
    "30 to 1000, mixed": (
        [1000, 300, 100, 30],
        [(0.2, 0.6), (0.1, 0.5), (0.3, 0.7), (0.2, 0.4)],
        [0.97, 0.9, 0.95, 0.8],
    ),
    "3 x 200, nothing flips": ([200] * 3, [(0.2, 0.6)] * 3, [1.0] * 3),
    "106 and 584, gap closed": ([106, 584], [(0.69, 0.69), (0.85, 0.85)], [1.0, 0.94]),
    "2 x 200, gap turned": ([200] * 2, [(0.4, 0.4), (0.6, 0.6)], [1.0, 0.67]),
}
"""Rows of the groups; the original's selection rate of truths 0 and 1; the share of positive decisions that stay."""
GAINED = {"106 and 584, gap closed": (0.35, 0.0), "2 x 200, gap turned": (0.33, 0.0)}
"""The share of negative decisions that turn positive, by group, where it is not .01."""


def cells(selected: tuple[float, float], kept: float, gained: float | None = None) -> np.ndarray:
    """Return the chances (2, 2, 2) of truth x original x compressed of one group."""
    stays = (0.99 if kept < 1 else 1.0) if gained is None else 1 - gained
    found = np.zeros((2, 2, 2))
    for truth, share in ((1, 0.4), (0, 0.6)):
        found[truth, 1] = share * selected[truth] * np.array([1 - kept, kept])
        found[truth, 0] = share * (1 - selected[truth]) * np.array([stays, 1 - stays])
    return found


def rate(chances: np.ndarray, who: int) -> float:
    """Return the true selection rate of the original (1) or the compressed model (2)."""
    return float(chances.take(1, axis=who).sum())


def simulated() -> Iterator[tuple[str, str, dict[str, float]]]:
    """Yield, for each case, how often each end of a change of a gap errs, beside the percentile bootstrap."""
    for name, (sizes, selected, kept) in CASES.items():
        gained = GAINED.get(name, (None,) * len(sizes))
        chances = [cells(*each) for each in zip(selected, kept, gained, strict=True)]
        new, old = (np.array([rate(each, who) for each in chances]) for who in (2, 1))
        truth = {"difference": float(np.ptp(new) - np.ptp(old)), "group_min": float(new.min() - old.min())}
        rng = np.random.default_rng(7)
        missed = {how: np.zeros(3) for how in (*truth, "bootstrap")}
        for _ in range(ROUNDS):
            counts = np.array([rng.multinomial(n, each.ravel()) for n, each in zip(sizes, chances, strict=True)])
            joint = JointTally.of_counts(counts.reshape(-1, 2, 2, 2))
            for how, value in truth.items():
                found = disparity_change("selection_rate", how, joint)  # type: ignore[arg-type]
                missed[how] += _missed(found.low or 0.0, found.high or 0.0, value)
            missed["bootstrap"] += _missed(*_bootstrap(counts, sizes, rng), truth["difference"])
        for how, sums in missed.items():
            low, high, width = sums / ROUNDS
            yield name, how, {"low_above": float(low), "high_below": float(high), "mean_width": float(width)}


def _bootstrap(counts: np.ndarray, sizes: list[int], rng: np.random.Generator) -> tuple[float, float]:
    drawn = np.stack([rng.multinomial(n, row / n, size=DRAWS) for n, row in zip(sizes, counts, strict=True)], axis=1)
    drawn = drawn.reshape(DRAWS, -1, 2, 2, 2)
    new, old = drawn[..., 1].sum(axis=(2, 3)) / sizes, drawn[:, :, :, 1].sum(axis=(2, 3)) / sizes
    low, high = np.quantile(np.ptp(new, axis=1) - np.ptp(old, axis=1), [0.025, 0.975])
    return float(low), float(high)


def _missed(low: float, high: float, truth: float) -> np.ndarray:
    return np.array([low > truth + 1e-12, high < truth - 1e-12, high - low], dtype=float)


def of_one_group() -> Iterator[tuple[str, int, dict[str, float]]]:
    """Yield how often the ends err of a change of precision, and of an excess change."""
    for kept in (0.93, 0.995):
        for n in (50, 200, 1000):
            chances, rng = cells((0.2, 0.6), kept), np.random.default_rng(3)
            new, old = (chances[1].take(1, axis=at).sum() / chances.take(1, axis=at + 1).sum() for at in (1, 0))
            missed = {"precision": np.zeros(3), "excess accuracy": np.zeros(3)}
            both = [chances, cells((0.2, 0.6), 0.97)]
            right = [
                float(sum(each[t].take(t, axis=1).sum() - each[t].take(t, axis=0).sum() for t in (0, 1)))
                for each in both
            ]
            for _ in range(ROUNDS):
                counts = np.array([rng.multinomial(n, each.ravel()) for each in both]).reshape(2, 2, 2, 2)
                joint = JointTally.of_counts(counts)
                found = measure_change("precision", JointTally.of_counts(counts[:1]))
                missed["precision"] += _missed(float(found.low[0]), float(found.high[0]), float(new - old))
                found = excess_change("accuracy", joint)
                missed["excess accuracy"] += _missed(
                    float(found.low[0]), float(found.high[0]), (right[0] - right[1]) / 2
                )
            for name, sums in missed.items():
                low, high, width = sums / ROUNDS
                yield f"{name}, {kept:g} of positives kept", n, {
                    "low_above": float(low), "high_below": float(high), "mean_width": float(width),
                }  # fmt: skip


def main() -> None:
    """Compute, print the tables, write the figures."""
    raw: dict[str, object] = {"rounds": ROUNDS}
    print("| rows | method | worst error of one side | least coverage | mean width |\n|---|---|---|---|---|")
    raw["listed"] = {str(n): listed(n) for n in SIZES}
    for n, found in raw["listed"].items():  # type: ignore[attr-defined]
        for name, row in found.items():
            print(f"| {n} | {name} | {row['worst_side']:.3f} | {row['least_coverage']:.3f} | {row['mean_width']:.4f} |")
    print("\n| change of | rows | low end above | high end below | mean width |\n|---|---|---|---|---|")
    raw["one_group"] = [list(row) for row in of_one_group()]
    for name, n, row in raw["one_group"]:  # type: ignore[attr-defined]
        print(f"| {name} | {n} | {row['low_above']:.3f} | {row['high_below']:.3f} | {row['mean_width']:.4f} |")
    print("\n| groups | change of | low end above | high end below | mean width |\n|---|---|---|---|---|")
    raw["gaps"] = [list(row) for row in simulated()]
    for name, how, row in raw["gaps"]:  # type: ignore[attr-defined]
        words = {"difference": "gap", "group_min": "lowest group", "bootstrap": "gap, percentile bootstrap (not used)"}
        print(f"| {name} | {words[how]} | {row['low_above']:.3f} | {row['high_below']:.3f} | {row['mean_width']:.4f} |")
    OUT.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
