"""How good the model is over all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.statement import Statement, value_finding
from evenhand.keys import Key
from evenhand.metrics import measure, roc_auc

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
        value_finding(Key.of(metric), NAME, measure(metric, tally, level), 0, level) for metric in METRICS
    ]
    scores = evidence.predictions.y_score
    if scores is None:
        reason = "The model gives decisions without scores, so nothing is said of its ranking (ROC AUC)."
        return Statement(tuple(findings), reason)
    one_group = np.zeros(len(scores), dtype=np.int32)
    area = roc_auc(evidence.predictions.y_true, scores, one_group, 1, level)
    findings.append(value_finding(Key.of("roc_auc"), NAME, area, 0, level, unit="score"))
    return Statement(tuple(findings))
