"""How often intervals of rates, gaps and ratios err on either side: exact where all outcomes can be listed.

Writes benchmarks/results/interval_coverage.json and the tables of docs/design/intervals.md. Run it with: make coverage
"""

from __future__ import annotations

import json
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom

from evenhand.metrics import Tally, disparity
from evenhand.metrics.inference import two_shares
from evenhand.metrics.inference.intervals import (
    clopper_pearson,
    difference_interval,
    ratio_interval,
    share_difference_interval,
    wilson,
    z_of,
)
from evenhand.metrics.inference.two_shares import Pair, share_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Floats = np.ndarray
    Ends = tuple[np.ndarray, np.ndarray]

Z = z_of(0.95)
NEAR = np.concatenate([np.linspace(0, 0.05, 51), np.linspace(0.06, 0.5, 45)])
RATES = np.concatenate([NEAR, 1 - NEAR])
"""True rates of a single group."""
SMALL = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
GRID = np.array([*SMALL, 0.5, *(1 - rate for rate in reversed(SMALL))])
"""True rates of each of two groups; all pairs of them."""
SIZES = ((10, 10), (30, 30), (100, 100), (10, 30), (20, 200), (60, 540), (10, 1000), (1000, 1000))


def joined(limits: Callable[..., Ends], join: Callable[..., Ends], n: tuple[int, int]) -> Ends:
    """Return the ends of all outcomes of two groups from the limits of either."""
    sides = []
    for k, size in zip(outcomes(n), n, strict=True):
        low, high = limits(np.arange(size + 1), np.full(size + 1, size), Z)
        sides.append((k / size, low[k], high[k]))
    return join(*sides)


def scored(how: str, n: tuple[int, int], plain: bool = False) -> Ends:
    """Return the ends of all outcomes of two groups by a score test, as it is used or (Miettinen-Nurminen's) plain."""
    first, second = (k.astype(float) for k in outcomes(n))
    pair = Pair(first, np.full(first.shape, float(n[0])), second, np.full(first.shape, float(n[1])))
    kept = two_shares.SKEW, two_shares.STEP
    if plain:
        two_shares.SKEW = two_shares.STEP = np.inf  # type: ignore[misc]
    try:
        return share_interval(how, pair, Z)  # type: ignore[arg-type]
    finally:
        two_shares.SKEW, two_shares.STEP = kept  # type: ignore[misc]


