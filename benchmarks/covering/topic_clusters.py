"""Rates and gaps of rows in clusters: the same persons several times, few of them or with unequal numbers of rows."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome

from evenhand.metrics import Tally, disparity, measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Sizes = Callable[[Floats, np.random.Generator], Ints]
    """From each person's own rate to the number of their rows."""


def tenth(own: Floats, rng: np.random.Generator) -> Ints:
    """Return two rows each, and ten times as many of a tenth of the persons."""
    sizes = np.full(own.shape, 2)
    sizes[..., : max(1, own.shape[-1] // 10)] = 20
    return sizes


SIZES: Final[dict[str, Sizes]] = {
    "10 rows each": lambda own, rng: np.full(own.shape, 10),
    "a tenth with 10 times the rows": tenth,
    "geometric rows": lambda own, rng: rng.geometric(1 / 8, own.shape),
    "4 times the rows above the median": lambda own, rng: np.where(own > np.median(own), 20, 5),
}
FOLLOWING: Final[dict[str, Sizes]] = {
    "up to 41 rows, more the higher the own rate": lambda own, rng: 1 + rng.poisson(40 * own),
    "up to 41 rows, fewer the higher the own rate": lambda own, rng: 1 + rng.poisson(40 * (1 - own)),
}
"""Numbers of rows that follow the rate as closely as they can; 10 persons tell too little of them."""
RATES: Final = tuple(product((0.05, 0.2, 0.5, 0.9), (0.0, 0.1, 0.3, 0.5)))
"""True rates, and correlations within a person."""


def persons(rate: float, within: float, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Return each person's own rate: beta distributed, so that two rows of one are correlated by `within`."""
    if within == 0:
        return np.full(shape, rate)
    strength = 1 / within - 1
    return rng.beta(rate * strength, (1 - rate) * strength, shape)


def tally_of(hits: Ints, rows: Ints) -> Tally:
    """Return the tally of persons (..., groups, persons), whose truth is 1: a hit is a right decision."""
    parts = np.stack([rows - hits, hits], axis=-1).astype(np.float64)
    moments = np.zeros((*parts.shape[:-2], 4, 4))
    moments[..., 2:, 2:] = np.einsum("...ki,...kj->...ij", parts, parts)
    counts = np.zeros((*parts.shape[:-2], 2, 2), dtype=np.int64)
    counts[..., 1, :] = parts.sum(axis=-2)
    return Tally(counts, moments=moments, clusters=(rows > 0).sum(axis=-1))


def truth_of(rate: float, within: float, sizes: Sizes) -> float:
    """Return the true share of hits where persons of other rates have other numbers of rows."""
    rng = np.random.default_rng(0)
    own = persons(rate, within, (1, 1_000_000), rng)
    rows = sizes(own, rng)
    return float((own * rows).sum() / rows.sum())


def alone(number: int, sized: str, rate: float, within: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the accuracy of one group; groups of one tally are rounds."""
    own = persons(rate, within, (rounds, number), rng)
    rows = MORE[sized](own, rng)
    found = measure("accuracy", tally_of(rng.binomial(rows, own), rows))
    truth = rate if sized in ALIKE or within == 0 else truth_of(rate, within, MORE[sized])
    return outcome(found.low, found.high, truth, [bool(why) for why in found.uncovered] or False)


def gate(
    name: str, groups: int, number: int, sized: Sizes, rate: float, within: float, rng: np.random.Generator, rounds: int
) -> Outcome:
    """Simulate a disparity of accuracies that are equal."""
    own = persons(rate, within, (rounds, groups, number), rng)
    rows = sized(own, rng)
    whole = tally_of(rng.binomial(rows, own), rows)
    return _of_rounds(name, whole, {"difference": 0.0, "ratio": 1.0}.get(name.rsplit("_", 1)[-1], rate))


def shared(name: str, number: int, among: int, opposed: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a gap between groups, all with rows of the same persons, who are better in one and worse in the next."""
    effect = rng.uniform(-opposed, opposed, (rounds, 1, number)) * np.where(np.arange(among) % 2, 1, -1)[:, None]
    rows = np.full(effect.shape, 10)
    whole = tally_of(rng.binomial(rows, 0.6 + effect), rows)
    return _of_rounds(name, whole, {"difference": 0.0, "ratio": 1.0}[name.rsplit("_", 1)[-1]], number * (among - 1))


def alike(number: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate balanced accuracy where who is found more often is cleared more often."""
    own = persons(0.7, 0.3, (rounds, number), rng)
    found, cleared = rng.binomial(10, own), rng.binomial(10, own)
    cells = np.stack([cleared, 10 - cleared, 10 - found, found], axis=-1).astype(np.float64)
    moments = np.einsum("rki,rkj->rij", cells, cells)
    counts = cells.sum(axis=1).reshape(-1, 2, 2).astype(np.int64)
    values = measure("balanced_accuracy", Tally(counts, moments=moments, clusters=np.full(rounds, number)))
    return outcome(values.low, values.high, 0.7)


def _of_rounds(name: str, whole: Tally, truth: float, more: int = 0) -> Outcome:
    assert whole.moments is not None
    assert whole.clusters is not None
    tallies = zip(whole.counts, whole.moments, whole.clusters, strict=True)
    found = [disparity(name, Tally(counts, None, None, moments, number, more)) for counts, moments, number in tallies]
    ends = np.array([[one.low, one.high] for one in found], dtype=float).T
    return outcome(*ends, truth, [bool(one.uncovered) for one in found])


GATES: Final = (
    ("accuracy_group_min", 12, 10, "20 rows each", 0.1),
    ("accuracy_group_max", 12, 10, "20 rows each", 0.9),
    ("accuracy_group_max", 12, 30, "geometric rows", 0.9),
    ("accuracy_group_min", 12, 30, "a tenth with 10 times the rows", 0.1),
    ("accuracy_difference", 12, 10, "20 rows each", 0.9),
    ("accuracy_difference", 12, 30, "geometric rows", 0.9),
    ("accuracy_difference", 12, 50, "a tenth with 10 times the rows", 0.5),
    ("accuracy_ratio", 2, 30, "geometric rows", 0.5),
)
ALIKE: Final = ("10 rows each", "a tenth with 10 times the rows", "geometric rows")
"""Numbers of rows that tell nothing of the rate."""
MORE: Final[dict[str, Sizes]] = {**SIZES, **FOLLOWING, "20 rows each": lambda own, rng: np.full(own.shape, 20)}

TOPIC: Final = Topic(
    "clusters",
    (
        "src/evenhand/metrics/inference/unequal.py",
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/values/rates.py",
        "src/evenhand/metrics/comparisons/disparities.py",
        "src/evenhand/metrics/comparisons/pairs.py",
    ),
    (
        *(
            Cell(f"{number} persons, {sized}, {rate:g}, within {within:g}", partial(alone, number, sized, rate, within))
            for number, sized, (rate, within) in product((10, 30, 50, 300), SIZES, RATES)
        ),
        *(
            Cell(f"balanced_accuracy, {number} persons found and cleared alike", partial(alike, number), rounds=2_000)
            for number in (10, 30, 100)
        ),
        *(
            Cell(f"{number} persons, {sized}, {rate:g}, within {within:g}", partial(alone, number, sized, rate, within))
            for number, sized, (rate, within) in product(
                (30, 50, 300), FOLLOWING, ((0.05, 0.3), (0.2, 0.5), (0.5, 0.3))
            )
        ),
        *(
            Cell(
                f"{name}, {groups} groups of {number} persons, {sized}, {rate:g}, within {within:g}",
                partial(gate, name, groups, number, MORE[sized], rate, within),
                rounds=1_000,
            )
            for (name, groups, number, sized, rate), within in product(GATES, (0.1, 0.3, 0.5))
        ),
        *(
            Cell(
                f"{name}, {among} groups of the same {number} persons, effects opposed by up to {by:g}",
                partial(shared, name, number, among, by),
                rounds=2_000,
            )
            for name, (number, among), by in product(
                ("accuracy_difference", "accuracy_ratio"), ((20, 2), (50, 2), (300, 2), (100, 4)), (0.1, 0.35)
            )
        ),
    ),
)
"""Accuracies of one group, gates over twelve, and groups that share persons."""
