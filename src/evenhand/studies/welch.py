"""Which classes and groups a population of compressed models serves worse, beyond the loss of all.

The comparison is that of Hooker et al. (2019), arXiv 1911.05248.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.findings import Finding, Interval
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.comparisons.significance import benjamini_hochberg, holm
from evenhand.studies.populations import Population, finding, parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping

ADJUSTED: Final = {"holm": holm, "benjamini-hochberg": benjamini_hochberg}


def normalized(
    population: Population, data: EvaluationSet, groupings: tuple[Grouping, ...], names: tuple[str, ...], level: float
) -> Iterator[Finding]:
    """Yield Welch's comparison of (rate - the model's accuracy), of every class and of every group.

    The p-values are adjusted within the classes, and within the groups of one grouping.
    """
    overall = {who: (part == data.y_true).mean(axis=1) for who, part in _both(population)}
    families: list[list[tuple[str, dict[str, str], dict[str, str], NDArray[np.bool_]]]] = [
        [("normalized_recall_change", {}, {"class": name}, data.y_true == at) for at, name in enumerate(names)]
    ]
    families += [
        [("excess_accuracy_change", dict(labels), {}, inside) for labels, inside in parts(data, (grouping,)) if labels]
        for grouping in groupings
    ]
    for family in families:
        yield from _family(population, data, overall, family, level)


def _both(population: Population) -> tuple[tuple[str, NDArray[np.int64]], ...]:
    return ("old", population.originals), ("new", population.compressed)


def _family(
    population: Population,
    data: EvaluationSet,
    overall: Mapping[str, NDArray[np.float64]],
    family: list[tuple[str, dict[str, str], dict[str, str], NDArray[np.bool_]]],
    level: float,
) -> Iterator[Finding]:
    compared, told = [], []
    for metric, labels, qualifiers, inside in family:
        if inside.any():
            values = {
                who: (part[:, inside] == data.y_true[inside]).mean(axis=1) - overall[who]
                for who, part in _both(population)
            }
            compared.append(welch(values["old"], values["new"], level))
            told.append((metric, labels, qualifiers, int(inside.sum())))
    adjusted = {name: how(np.array([p for *_, p in compared])) for name, how in ADJUSTED.items()}
    for at, ((metric, labels, qualifiers, n), (change, interval, p)) in enumerate(zip(told, compared, strict=True)):
        more = {**qualifiers, "of": "original", "over": "seeds", "recipe": population.name}
        said = message("Welch's test over {seeds} seeds.", seeds=len(population.originals))
        yield finding(Key.of(metric, labels, **more), change, interval, n, said)
        yield finding(Key.of("p_value", labels, **more, rate=metric), p, None, n, "")
        for name, found in adjusted.items():
            yield finding(Key.of("p_value", labels, **more, rate=metric, adjusted=name), float(found[at]), None, n, "")


def welch(old: NDArray[np.float64], new: NDArray[np.float64], level: float) -> tuple[float, Interval | None, float]:
    """Return the difference of two means, new less old, with Welch's interval and p-value (Welch 1947, Biometrika 34).

    Where neither sample has any spread there is no interval, and the p-value is 1 for equal means and 0 for others.

    Examples
    --------
    >>> change, interval, p = welch(np.array([0.8, 0.82, 0.81]), np.array([0.7, 0.73, 0.71]), 0.95)
    >>> round(change, 3), round(interval.low, 3), round(interval.high, 3), round(p, 4)
    (-0.097, -0.128, -0.065, 0.0015)
    """
    from scipy.special import stdtr, stdtrit

    change = float(new.mean() - old.mean())
    parts = [float(part.var(ddof=1)) / len(part) if len(part) > 1 else 0.0 for part in (old, new)]
    error = float(np.sqrt(sum(parts)))
    if error == 0:
        return change, None, 1.0 if change == 0 else 0.0
    freedom = sum(parts) ** 2 / sum(part**2 / (len(who) - 1) for part, who in zip(parts, (old, new), strict=True))
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    return (
        change,
        Interval(change - half, change + half, level, "welch"),
        float(2 * stdtr(freedom, -abs(change) / error)),
    )
