"""Net benefit and its gain over the better default: few rows, rare positives, and rows of the same persons."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome

from evenhand.metrics import Tally, compare, measure
from evenhand.metrics.values.net_benefit import BENEFITS, cost_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SIZES: Final[dict[str, Callable[[Floats, np.random.Generator], Ints]]] = {
    "5 rows each": lambda own, rng: np.full(own.shape, 5),
    "a tenth with 10 times the rows": lambda own, rng: np.where(rng.random(own.shape) < 0.1, 20, 2),
    "geometric rows": lambda own, rng: rng.geometric(1 / 4, own.shape),
    "more rows the higher the own risk": lambda own, rng: 1 + rng.poisson(10 * own),
}
"""How many rows a person has."""
DECIDED: Final = {"each row by itself": False, "a person's rows alike": True}


def shares_of(base: float, recall: float, false: float) -> Floats:
    """Return the shares of true negatives, false positives, false negatives and true positives."""
    return np.array([(1 - base) * (1 - false), (1 - base) * false, base * (1 - recall), base * recall])


def value_of(metric: str, shares: Floats, threshold: float) -> float:
    """Return what a metric is of shares of cells."""
    return min(float(shares @ np.array(worth)) for worth in BENEFITS[metric](cost_of(threshold)))


def alone(metric: str, rows: int, shares: Floats, threshold: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate independent rows of one group; groups of one tally are rounds."""
    drawn = rng.multinomial(rows, shares, rounds).reshape(-1, 2, 2)
    found = measure(metric, Tally(drawn, threshold=threshold))
    return outcome(found.low, found.high, value_of(metric, shares, threshold))


def weighted(metric: str, rows: int, shares: Floats, spread: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate rows of unequal sampling weights, independent of the rest."""
    cell, weight = rng.choice(4, (rounds, rows), p=shares), np.exp(spread * rng.normal(size=(rounds, rows)))
    each = np.eye(4)[cell]
    counts, sums, squares = (
        np.einsum("gr,grk->gk", part, each).reshape(-1, 2, 2) for part in (np.ones_like(weight), weight, weight**2)
    )
    found = measure(metric, Tally(counts.astype(np.int64), sums, squares, threshold=0.1))
    return outcome(found.low, found.high, value_of(metric, shares, 0.1))


def apart(groups: int, rows: int, other: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the widest difference of net benefit over groups, of which the first has another base rate."""
    shares = [shares_of(other if not at else 0.1, 0.6, 0.2) for at in range(groups)]
    ends = []
    for _ in range(rounds):
        drawn = np.stack([rng.multinomial(rows, part) for part in shares]).reshape(-1, 2, 2)
        found = compare(measure("net_benefit", Tally(drawn, threshold=0.1)), "difference")
        ends.append((found.low, found.high))
    true = [value_of("net_benefit", part, 0.1) for part in shares]
    return outcome(*np.array(ends, dtype=float).T, max(true) - min(true))


def cells_of(
    base: float, within: float, sized: str, alike: bool, shape: tuple[int, int], rng: np.random.Generator
) -> Floats:
    """Return (rounds, persons, 4) rows of each person in each cell.

    A person's own risk is beta distributed, so that two rows of one are correlated by `within`. Six of ten positives
    and two of ten negatives are decided positive, each row by itself; or all rows of a person, by the own risk.
    """
    strength = 1 / within - 1
    own = rng.beta(base * strength, (1 - base) * strength, shape)
    rows = SIZES[sized](own, rng)
    positive = rng.binomial(rows, own)
    if alike:
        chosen = rng.random(shape) < 0.2 + 0.7 * own
        hit, false = positive * chosen, (rows - positive) * chosen
    else:
        hit, false = rng.binomial(positive, 0.6), rng.binomial(rows - positive, 0.2)
    return np.stack([rows - positive - false, false, positive - hit, hit], axis=-1).astype(np.float64)


@lru_cache
def truth_of(base: float, within: float, sized: str, alike: bool) -> tuple[float, ...]:
    """Return the true shares of cells, of two million persons."""
    parts = cells_of(base, within, sized, alike, (1, 2_000_000), np.random.default_rng(0))[0].sum(axis=0)
    return tuple(parts / parts.sum())


def together(
    metric: str,
    persons: int,
    sized: str,
    alike: bool,
    base: float,
    within: float,
    rng: np.random.Generator,
    rounds: int,
) -> Outcome:
    """Simulate rows of few persons."""
    parts = cells_of(base, within, sized, alike, (rounds, persons), rng)
    moments = np.einsum("gpi,gpj->gij", parts, parts)
    counts = parts.sum(axis=1).reshape(-1, 2, 2).astype(np.int64)
    found = measure(metric, Tally(counts, moments=moments, clusters=np.full(rounds, persons), threshold=0.1))
    shares = np.array(truth_of(base, within, sized, alike))
    marked = [bool(why) for why in found.uncovered] or False
    return outcome(found.low, found.high, value_of(metric, shares, 0.1), marked)


MODELS: Final = {"usual": (0.6, 0.2), "sparing": (0.2, 0.02)}
"""Recall and false positive rate."""
TOPIC: Final = Topic(
    "net_benefit",
    (
        "src/evenhand/metrics/inference/share_functions.py", "src/evenhand/metrics/inference/unequal.py",
        "src/evenhand/metrics/values/net_benefit.py",
    ),
    tuple(
        Cell(f"{metric}, {rows} rows, {base:g}, {name}, threshold {at:g}",
             partial(alone, metric, rows, shares_of(base, *model), at))
        for metric in BENEFITS
        for rows in (30, 100, 1_000)
        for base in (0.05, 0.1, 0.3)
        for name, model in MODELS.items()
        for at in (0.1, 0.5)
    )
    + tuple(
        Cell(f"{metric}, {rows} rows, {base:g}, weights spread by {spread:g}",
             partial(weighted, metric, rows, shares_of(base, 0.6, 0.2), spread), 2_000)
        for metric in BENEFITS
        for rows in (100, 1_000)
        for base in (0.05, 0.3)
        for spread in (0.3, 1.0)
    )
    + tuple(
        Cell(f"net_benefit difference, {groups} groups of {rows}, {other:g} and 0.1",
             partial(apart, groups, rows, other), 500)
        for groups, rows in ((2, 50), (2, 500), (5, 200))
        for other in (0.05, 0.1, 0.3)
    )
    + tuple(
        Cell(f"{metric}, {persons} persons, {sized}, {base:g}, {within:g} within, {decided}",
             partial(together, metric, persons, sized, alike, base, within), 2_000)
        for metric in BENEFITS
        for persons in (10, 30, 100)
        for sized in SIZES
        for base in (0.05, 0.1, 0.3)
        for within in (0.5,)
        for decided, alike in DECIDED.items()
    ),
)  # fmt: skip
