"""Simulate whether advice comes true: an undecided limit gets the rows that are advised, and is judged again.

python benchmarks/advice.py      six settings with truths from the prior, and fixed truths besides

Truths are drawn from the prior of the advice: a rate of the whole, how strongly groups are drawn towards it, and each
group's rate. Of each truth the present rows are drawn; where the limit is undecided the advice is asked for; the new
rows are drawn of that same truth. Cases told that such data cannot settle the limit are counted apart.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from covering.cells import hashes

from evenhand.keys import Key
from evenhand.metrics.answers.simulated import Table, simulated_ends
from evenhand.policy.advice.assurance import TRIALS, Advice, advise, decided
from evenhand.policy.advice.futures import drawn_futures
from evenhand.policy.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Truth = Callable[[np.random.Generator], NDArray[np.float64]]

ROOT: Final = Path(__file__).parents[1]
OUT: Final = ROOT / "benchmarks" / "results" / "advice.json"
METHODS: Final = tuple(
    f"src/evenhand/{name}.py"
    for name in (
        "metrics/answers/simulated", "metrics/comparisons/quick", "metrics/comparisons/shrinkage",
        "policy/advice/allocating", "policy/advice/assurance", "policy/advice/futures",
    )
)  # fmt: skip
CASES: Final = 300
"""Cases with a number of rows in each setting."""
TRIED: Final = 1_000
"""Undecided cases that are tried for it at most."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Groups, and a limit on them."""

    name: str
    sizes: tuple[int, ...]
    key: str
    at_most: float | None = None
    at_least: float | None = None
    truth: tuple[float, ...] = ()
    """Fixed rates; without any they are drawn from the prior."""

    @property
    def limit(self) -> Limit:
        """The limit."""
        return Limit(Key.parse(self.key), at_most=self.at_most, at_least=self.at_least)

    def rates(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw the rates of the groups."""
        if self.truth:
            return np.array(self.truth)
        usual = len(self.sizes) / sum(1 / size for size in self.sizes)
        shrinkage, middle = rng.uniform(), rng.uniform()
        strength = min(max(usual * shrinkage / (1 - shrinkage), 0.5), 1e5)
        return rng.beta(strength * middle + 1e-9, strength * (1 - middle) + 1e-9, len(self.sizes))


DIFFERENCE, RATIO, LOWEST = (
    "selection_rate_difference[g]", "selection_rate_ratio[g]", "selection_rate_group_min[g]",
)  # fmt: skip
SETTINGS: Final = (
    Setting("2 equal groups, difference", (200, 200), DIFFERENCE, at_most=0.15),
    Setting("2 unequal groups, difference", (60, 540), DIFFERENCE, at_most=0.15),
    Setting("5 equal groups, difference", (100,) * 5, DIFFERENCE, at_most=0.3),
    Setting("5 unequal groups, ratio", (40, 60, 100, 200, 600), RATIO, at_least=0.7),
    Setting("12 equal groups, difference", (100,) * 12, DIFFERENCE, at_most=0.3),
    Setting(
        "12 unequal groups, least rate", (400, 200, 150, 120, 100, 80, 70, 60, 50, 40, 30, 25), LOWEST, at_least=0.4
    ),
)
FIXED: Final = (
    Setting("12 equal groups of 100, fixed", (100,) * 12, DIFFERENCE, at_most=0.3, truth=(0.5,) * 12),
    Setting(
        "5 mixed groups, fixed", (40, 80, 150, 300, 600), DIFFERENCE, at_most=0.2, truth=(0.42, 0.5, 0.45, 0.52, 0.48)
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the undecided cases of a setting."""

    undecided: int
    """Undecided cases that were tried."""
    unsettled: int
    """Those told that such data cannot settle the limit."""
    advised: int
    """Those given a number of rows."""
    decided: float
    """The share of these that the rows, drawn of the same truth, decide."""
    error: float
    """The standard error of that share."""
    said: float
    """The chance that was stated, on average."""
    rows: tuple[int, int, int]
    """The quartiles of the rows that were advised."""


def table(selected: NDArray[np.int64], rows: NDArray[np.int64]) -> Table:
    """Return the counts of so many selected of so many rows of each group."""
    cells = np.zeros((len(rows), 2, 2), dtype=np.int64)
    cells[:, 0, 0], cells[:, 0, 1] = rows - selected, selected
    return Table(("g",), tuple((f"g{at}",) for at in range(len(rows))), ("0", "1"), cells)


def is_decided(found: Table, limit: Limit) -> bool:
    """Return whether counts decide a limit."""
    return bool(decided(simulated_ends(limit.key, found, found.cells[None], 0.95), limit, "simultaneous")[0])


def simulated(setting: Setting, rng: np.random.Generator, cases: int = CASES, tried: int = TRIED) -> Found:
    """Return what became of the undecided cases of a setting."""
    limit, sizes = setting.limit, np.array(setting.sizes)
    undecided, hits, said, totals = 0, [], [], []
    while len(hits) < cases and undecided < tried:
        truth = setting.rates(rng)
        selected = rng.binomial(sizes, truth)
        present = table(selected, sizes)
        if is_decided(present, limit):
            continue
        undecided += 1
        futures = drawn_futures(limit.key, present, np.ones(len(sizes)), 0.95, TRIALS, rng)
        advice: Advice = advise(futures, limit, "simultaneous", rng)
        if advice.chance is None or not advice.rows:
            continue
        more = np.array([dict(advice.rows).get(f"g=g{at}", 0) for at in range(len(sizes))])
        hits.append(is_decided(table(selected + rng.binomial(more, truth), sizes + more), limit))
        said.append(advice.chance.value)
        totals.append(int(more.sum()))
    share, many = float(np.mean(hits)) if hits else float("nan"), max(len(hits), 1)
    low, middle, high = (int(part) for part in np.quantile(totals or [0], [0.25, 0.5, 0.75]))
    error = (share * (1 - share) / many) ** 0.5
    return Found(
        undecided, undecided - len(hits), len(hits), share, error, float(np.mean(said or [0])), (low, middle, high)
    )


def main() -> None:
    """Simulate every setting and write the figures, with the hashes of the methods."""
    found = {}
    for at, setting in enumerate((*SETTINGS, *FIXED)):
        start = time.monotonic()
        got = simulated(setting, np.random.default_rng(at), CASES if not setting.truth else CASES // 2)
        found[setting.name] = {**asdict(setting), **asdict(got)}
        print(
            f"{setting.name}: decided {got.decided:.3f} (error {got.error:.3f}) of {got.advised} advised, said "
            f"{got.said:.3f}; {got.unsettled} of {got.undecided} cannot be settled ({time.monotonic() - start:.0f} s)",
            flush=True,
        )
    OUT.write_text(json.dumps({"methods": hashes(METHODS), "settings": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
