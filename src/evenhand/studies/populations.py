"""Populations of models: what changes from seed to seed, what compression changes beyond it, and whose rows pay.

One pair of models proves little: two originals that differ in nothing but their seed decide some rows differently, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.findings import Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.metrics.catalogue.lists import stated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping

NAME: Final = "population"
LEAST_FOR_SPREAD: Final = 3
"""Seeds below which no interval over seeds is stated."""


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Decisions of S originals, and of S models made of them by one candidate, on the same n rows."""

    name: str
    """The candidate's name."""
    originals: NDArray[np.int64]
    """(S, n) decisions of the originals, a seed each."""
    compressed: NDArray[np.int64]
    """(S, n) decisions of what was made of them."""


def noise(
    originals: NDArray[np.int64], data: EvaluationSet, groupings: tuple[Grouping, ...], level: float
) -> Iterator[Finding]:
    """Yield how often two originals of different seeds differ, and how far each rate spreads: the noise floor."""
    pairs = list(combinations(range(len(originals)), 2))
    if not pairs:
        return
    said = message("Over {seeds} seeds.", seeds=len(originals))
    differs = {pair: originals[pair[0]] != originals[pair[1]] for pair in pairs}
    for labels, inside in parts(data, groupings):
        n = int(inside.sum())
        shares = {pair: float(where[inside].mean()) for pair, where in differs.items()}
        estimate = float(np.mean(list(shares.values())))
        interval = _jackknife(shares, len(originals), level)
        yield finding(Key.of("flip_rate", labels, between="seeds"), estimate, interval, n, said)
        for rate in rates_of(data):
            values = rates(rate, data.y_true[inside], originals[:, inside])
            if np.isfinite(values).all() and len(values) >= 2:
                key = Key.of(f"{rate}_spread", labels, between="seeds")
                yield finding(key, float(np.std(values, ddof=1)), None, n, said)


def over_seeds(
    population: Population, data: EvaluationSet, groupings: tuple[Grouping, ...], level: float
) -> Iterator[Finding]:
    """Yield the mean change of each rate, and the mean flip rate, over the seeds, with Student's interval over them.

    The rows are the same for every seed, so the interval is about other seeds on these rows, not about other rows.
    """
    said = message("Over {seeds} seeds.", seeds=len(population.originals))
    for labels, inside in parts(data, groupings):
        n, truth = int(inside.sum()), data.y_true[inside]
        old, new = population.originals[:, inside], population.compressed[:, inside]
        figures = {"flip_rate": (old != new).mean(axis=1)}
        figures |= {f"{rate}_change": rates(rate, truth, new) - rates(rate, truth, old) for rate in rates_of(data)}
        for metric, values in figures.items():
            if np.isfinite(values).all():
                key = Key.of(metric, labels, of="original", over="seeds", recipe=population.name)
                interval = student(values, level)
                if metric == "flip_rate" and interval is not None:
                    interval = replace(interval, low=max(interval.low or 0.0, 0.0))
                yield finding(key, float(values.mean()), interval, n, said)


def rates_of(data: EvaluationSet) -> tuple[str, ...]:
    """Return the rates that make sense: of several classes accuracy alone."""
    return stated("spread")[: None if data.task == "binary" else 1]


def rates(rate: str, truth: NDArray[np.int64], decisions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a rate of each model (S,) on the same rows; nan where it has no row in its denominator."""
    if rate == "accuracy":
        return np.asarray((decisions == truth).mean(axis=1))
    if rate == "selection_rate":
        return np.asarray((decisions == 1).mean(axis=1))
    positive = truth == 1
    if not positive.any():
        return np.full(len(decisions), np.nan)
    return np.asarray((decisions[:, positive] == 1).mean(axis=1))


def parts(
    data: EvaluationSet, groupings: tuple[Grouping, ...]
) -> Iterator[tuple[Mapping[str, str], NDArray[np.bool_]]]:
    """Yield (labels, rows) of all rows and of every group."""
    yield {}, np.ones(len(data.y_true), dtype=bool)
    for grouping in groupings:
        for group, names in enumerate(grouping.labels):
            inside = grouping.codes == group
            if inside.any():
                yield dict(zip(grouping.columns, names, strict=True)), inside


def student(values: NDArray[np.float64], level: float) -> Interval | None:
    """Return Student's interval of a mean over seeds; None with too few of them, or where all are equal."""
    from scipy.special import stdtrit

    n = len(values)
    if n < LEAST_FOR_SPREAD or np.ptp(values) == 0:
        return None
    half = float(stdtrit(n - 1, 0.5 + level / 2) * values.std(ddof=1) / np.sqrt(n))
    mean = float(values.mean())
    return Interval(mean - half, mean + half, level, "student over seeds")


def _jackknife(shares: Mapping[tuple[int, int], float], seeds: int, level: float) -> Interval | None:
    """Return the interval of a mean over all pairs of seeds: pairs share seeds, so the jackknife leaves out seeds."""
    from scipy.special import stdtrit

    if seeds < LEAST_FOR_SPREAD:
        return None
    whole = float(np.mean(list(shares.values())))
    without = np.array([np.mean([s for pair, s in shares.items() if seed not in pair]) for seed in range(seeds)])
    error = float(np.sqrt((seeds - 1) / seeds * ((without - without.mean()) ** 2).sum()))
    half = float(stdtrit(seeds - 1, 0.5 + level / 2)) * error
    return Interval(max(whole - half, 0.0), min(whole + half, 1.0), level, "jackknife over seeds")


def finding(key: Key, estimate: float, interval: Interval | None, rows: int, note: str) -> Finding:
    """Return a finding about a population: a p-value, else a share."""
    return Finding(
        key, NAME, estimate, interval, support=rows, direction=describe(key.metric).direction,
        unit="number" if key.metric == "p_value" else "share", groups=(GroupValue("", estimate, rows, rows),),
        component=key.metric, note=note,
    )  # fmt: skip
