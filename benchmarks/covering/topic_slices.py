"""The slice search: how often it finds what is not there, and the ends of what is stated of slices that it finds.

Where no slice is worse, `above` is the share of searches that find any. Where one is, the rounds are the slices that
were found, each with its true difference from the other rows.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome

from evenhand.metrics.slices import permuting
from evenhand.metrics.slices.effects import effect
from evenhand.metrics.slices.lattice import Rows
from evenhand.metrics.slices.search import find_slices

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = tuple[Rows, np.ndarray]
    """Rows, and the true rate of each."""

VALUES: Final = 4
LEVEL: Final = 0.95


def table(
    rng: np.random.Generator, rate: float, worse: float = 0.0, *, n: int = 1_200, planted: int = 1, features: int = 4
) -> Made:
    """Make independent rows; those with value 0 in the first features have the worse rate."""
    codes = [rng.integers(0, VALUES, n).astype(np.int32) for _ in range(features)]
    true = np.where(np.all([code == 0 for code in codes[:planted]], axis=0), rate + worse, rate)
    return Rows(codes, [VALUES] * features, rng.random(n) < true), true


def weighted(rng: np.random.Generator, rate: float, worse: float = 0.0, *, kind: str, n: int = 1_200) -> Made:
    """Make weighted rows: weights by chance, by a feature, or three times as large where the outcome is an event."""
    rows, true = table(rng, rate, worse, n=n)
    weight = rng.lognormal(0, 0.7, n)
    if kind == "by a feature":
        weight = 2.0 ** rows.codes[1] * rng.uniform(0.8, 1.2, n)
    elif kind == "of events":
        weight = np.where(rows.marks, 3.0, 1.0) * rng.uniform(0.5, 1.5, n)
        true = 3 * true / (1 + 2 * true)  # the rate by weight
    return Rows(rows.codes, rows.sizes, rows.marks, weight), true


def persons(
    rng: np.random.Generator,
    rate: float,
    worse: float = 0.0,
    *,
    number: int = 300,
    each: int = 10,
    constant: int = 4,
    unequal: bool = False,
    weights: bool = False,
) -> Made:
    """Make persons with a correlation of .3 within each; the first features are constant for a person."""
    sizes = rng.geometric(1 / each, number) if unequal else np.full(number, each)
    who = np.repeat(np.arange(number), sizes)
    n, alike = len(who), 0.3 / 0.7
    codes = [rng.integers(0, VALUES, number)[who] if at < constant else rng.integers(0, VALUES, n) for at in range(4)]
    mean = np.where(codes[0] == 0, rate + worse, rate)
    of_person = mean[np.cumsum(sizes) - sizes]
    marks = rng.random(n) < rng.beta(of_person / alike, (1 - of_person) / alike)[who]
    weight = rng.lognormal(0, 0.5, number)[who] if weights else None
    return Rows([code.astype(np.int32) for code in codes], [VALUES] * 4, marks, weight, who), mean


def gap(rng: np.random.Generator, rate: float, worse: float = 0.0, *, n: int = 2_000) -> Made:
    """Make two groups, the higher with a rate that is .1 higher, and by `worse` more in one slice."""
    codes = [rng.integers(0, VALUES, n).astype(np.int32) for _ in range(4)]
    group = rng.random(n) < 0.5
    true = rate + 0.1 * (codes[1] == 0) + (0.1 + worse * (codes[0] == 0)) * group
    return Rows(codes, [VALUES] * 4, rng.random(n) < true, group=group), true


def none(make: Callable[[np.random.Generator], Made], rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate searches where no slice is worse."""
    found = []
    for seed in range(rounds):
        rows, _ = make(rng)
        found.append(bool(find_slices(rows, least_rows=_least(rows), seed=seed).slices))
    return Outcome(float(np.mean(found)), 0.0, rounds=rounds)


