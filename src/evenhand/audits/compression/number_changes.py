"""Findings of predicted numbers and of places in lists: how far they moved, and whose errors grew."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.by_group import over_rows, values
from evenhand.audits.compression.decision_changes import NAME
from evenhand.audits.lists import Lists
from evenhand.metrics import means, measured_mean
from evenhand.metrics.values.lists import measured_changes
from evenhand.metrics.values.ordering import Ordering
from evenhand.metrics.values.ranking import attention

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding, Unit
    from evenhand.metrics import Measured

    Floats = NDArray[np.float64]


def number_changes(evidence: Evidence) -> Iterator[Finding]:
    """Yield means of paired differences of predictions and their errors, for all rows and each group.

    Both models predict the same rows, so each difference is one number per row and its mean has a plain interval.
    """
    old, new, truth = _both(evidence)
    moved, farther = new - old, np.abs(new - truth) - np.abs(old - truth)
    differences = {
        "mean_absolute_error_change": farther, "mean_prediction_change": moved, "prediction_distance": np.abs(moved),
    }  # fmt: skip
    for metric, difference in differences.items():
        yield from _of_rows(evidence, metric, difference, "number")


def place_changes(evidence: Evidence) -> Iterator[Finding]:
    """Yield the paired change of each list, by group of users, and of the exposure of each group of items."""
    old, new, _ = _both(evidence)
    now, level = Lists(evidence), evidence.options.level
    before = Ordering.of(old, now.order.query)
    for metric, at in now.changes():
        change = now.value(metric, at) - now.value(metric, at, before)
        compute = now.measuring(partial(measured_changes, f"{metric}_change", change))
        told = {"of": "original"} if at is None else {"at": str(at), "of": "original"}
        for grouping in (None, *filter(now.of_users, evidence.groupings)):
            yield from values(NAME, f"{metric}_change", compute(grouping), grouping, level, "score", **told)
    moved = attention(new, now.order.query) - attention(old, now.order.query)
    items = [grouping for grouping in evidence.groupings if not now.of_users(grouping)]
    yield from _of_rows(evidence, "exposure_change", moved, "score", items, now.units)


def _both(evidence: Evidence) -> tuple[Floats, Floats, Floats]:
    """Return the numbers of the original and of the compressed model, and the truth."""
    before, after = evidence.original_predictions, evidence.predictions
    assert before is not None  # checked by the audit
    return before.y_pred.astype(np.float64), after.y_pred.astype(np.float64), after.y_true.astype(np.float64)


def _of_rows(
    evidence: Evidence, metric: str, difference: Floats, unit: Unit, groupings: Sequence[Grouping] | None = None,
    units: NDArray[np.int64] | None = None,
) -> Iterator[Finding]:  # fmt: skip
    data, level = evidence.data, evidence.options.level
    clusters = data.clusters if units is None else units  # the places of a list depend on each other

    def measured(codes: NDArray[np.int32], groups: int) -> Measured:
        found = means(difference, codes, groups, weight=data.sample_weight, clusters=clusters)
        return measured_mean(metric, found, level)

    compute = over_rows(evidence, measured)
    for grouping in (None, *(evidence.groupings if groupings is None else groupings)):
        yield from values(NAME, metric, compute(grouping), grouping, level, unit, of="original")
