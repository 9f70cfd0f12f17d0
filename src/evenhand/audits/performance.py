"""How good the model is over all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.statement import Statement, value_finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import average_precision, measure, roc_auc
from evenhand.metrics.catalogue.names import extra_metrics

if TYPE_CHECKING:
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

NAME = "performance"
METRICS = (
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "specificity",
    "f1",
    "matthews_correlation",
    "false_positive_rate",
    "false_negative_rate",
    "selection_rate",
    "base_rate",
)


def performance(evidence: Evidence) -> Statement:
    """State the metrics of the confusion table and the area under the ROC curve, each with its interval."""
    level = evidence.options.level
    tally = evidence.tally()
    findings: list[Finding] = [
        value_finding(Key.of(metric), NAME, measure(metric, tally, level), 0, level)
        for metric in (*METRICS, *(metric.name for metric in extra_metrics()))
    ]
    scores = evidence.predictions.y_score
    if scores is None:
        reason = message("The model gives decisions without scores, so nothing is said of its ranking (ROC AUC).")
        return Statement(tuple(findings), reason)
    one_group = np.zeros(len(scores), dtype=np.int32)
    for metric, compute in (("roc_auc", roc_auc), ("average_precision", average_precision)):
        area = compute(evidence.predictions.y_true, scores, one_group, 1, level, **evidence.worth)
        findings.append(value_finding(Key.of(metric), NAME, area, 0, level, unit="score"))
    return Statement(tuple(findings))