def some(make: Callable[[np.random.Generator], Made], rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate what is stated of the slices that are found."""
    ends, truths = [], []
    for seed in range(rounds):
        rows, true = make(rng)
        search = find_slices(rows, least_rows=_least(rows), seed=seed)
        for part in search.slices:
            held, inside = effect(part, search, rows, LEVEL), part.members(rows.codes)
            ends.append((held.low, held.high))
            truths.append(_truth(rows, true, inside))
    return outcome(*np.array(ends).T, np.array(truths))


def sampled(rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate searches that are too costly, so that some of the rows are permuted."""
    budget, permuting.BUDGET = permuting.BUDGET, 1_500_000  # type: ignore[misc]
    try:
        return none(partial(table, rate=0.2, n=4_800), rng, rounds)
    finally:
        permuting.BUDGET = budget  # type: ignore[misc]


def _least(rows: Rows) -> int:
    return max(15, len(rows) // (100 * rows.groups))


def _truth(rows: Rows, true: np.ndarray, inside: np.ndarray) -> float:
    mass = np.ones(len(rows)) if rows.clusters is None else rows.mass  # weights of single rows say nothing of them
    if rows.group is not None:
        high, low = (true[inside & (rows.group == side)].mean() for side in (True, False))
        return float(high - low)
    return float(np.average(true[inside], weights=mass[inside]) - np.average(true[~inside], weights=mass[~inside]))


NOTHING: Final[dict[str, Callable[[np.random.Generator], Made]]] = {
    "rate .25": partial(table, rate=0.25),
    "rate .05": partial(table, rate=0.05),
    "rate .9": partial(table, rate=0.9),
    "300 persons with 10 rows, features constant": partial(persons, rate=0.2),
    "300 persons with 10 rows, half of the features vary": partial(persons, rate=0.2, constant=2),
    "150 persons with unequal rows": partial(persons, rate=0.2, number=150, each=8, unequal=True),
    "weights by chance": partial(weighted, rate=0.2, kind="by chance"),
    "weights by a feature": partial(weighted, rate=0.2, kind="by a feature"),
    "weights of events": partial(weighted, rate=0.1, kind="of events"),
    "weighted persons": partial(persons, rate=0.2, number=200, each=6, weights=True),
    "gap": partial(gap, rate=0.3),
    "two features, so that tables are drawn": partial(table, rate=0.2, features=2),
    "gap, 12,000 rows, so that tables are drawn": partial(gap, rate=0.3, n=12_000),
}
WORSE: Final[dict[str, Callable[[np.random.Generator], Made]]] = {
    "6 %, .25 against .15, 5,000 rows": partial(table, rate=0.15, worse=0.1, n=5_000, planted=2),
    "6 %, .4 against .15, 2,000 rows": partial(table, rate=0.15, worse=0.25, n=2_000, planted=2),
    "6 %, .15 against .03, 2,500 rows": partial(table, rate=0.03, worse=0.12, n=2_500, planted=2),
    "25 %, .98 against .85": partial(table, rate=0.85, worse=0.13),
    "25 %, .5 against .2, 300 persons with 10 rows": partial(persons, rate=0.2, worse=0.3),
    "25 %, .4 against .1, 200 persons with unequal rows": partial(
        persons, number=200, rate=0.1, worse=0.3, unequal=True
    ),
    "25 %, .35 against .2, weights by chance": partial(weighted, rate=0.2, worse=0.15, kind="by chance", n=2_000),
    "25 %, weights of events": partial(weighted, rate=0.1, worse=0.15, kind="of events", n=2_000),
    "25 %, gap .45 against .1": partial(gap, rate=0.3, worse=0.35),
    "25 %, .35 against .2, two features": partial(table, rate=0.2, worse=0.15, features=2),
}
TOPIC: Final = Topic(
    "slices",
    tuple(f"src/evenhand/metrics/slices/{name}.py" for name in ("effects", "lattice", "permuting", "search", "tables")),
    (
        *(Cell(f"no weak slice, {name}", partial(none, make), 400) for name, make in NOTHING.items()),
        Cell("no weak slice, some rows permuted", sampled, 300),
        *(Cell(f"found, {name}", partial(some, make), 250) for name, make in WORSE.items()),
    ),
)