def outcomes(n: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the events of both groups in every outcome."""
    first, second = np.meshgrid(*(np.arange(size + 1) for size in n), indexing="ij")
    return first, second


DIFFERENCES = {
    "wilson limits (Newcombe)": partial(joined, wilson, difference_interval),
    "exact limits": partial(joined, clopper_pearson, difference_interval),
    "exact limits, corner minded": partial(joined, clopper_pearson, share_difference_interval),
    "score test": partial(scored, "difference", plain=True),
    "score test, corrected": partial(scored, "difference"),
}
RATIOS = {
    "wilson limits": partial(joined, wilson, ratio_interval),
    "exact limits": partial(joined, clopper_pearson, ratio_interval),
    "score test": partial(scored, "ratio", plain=True),
    "score test, corrected": partial(scored, "ratio"),
}
PROFILES: dict[str, Callable[[int], list[float]]] = {
    "equal, .5": lambda groups: [0.5] * groups,
    "equal, .1": lambda groups: [0.1] * groups,
    "equal, rare .005": lambda groups: [0.005] * groups,
    "equal, .99": lambda groups: [0.99] * groups,
    "one lower, .4 and .3": lambda groups: [0.4] * (groups - 1) + [0.3],
    "one lower, .9 and .7": lambda groups: [0.9] * (groups - 1) + [0.7],
    "spread, .2 to .6": lambda groups: np.linspace(0.2, 0.6, groups).tolist(),
    "rare, .005 and .02": lambda groups: [0.005] * (groups - 1) + [0.02],
}
"""True rates of all groups."""
ROUNDS = 4_000
HERE = Path(__file__).parent
OUT = HERE / "results" / "interval_coverage.json"
PAGE = HERE.parent / "docs" / "design" / "intervals.md"


def single(n: int) -> dict[str, dict[str, float]]:
    """Return the worst error on one side, the least coverage and the mean width of two intervals of a rate."""
    k = np.arange(n + 1)
    size = np.full(n + 1, n)
    methods = {"wilson": wilson(k, size, Z), "clopper-pearson": clopper_pearson(k, size, Z)}
    return {name: _errors(ends, n, k) for name, ends in methods.items()}


def _errors(ends: Ends, n: int, k: Floats) -> dict[str, float]:
    low, high = ends
    chance = binom.pmf(k[None, :], n, RATES[:, None])
    above = (chance * (low[None, :] > RATES[:, None] + 1e-12)).sum(axis=1)
    below = (chance * (high[None, :] < RATES[:, None] - 1e-12)).sum(axis=1)
    return {
        "worst_side": float(max(above.max(), below.max())),
        "least_coverage": float((1 - above - below).min()),
        "mean_width": float((chance * (high - low)[None, :]).sum(axis=1).mean()),
    }


def paired(n: tuple[int, int], how: str, ends: Callable[[tuple[int, int]], Ends]) -> dict[str, object]:
    """Return the worst error on one side over all pairs of true rates, all outcomes listed."""
    first, second = outcomes(n)
    low, high = ends(n)
    known = np.ones(first.shape, dtype=bool) if how == "difference" else (first + second) > 0
    chances = [binom.pmf(np.arange(size + 1), size, GRID[:, None]) for size in n]
    worst, least, where = 0.0, 1.0, (0.0, 0.0)
    for (at, p), (to, q) in product(enumerate(GRID), repeat=2):
        true = p - q if how == "difference" else p / q
        above = float(chances[0][at] @ (known & (low > true + 1e-12)) @ chances[1][to])
        below = float(chances[0][at] @ (known & (high < true - 1e-12)) @ chances[1][to])
        if max(above, below) > worst:
            worst, where = max(above, below), (float(p), float(q))
        least = min(least, 1 - above - below)
    return {"worst_side": worst, "at": where, "least_coverage": least}


def extreme(hits: Floats, n: int, how: str) -> Ends:
    """Return the ends of the widest gap (or least ratio) of many rounds, by `disparity`.

    Parameters
    ----------
    hits : (R, K) array
        Events of K groups of `n` rows each, in R rounds.
    """
    kinds, where = np.unique(np.sort(hits, axis=1), axis=0, return_inverse=True)
    cells = np.zeros((*kinds.shape, 2, 2), dtype=np.int64)
    cells[..., 1, 0], cells[..., 1, 1] = n - kinds, kinds
    found = [disparity(f"recall_{how}", Tally(each)) for each in cells]
    low, high = (np.array([getattr(one, end) for one in found], dtype=float) for end in ("low", "high"))
    return low[where.ravel()], high[where.ravel()]


def many(n: int, rates: list[float], how: str, rounds: int = ROUNDS, seed: int = 1) -> dict[str, float]:
    """Return how often the interval of an extreme over groups errs on either side."""
    p = np.array(rates)
    hits = np.random.default_rng(seed).binomial(n, p, size=(rounds, len(p)))
    low, high = extreme(hits, n, how)
    true = p.max() - p.min() if how == "difference" else p.min() / p.max()
    known = np.ones(rounds, dtype=bool) if how == "difference" else hits.max(axis=1) > 0
    above, below = (known & (low > true + 1e-12)).mean(), (known & (high < true - 1e-12)).mean()
    return {"low_end_above": float(above), "high_end_below": float(below), "coverage": float(1 - above - below)}


def cells(rounds: int = ROUNDS, sizes: tuple[int, ...] = (10, 30, 100, 1000)) -> Iterator[dict[str, object]]:
    """Yield each named cell of the grid with what was found in it."""
    for how, n, groups, (name, rates) in product(("difference", "ratio"), sizes, (2, 10), PROFILES.items()):
        yield {"how": how, "n": n, "groups": groups, "rates": name, **many(n, rates(groups), how, rounds)}


def tables(found: dict[str, dict]) -> Iterator[str]:
    """Yield the lines of the page."""
    yield from ("| rows | method | worst error of one side | least coverage | mean width |", "|---|---|---|---|---|")
    for n, methods in found["single"].items():
        for name, row in methods.items():
            yield f"| {n} | {name} | {row['worst_side']:.3f} | {row['least_coverage']:.3f} | {row['mean_width']:.4f} |"
    yield from ("", "| of two groups | rows | worst error of one side | at true rates | least coverage |")
    yield "|---|---|---|---|---|"
    for name, sizes in found["paired"].items():
        for size, row in sizes.items():
            at = " and ".join(f"{rate:.4g}" for rate in row["at"])
            yield f"| {name} | {size} | {row['worst_side']:.3f} | {at} | {row['least_coverage']:.3f} |"
    yield from ("", "| extreme | rows a group | groups | true rates | low end above | high end below | coverage |")
    yield "|---|---|---|---|---|---|---|"
    for row in found["cells"]:
        yield (
            f"| {row['how']} | {row['n']} | {row['groups']} | {row['rates']} | {row['low_end_above']:.3f} "
            f"| {row['high_end_below']:.3f} | {row['coverage']:.3f} |"
        )


def write_between(page: Path, name: str, lines: list[str]) -> None:
    """Put lines between the page's comments ``<!-- name -->`` and ``<!-- end of name -->``."""
    before, rest = page.read_text(encoding="utf-8").split(f"<!-- {name} -->\n", 1)
    after = rest.split(f"<!-- end of {name} -->", 1)[1]
    text = "\n".join([f"{before}<!-- {name} -->", "", *lines, "", f"<!-- end of {name} -->{after}"])
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Compute all tables, write their figures and the page."""
    methods = [("difference", *part) for part in DIFFERENCES.items()] + [("ratio", *part) for part in RATIOS.items()]
    found = {
        "single": {str(n): single(n) for n in (10, 30, 100, 300, 1000)},
        "paired": {
            f"{how}, {name}": {f"{a} and {b}": paired((a, b), how, method) for a, b in SIZES}
            for how, name, method in methods
        },
        "cells": list(cells()),
        "rounds": ROUNDS,
        "rates": {"single": RATES.tolist(), "pairs": GRID.tolist()},
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    lines = list(tables(found))  # type: ignore[arg-type]
    write_between(PAGE, "coverage of rates", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
