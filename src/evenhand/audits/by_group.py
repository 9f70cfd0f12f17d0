"""Compute a metric over all rows, for each group, and between groups."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.audits.statement import disparity_finding, labels_of, value_finding
from evenhand.keys import Key
from evenhand.metrics import METRICS, SCORES, Tally, compare, measure
from evenhand.metrics.catalogue.names import hows_of
from evenhand.metrics.values.undefined import of_one_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding, Unit
    from evenhand.metrics import Measured
    from evenhand.metrics.answers.answering import Answers
    from evenhand.metrics.catalogue.entry import How


@dataclass(frozen=True, slots=True)
class Quantity:
    """A metric and how it is measured for any grouping."""

    metric: str
    """The canonical name."""
    measure: Callable[[Grouping | None], Measured]
    """Measures it for the groups of a grouping; for all rows, as one group, without one."""
    unit: Unit = "share"
    """Its scale."""
    qualifiers: Mapping[str, str] = field(default_factory=dict)
    """Qualifiers of its keys, such as the class it is about."""
    hows: tuple[How, ...] | None = None
    """The comparisons between groups; all that apply when absent."""
    about: Callable[[Grouping], bool] = lambda _: True
    """Whether it says something of the groups of a grouping."""


def over_rows(evidence: Evidence, compute: Callable[..., Measured]) -> Callable[[Grouping | None], Measured]:
    """Return the measuring function for groupings, given a function of group codes and the number of groups."""

    def measured(grouping: Grouping | None) -> Measured:
        if grouping is None:
            return compute(np.zeros(len(evidence.data), dtype=np.int32), 1)
        return _noted(evidence, grouping, compute(grouping.codes, len(grouping.labels)))

    return measured


def codes_of(grouping: Grouping | None, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return the group of each of some rows, and the number of groups; all are one group without a grouping."""
    if grouping is None:
        return np.zeros(len(rows), dtype=np.int64), 1
    return grouping.codes[rows].astype(np.int64), len(grouping.labels)


def worth_of(evidence: Evidence, rows: NDArray[np.int64]) -> dict[str, NDArray[Any] | None]:
    """Return what each of some rows is worth: weight, frequency and cluster, as far as they have one."""
    return {name: None if held is None else held[rows] for name, held in evidence.worth.items()}


def share_of(
    evidence: Evidence, hits: NDArray[np.bool_], rows: NDArray[np.int64], grouping: Grouping | None, none: str = ""
) -> Measured:
    """Return how often some rows are hits, with what each row is worth; `none` says what a group without rows lacks."""
    codes, groups = codes_of(grouping, rows)
    weight, frequency, clusters = worth_of(evidence, rows).values()
    marks = hits.astype(np.int8)
    found = measure(
        "selection_rate", Tally.count(marks, marks, codes, groups, weight, frequency, clusters), evidence.options.level
    )
    return replace(found, reason=tuple(none if why else "" for why in found.reason)) if none else found


def of_scores(evidence: Evidence, metric: str) -> Callable[[Grouping | None], Measured]:
    """Return the measuring function of a score metric."""
    said = evidence.predictions
    compute = partial(SCORES[metric], said.y_true, said.y_score, level=evidence.options.level, **evidence.worth)
    return over_rows(evidence, compute)


def state(
    evidence: Evidence, audit: str, quantity: Quantity, groupings: Sequence[Grouping] | None = None
) -> Iterator[Finding]:
    """State a metric over all rows, for each group of every grouping, and between groups."""
    level, metric, unit, qualifiers = evidence.options.level, quantity.metric, quantity.unit, quantity.qualifiers
    hows = hows_of(METRICS[metric]) if quantity.hows is None else quantity.hows
    yield from values(audit, metric, quantity.measure(None), None, level, unit, **qualifiers)
    for grouping in filter(quantity.about, evidence.groupings if groupings is None else groupings):
        found = quantity.measure(grouping)
        yield from values(audit, metric, found, grouping, level, unit, **qualifiers)
        yield from between(audit, metric, found, hows, grouping, level, unit, **qualifiers)


def _noted(evidence: Evidence, grouping: Grouping, found: Measured) -> Measured:
    """Return values that say of which groups all rows are of one cluster, where nothing is said of them yet."""
    clusters, groups = evidence.data.clusters, len(grouping.labels)
    if clusters is None or found.note:
        return found
    pairs = np.unique(np.column_stack([grouping.codes, clusters]), axis=0)
    there = np.bincount(pairs[:, 0], minlength=groups)
    alone = of_one_cluster(there, np.bincount(grouping.codes, minlength=groups))
    said = found.uncovered or ("",) * groups
    return replace(found, note=tuple("" if why else note for why, note in zip(said, alone, strict=False)))


def values(
    audit: str, metric: str, found: Measured, grouping: Grouping | None, level: float, unit: Unit = "share",
    **qualifiers: str,
) -> Iterator[Finding]:  # fmt: skip
    """State a metric for each group; for all rows without a grouping."""
    for group in range(len(found.estimate)):
        yield value_finding(Key.of(metric, labels_of(grouping, group), **qualifiers), audit, found, group, level, unit)


def between(
    audit: str, metric: str, found: Measured, hows: Iterable[How], grouping: Grouping, level: float,
    unit: Unit = "share", **qualifiers: str,
) -> Iterator[Finding]:  # fmt: skip
    """State how a metric differs between groups."""
    for how in hows:
        key = Key.of(f"{metric}_{how}", grouping.columns, **qualifiers)
        yield disparity_finding(key, audit, compare(found, how, level), grouping, level, unit)


def selected(evidence: Evidence, grouping: Grouping) -> tuple[str, Tally]:
    """Return the rate of the favourable outcome, and its tally."""
    favourable = evidence.favourable_tally(grouping)
    return ("selection_rate", evidence.tally(grouping)) if favourable is None else ("favourable_rate", favourable)


def counted(
    answer: Answers, evidence: Evidence, metric: str, hows: tuple[How, ...] | None = None, **qualifiers: str
) -> Iterator[Finding]:
    """State a metric of counts over all rows, for each group of every grouping, and between groups."""
    yield from answer.of_groups(metric, (), **qualifiers)
    for grouping in evidence.groupings:
        yield from answer.of_groups(metric, grouping.columns, **qualifiers)
        for how in hows_of(METRICS[metric]) if hows is None else hows:
            yield from answer.all([Key.of(f"{metric}_{how}", grouping.columns, **qualifiers)])
