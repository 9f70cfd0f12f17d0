"""Regression metrics, overall and for each group."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import Quantity, over_rows, state
from evenhand.audits.statement import Audit, Statement
from evenhand.metrics.values.regression import NUMBERS, SHARES, measure_numbers

if TYPE_CHECKING:
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding, Unit

NAME = "numbers"


def numbers(evidence: Evidence) -> Statement:
    """State errors, residuals and explained variance over all rows and for each group, and the gaps between groups."""
    predictions, data, level = evidence.predictions, evidence.data, evidence.options.level
    findings: list[Finding] = []
    for metric in NUMBERS:
        compute = partial(
            measure_numbers, metric, predictions.y_true, predictions.y_pred,
            level=level, weight=data.sample_weight, clusters=data.clusters,
        )  # fmt: skip
        unit: Unit = "share" if metric in SHARES else "number"
        findings += state(evidence, NAME, Quantity(metric, over_rows(evidence, compute), unit))
    return Statement(tuple(findings))


AUDIT: Final = Audit(numbers, frozenset({"regression"}))
