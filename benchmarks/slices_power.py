"""How often the slice search finds a planted slice: all rows against permutations, and one half against the other.

The second way is the one that came before: candidates of one half by Benjamini and Hochberg, tested again on the other
half by Fisher's exact test and Holm's adjustment. Six features of four values; features are independent of each other.
Writes benchmarks/results/slices_power.json and its table in docs/design/intervals.md. Run it with:
python benchmarks/slices_power.py
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import numpy as np
from interval_coverage import PAGE, write_between
from measuring import RESULTS
from scipy.special import ndtr
from scipy.stats import hypergeom

from evenhand.metrics.comparisons.significance import benjamini_hochberg, holm
from evenhand.metrics.slices.lattice import Rows, Slice, counted, totals_of
from evenhand.metrics.slices.search import distinct, find_slices, scan, weaker

FEATURES: Final = 6
VALUES: Final = 4
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Setting:
    """A planted slice."""

    rows: int
    crossed: int
    """Features that make it."""
    inside: float
    outside: float
    rounds: int

    @property
    def name(self) -> str:
        """What it is."""
        if self.inside == self.outside:
            return f"{self.rows:,} rows, none worse"
        share = VALUES**-self.crossed
        return f"{self.rows:,} rows, a slice of {share:.1%}, errors {self.inside:.0%} against {self.outside:.0%}"


SETTINGS: Final = (
    Setting(5_000, 2, 0.25, 0.15, 150),
    Setting(10_000, 2, 0.25, 0.15, 150),
    Setting(20_000, 3, 0.25, 0.15, 50),
    Setting(2_000, 2, 0.15, 0.15, 150),
)


def main() -> None:
    """Search both ways, on the same rows."""
    found = {setting.name: power(setting) for setting in SETTINGS}
    (RESULTS / "slices_power.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    lines = ["| setting | rounds | all rows, permutations | half and half |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {one['rounds']:.0f} | {one['all_rows']:.2f} | {one['halves']:.2f} |" for name, one in found.items()
    ]
    write_between(PAGE, "power of the slice search", lines)


def power(setting: Setting) -> dict[str, float]:
    """Return how often each way finds the planted slice; any slice at all, where none is planted."""
    hits = np.zeros((setting.rounds, 2))
    for seed in range(setting.rounds):
        rows = planted(setting, np.random.default_rng([seed, setting.rows]))
        ways = find_slices(rows, least_rows=setting.rows // 100, seed=seed).slices, halves(rows, seed)
        hits[seed] = [any(_hit(part, setting) for part in found) for found in ways]
    both = hits.mean(axis=0)
    print(setting.name, both, flush=True)
    return {"rounds": setting.rounds, "all_rows": float(both[0]), "halves": float(both[1])}


def planted(setting: Setting, rng: np.random.Generator) -> Rows:
    """Make rows with a slice that is worse."""
    codes = [rng.integers(0, VALUES, setting.rows).astype(np.int32) for _ in range(FEATURES)]
    inside = np.all([code == 0 for code in codes[: setting.crossed]], axis=0)
    rates = np.where(inside, setting.inside, setting.outside)
    return Rows(codes, [VALUES] * FEATURES, rng.random(setting.rows) < rates)


def halves(rows: Rows, seed: int) -> list[Slice]:
    """Return what is found in one half of the rows and confirmed on the other."""
    first = np.random.default_rng(seed).permutation(len(rows)) < len(rows) // 2
    searched, other = rows.take(first), rows.take(~first)
    least, totals = len(searched) // 100, totals_of(searched)
    z = np.concatenate([plain_z(searched, part.hits[0], part.mass[0]) for part in counted(searched, totals, least, 3)])
    passed = z[benjamini_hochberg(ndtr(-z)) <= 0.10]
    line = max(float(passed.min()), 2.0) if len(passed) else np.inf
    _, slices = scan(searched, weaker, least, 3)
    worth = {one: float(plain_z(searched, np.array(one.marked), np.array(one.rows))) for one in slices}
    ordered = sorted((one for one in slices if worth[one] >= line), key=lambda one: -worth[one])
    kept = list(distinct(ordered, searched.codes, 20))
    p = [_tail(one.members(other.codes), other.marks) for one in kept]
    return [one for one, adjusted in zip(kept, holm(np.array(p)), strict=True) if adjusted < 1 - LEVEL]


def plain_z(rows: Rows, hits: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the difference from the other rows over its pooled standard error."""
    n, total = len(rows), int(rows.marks.sum())
    spread = np.sqrt(total / n * (1 - total / n) * (1 / size + 1 / (n - size)))
    return np.asarray((hits / size - (total - hits) / (n - size)) / spread)


def _tail(inside: np.ndarray, marks: np.ndarray) -> float:
    return float(hypergeom.sf((inside & marks).sum() - 1, len(marks), marks.sum(), inside.sum()))


def _hit(part: Slice, setting: Setting) -> bool:
    if setting.inside == setting.outside:
        return True
    return part.features == tuple(range(setting.crossed)) and not any(part.values)


if __name__ == "__main__":
    main()
