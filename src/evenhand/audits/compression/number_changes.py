"""Findings of predicted numbers and of places in lists: how far they moved, and whose errors grew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.by_group import over_rows, values
from evenhand.audits.compression.decision_changes import NAME
from evenhand.audits.statement import value_finding
from evenhand.keys import Key
from evenhand.metrics import means, measured_mean
from evenhand.metrics.values.ranking import attention, gains

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

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
    """Yield the paired change of NDCG over lists, and of the exposure of each group's items."""
    old, new, truth = _both(evidence)
    query, level = evidence.data.table[evidence.data.roles.query].to_numpy(), evidence.options.level
    before, after = gains(truth, old, query), gains(truth, new, query)
    lists = np.zeros(len(before), dtype=np.int64)
    yield value_finding(
        Key.of("ndcg_change", of="original"), NAME,
        measured_mean("ndcg_change", means(after - before, lists, 1), level), 0, level, "score",
    )  # fmt: skip
    yield from _of_rows(evidence, "exposure_change", attention(new, query) - attention(old, query), "score")


def _both(evidence: Evidence) -> tuple[Floats, Floats, Floats]:
    """Return the numbers of the original and of the compressed model, and the truth."""
    before, after = evidence.original_predictions, evidence.predictions
    assert before is not None  # checked by the audit
    return before.y_pred.astype(np.float64), after.y_pred.astype(np.float64), after.y_true.astype(np.float64)


def _of_rows(evidence: Evidence, metric: str, difference: Floats, unit: Unit) -> Iterator[Finding]:
    data, level = evidence.data, evidence.options.level
    clusters = data.clusters
    if data.task == "ranking" and clusters is None:  # the places of a list depend on each other
        clusters = np.unique(data.table[data.roles.query].to_numpy(), return_inverse=True)[1].astype(np.int64)

    def measured(codes: NDArray[np.int32], groups: int) -> Measured:
        found = means(difference, codes, groups, weight=data.sample_weight, clusters=clusters)
        return measured_mean(metric, found, level)

    compute = over_rows(evidence, measured)
    for grouping in (None, *evidence.groupings):
        yield from values(NAME, metric, compute(grouping), grouping, level, unit, of="original")
