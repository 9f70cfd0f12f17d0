"""Exemplars of compression: rows that compressed models, taken together, decide differently from the originals.

Hooker et al. (2019), arXiv 1911.05248, call a row an exemplar when the modal decisions of the two populations differ;
Hooker et al. (2020), arXiv 2010.03058, rank rows by the distance between the two populations' label frequencies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.findings import Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import Tally, describe, measure
from evenhand.metrics.answers.findings import value_finding
from evenhand.metrics.inference.intervals import ratio_interval
from evenhand.studies.populations import NAME, Population, parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping
    from evenhand.metrics import Measured

LEAST: Final = 10
"""Models of each population below which a modal decision reflects seeds more than compression."""


def frequencies(decisions: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Return (n, C) the share of the models that decide for each class."""
    return np.stack([(decisions == c).mean(axis=0) for c in range(classes)], axis=1)


def modal(decisions: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return (n,) the class that most models decide for; -1 where two are decided for equally often."""
    shares = np.sort(frequencies(decisions, classes), axis=1)
    tied = np.isclose(shares[:, -1], shares[:, -2])
    return np.where(tied, -1, frequencies(decisions, classes).argmax(axis=1))


def exemplars(population: Population, classes: int = 2) -> NDArray[np.bool_]:
    """Return (n,) whether the modal decisions of the two populations differ; a population without a mode does not."""
    old, new = (modal(part, classes) for part in (population.originals, population.compressed))
    return np.asarray((old != new) & (old >= 0) & (new >= 0))


def taxicab(population: Population, classes: int = 2) -> NDArray[np.float64]:
    """Return (n,) the sum over classes of |difference of label frequencies| of the two populations: from 0 to 2.

    Examples
    --------
    >>> taxicab(Population("", np.array([[0], [0]]), np.array([[0], [1]]))).tolist()
    [1.0]
    """
    old, new = (frequencies(part, classes) for part in (population.originals, population.compressed))
    return np.asarray(np.abs(old - new).sum(axis=1))


def represented(
    population: Population, data: EvaluationSet, groupings: tuple[Grouping, ...], level: float
) -> Iterator[Finding]:
    """Yield the share of exemplars in every group, how many times over-represented it is, and how hard they are."""
    classes = 2 if data.task == "binary" else len(data.classes)
    chosen = exemplars(population, classes)
    for labels, inside in parts(data, groupings):
        found = _share(chosen, inside, level)
        key = Key.of("exemplar_rate", labels, recipe=population.name)
        yield value_finding(key, NAME, replace(found, metric="exemplar_rate"), 0, level)
        if labels and not inside.all():
            yield _ratio(population.name, labels, found, _share(chosen, ~inside, level), level)
    if chosen.any():
        for who, decisions in (("original", population.originals), ("compressed", population.compressed)):
            right = float((decisions[:, chosen] == data.y_true[chosen]).mean())
            key = Key.of("accuracy", of=who, recipe=population.name, rows="exemplars")
            yield Finding(key, NAME, right, support=int(chosen.sum()), direction="higher_is_better")


def _share(chosen: NDArray[np.bool_], inside: NDArray[np.bool_], level: float) -> Measured:
    events = chosen[inside].astype(np.int64)
    return measure("selection_rate", Tally.count(np.zeros(len(events), dtype=np.int64), events), level)


def _ratio(recipe: str, labels: Mapping[str, str], own: Measured, rest: Measured, level: float) -> Finding:
    """Return how many times more often a group's rows are exemplars than all others, by exact limits and MOVER-R."""
    key = Key.of("exemplar_ratio", labels, recipe=recipe)
    support, direction = int(own.support[0]), describe("exemplar_ratio").direction
    if rest.estimate[0] == 0:
        said = message("No other row is an exemplar: the ratio is a number over 0.")
        return Finding(key, NAME, None, support=support, direction=direction, unit="ratio", undefined=said)
    low, high = ratio_interval((own.estimate, own.low, own.high), (rest.estimate, rest.low, rest.high))
    estimate = float(own.estimate[0] / rest.estimate[0])
    top = None if not np.isfinite(high[0]) else float(high[0])
    return Finding(
        key, NAME, estimate, Interval(float(low[0]), top, level, "mover-r, clopper-pearson"), support=support,
        direction=direction, unit="ratio", groups=(GroupValue("", estimate, support, support),),
        component="exemplar_ratio",
    )  # fmt: skip
