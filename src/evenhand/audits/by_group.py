"""The common course of every metric: over all rows, for each group, between groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.statement import disparity_finding, value_finding
from evenhand.keys import Key
from evenhand.metrics import METRICS, compare
from evenhand.metrics.catalogue.names import How, hows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding, Unit
    from evenhand.metrics import Measured


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
    """The ways in which groups are compared; all that make sense when absent."""


def over_rows(evidence: Evidence, compute: Callable[..., Measured]) -> Callable[[Grouping | None], Measured]:
    """Return what measures for a grouping, from a function of the groups of rows and their number."""

    def measured(grouping: Grouping | None) -> Measured:
        if grouping is None:
            return compute(np.zeros(len(evidence.data), dtype=np.int32), 1)
        return compute(grouping.codes, len(grouping.labels))

    return measured


def state(evidence: Evidence, audit: str, quantity: Quantity) -> Iterator[Finding]:
    """State a metric over all rows, for each group of every grouping, and between groups."""
    level, metric, qualifiers = evidence.options.level, quantity.metric, quantity.qualifiers
    yield value_finding(Key.of(metric, **qualifiers), audit, quantity.measure(None), 0, level, quantity.unit)
    hows = hows_of(METRICS[metric]) if quantity.hows is None else quantity.hows
    for grouping in evidence.groupings:
        found = quantity.measure(grouping)
        for group in range(len(grouping.labels)):
            labels = dict(zip(grouping.columns, grouping.labels[group], strict=True))
            yield value_finding(Key.of(metric, labels, **qualifiers), audit, found, group, level, quantity.unit)
        for how in hows:
            key = Key.of(f"{metric}_{how}", grouping.columns, **qualifiers)
            yield disparity_finding(key, audit, compare(found, how, level), grouping, level, quantity.unit)
