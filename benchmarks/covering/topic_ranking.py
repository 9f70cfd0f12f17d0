"""Metrics of ordered lists: quality of the order over lists, exposure of groups whose items share lists."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome

from evenhand.metrics import compare
from evenhand.metrics.values.lists import measured_changes, measured_lift, measured_lists
from evenhand.metrics.values.ranking import exposure, exposure_to_merit, ndcg

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics import Measured

LISTS: Final = (10, 30, 100)
ITEMS: Final = 8
MODELS: Final = {"good": 0.3, "poor": 2.0}
"""The noise of the score by which items are ordered."""


def drawn(noise: float, lists: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return relevance (mostly 0, as clicks are), score, list and group of items; one group in three has fewer."""
    size = lists * ITEMS
    quality = rng.normal(size=size)
    relevance = (quality + rng.normal(size=size) > 1.5).astype(float)
    codes = (np.arange(size) % ITEMS >= 6).astype(np.int32)
    return relevance, quality + noise * rng.normal(size=size) - 0.3 * codes, np.repeat(np.arange(lists), ITEMS), codes


def quality(noise: float, at: int | None, *rows: np.ndarray) -> Measured:
    """Measure NDCG."""
    return ndcg(*rows[:3], at=at)


def attention(noise: float, at: int | None, *rows: np.ndarray) -> Measured:
    """Measure the exposure of both groups."""
    return exposure(*rows[1:], 2)


def merit(noise: float, at: int | None, *rows: np.ndarray) -> Measured:
    """Measure the exposure of both groups per relevance."""
    return exposure_to_merit(*rows, 2)


MEASURES: Final[dict[str, tuple[Callable[..., Measured], int | None]]] = {
    "ndcg": (quality, None), "ndcg at 5": (quality, 5), "exposure": (attention, None),
    "exposure_to_merit": (merit, None),
}  # fmt: skip


@cache
def true_values(name: str, model: str) -> tuple[float, ...]:
    """Return the values over 60,000 lists."""
    measure, at = MEASURES[name]
    return tuple(measure(0, at, *drawn(MODELS[model], 60_000, np.random.default_rng(1))).estimate.tolist())


def of_group(name: str, model: str, lists: int, group: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the value of a group; of all lists where there are none."""
    measure, at = MEASURES[name]
    found = [measure(0, at, *drawn(MODELS[model], lists, rng)) for _ in range(rounds)]
    low, high = np.array([[each.low[group], each.high[group]] for each in found]).T
    return outcome(low, high, true_values(name, model)[group])


def gap(name: str, model: str, lists: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the difference of both groups."""
    measure, at = MEASURES[name]
    found = [compare(measure(0, at, *drawn(MODELS[model], lists, rng)), "difference") for _ in range(rounds)]
    low, high = np.array([[each.low, each.high] for each in found], dtype=float).T
    return outcome(low, high, float(np.ptp(true_values(name, model))))


def of_lists(kind: str, lists: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a mean over lists that mostly are at one end, each round a group."""
    size, codes = lists * rounds, np.repeat(np.arange(rounds), lists)
    some = np.where(rng.random(size) < 0.8, 0.0, rng.beta(0.5, 5, size))
    if kind == "recall, mostly none":
        truth, found = 0.2 / 11, measured_lists("recall_at_k", some, codes, rounds)
    elif kind == "recall, mostly all":
        truth, found = 1 - 0.2 / 11, measured_lists("recall_at_k", 1 - some, codes, rounds)
    elif kind == "change, rare losses":
        truth, found = -0.2 / 11, measured_changes("ndcg_change", -some, codes, rounds)
    elif kind == "change, skew losses":
        signs = np.where(rng.random(size) < 0.2, 1, -1) * (rng.random(size) < 0.6)
        truth, found = -0.6 * 0.6 / 11, measured_changes("ndcg_change", signs * rng.beta(0.3, 3, size), codes, rounds)
    else:
        one, other = rng.normal(size=(2, size))
        past, shown = np.exp(4 + 0.5 * one), np.exp(4.5 + 0.4 * (0.5 * one + 0.75**0.5 * other))
        truth, found = float(np.exp(0.5 + 0.08 - 0.125) - 1), measured_lift(shown, past, codes, rounds)
    return outcome(found.low, found.high, truth)


KINDS: Final = (
    "recall, mostly none", "recall, mostly all", "change, rare losses", "change, skew losses", "popularity lift",
)  # fmt: skip

TOPIC: Final = Topic(
    "ranking",
    (
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/inference/skewed.py",
        "src/evenhand/metrics/values/lists.py",
        "src/evenhand/metrics/values/means.py",
        "src/evenhand/metrics/values/ordering.py",
        "src/evenhand/metrics/values/quotients.py",
        "src/evenhand/metrics/values/ranking.py",
        "src/evenhand/metrics/values/units.py",
    ),
    tuple(
        Cell(f"{name}, {model} order, {lists} lists{', the smaller group' if group else ''}",
             partial(of_group, name, model, lists, group), 1_500)
        for name in MEASURES
        for model in MODELS
        for lists in LISTS
        for group in ((0,) if name.startswith("ndcg") else (0, 1))
    )
    + tuple(
        Cell(f"{name} difference, {model} order, {lists} lists", partial(gap, name, model, lists), 600)
        for name in ("exposure", "exposure_to_merit")
        for model in MODELS
        for lists in LISTS
    )
    + tuple(
        Cell(f"{kind}, {lists} lists", partial(of_lists, kind, lists), 4_000)
        for kind in KINDS
        for lists in (10, 20, 40, 100, 300)
    ),
)  # fmt: skip
