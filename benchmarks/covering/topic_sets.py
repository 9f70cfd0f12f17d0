"""Two sets of rows, fitted and evaluated: rows of one that are in the other, accuracy, and shares of a population."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic, outcome
from draws import codes_of
from scipy.stats import norm

from evenhand.data.checks import twins
from evenhand.metrics import Tally, compare, measure, roc_auc
from evenhand.metrics.comparisons.two_sets import gap_of_sets, seen_excess
from evenhand.metrics.inference.intervals import clopper_pearson, sidak_z

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics import Measured

KINDS: Final[dict[str, Callable[[int], np.ndarray]]] = {
    "a million kinds": lambda n: np.full(1_000_000, 1e-6),
    "as many kinds as rows times 30": lambda n: np.full(30 * n, 1 / (30 * n)),
    "as many kinds as rows": lambda n: np.full(n, 1 / n),
    "a tenth as many kinds": lambda n: np.full(n // 10, 10 / n),
    "kinds by Zipf's law": lambda n: 1 / np.arange(1, 20 * n + 1) / (1 / np.arange(1, 20 * n + 1)).sum(),
}
"""How likely a row is to be of each kind; rows of one kind are equal."""


def seen(kinds: str, fitted: int, judged: int, leaked: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate evaluation rows of which a share are copies of fitted ones."""
    chance = KINDS[kinds](fitted)
    below = np.cumsum(chance)
    ends, truth = [], np.empty(rounds)
    for at in range(rounds):
        drawn = np.minimum(np.searchsorted(below, rng.random(fitted + judged), "right"), len(chance) - 1)
        theirs, mine = drawn[:fitted], drawn[fitted:]
        there = rng.random(judged) < leaked
        mine[there] = rng.choice(theirs, int(there.sum()))
        found = twins(mine.astype(np.uint64), theirs.astype(np.uint64))
        ends.append(seen_excess((found.seen, found.rows), (found.alike, found.others, found.pairs), 0.95)[1:])
        truth[at] = leaked * (1 - chance[np.unique(theirs)].sum())
    return outcome(*np.array(ends).T, truth)


def measured(hits: np.ndarray, rows: int) -> Measured:
    """Return (G,) the accuracy of groups of so many rows each."""
    cells = np.zeros((len(hits), 2, 2), dtype=np.int64)
    cells[:, 1, 0], cells[:, 1, 1] = rows - hits, hits
    return measure("accuracy", Tally(cells))


def accuracy(fitted: int, judged: int, there: float, here: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the gap in accuracy between fitted rows and others."""
    sides = (measured(rng.binomial(n, rate, rounds), n) for n, rate in ((fitted, there), (judged, here)))
    found = gap_of_sets("generalization_gap", *sides, 0.95, "none")
    return outcome(found.low, found.high, there - here)


def area(fitted: int, judged: int, there: float, here: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the gap in the area under the ROC curve, of a third positives."""
    sides = []
    for n, value in ((fitted, there), (judged, here)):
        true = np.tile(np.arange(n) % 3 == 0, rounds).astype(np.int8)
        score = rng.normal(size=len(true)) + np.sqrt(2) * norm.ppf(value) * true
        sides.append(roc_auc(true, score, codes_of(rounds, n), rounds))
    found = gap_of_sets("generalization_gap", *sides, 0.95, "none")
    return outcome(found.low, found.high, there - here)


def apart(groups: int, rows: int, there: float, here: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the widest difference of gaps over groups, of which the first has none."""
    ends = []
    for _ in range(rounds):
        rates = np.r_[here, np.full(groups - 1, there)]
        sides = (measured(rng.binomial(rows, rate, groups), rows) for rate in (rates, np.full(groups, here)))
        found = compare(gap_of_sets("generalization_gap", *sides, 0.95, "none"), "difference")
        ends.append((found.low, found.high))
    return outcome(*np.array(ends, dtype=float).T, there - here)


def shares(truth: tuple[float, ...], rows: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the shares of groups over declared ones, all at once; an end errs where that of any group does."""
    counts = rng.multinomial(rows, truth, rounds)
    low, high = clopper_pearson(counts, np.full(counts.shape, rows), sidak_z(len(truth), 0.95))
    declared = np.array(truth)
    worst = (low / declared).max(axis=1), (high / declared).min(axis=1)
    return outcome(*worst, 1.0)


POPULATIONS: Final = {
    "2 groups, .5": (0.5, 0.5),
    "2 groups, .01": (0.01, 0.99),
    "5 groups, .6 to .02": (0.6, 0.2, 0.1, 0.08, 0.02),
    "20 groups": (0.05,) * 20,
}
TOPIC: Final = Topic(
    "sets",
    (
        "src/evenhand/metrics/comparisons/two_sets.py",
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/values/ranking_curves.py",
        "src/evenhand/metrics/values/rates.py",
    ),
    tuple(
        Cell(f"seen_excess_share, {kinds}, {fitted} and {judged}, {leaked:g} leaked",
             partial(seen, kinds, fitted, judged, leaked), 600)
        for kinds in KINDS
        for fitted, judged in ((100, 50), (300, 3_000), (2_000, 500))
        for leaked in (0.0, 0.1)
    )
    + tuple(
        Cell(f"generalization_gap of accuracy, {there:g} and {here:g}, {fitted} and {judged}",
             partial(accuracy, fitted, judged, there, here), 4_000)
        for there, here in ((0.9, 0.9), (1.0, 0.6), (0.995, 0.97), (0.97, 0.03))
        for fitted, judged in ((1, 1), (10, 10), (30, 10), (300, 100))
    )
    + tuple(
        Cell(f"generalization_gap of roc_auc, {there:g} and {here:g}, {fitted} and {judged}",
             partial(area, fitted, judged, there, here), 1_000)
        for there, here in ((0.5, 0.5), (0.999, 0.8))
        for fitted, judged in ((30, 30), (300, 60))
    )
    + tuple(
        Cell(f"generalization_gap difference of accuracy, {there:g} and {here:g}, {groups} groups of {rows}",
             partial(apart, groups, rows, there, here), 500)
        for there, here in ((0.8, 0.8), (0.99, 0.8))
        for groups, rows in ((2, 30), (5, 100))
    )
    + tuple(
        Cell(f"representation_ratio, {name}, {rows} rows", partial(shares, truth, rows), 4_000)
        for name, truth in POPULATIONS.items()
        for rows in (10, 100, 1_000)
    ),
)  # fmt: skip
