"""Whether a predicted probability means what it says, overall and for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.statement import Statement, group_key, not_applicable, value_finding
from evenhand.keys import Key
from evenhand.metrics import Measured, brier_score, calibration_error, log_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

NAME = "calibration"
SCORES: Mapping[str, Callable[..., Measured]] = {
    "brier_score": brier_score,
    "calibration_error": calibration_error,
    "log_loss": log_loss,
}


def calibration(evidence: Evidence) -> Statement:
    """State Brier score, calibration error and log loss, where the scores claim to be probabilities."""
    predictions, level = evidence.predictions, evidence.options.level
    if predictions.kind == "label":
        return not_applicable("The model gives decisions without scores, so there is nothing to calibrate.")
    if predictions.kind == "ranking":
        return not_applicable("The scores rank, but do not claim to be probabilities, so calibration does not apply.")
    scores = predictions.y_score
    assert scores is not None  # only labels come without scores
    findings: list[Finding] = []
    for metric, compute in SCORES.items():
        everyone = np.zeros(len(scores), dtype=np.int32)
        whole = compute(predictions.y_true, scores, everyone, 1, level)
        findings.append(value_finding(Key.of(metric), NAME, whole, 0, level, unit="score"))
        for grouping in evidence.groupings:
            groups = len(grouping.labels)
            by_group = compute(predictions.y_true, scores, grouping.codes, groups, level)
            findings += [
                value_finding(group_key(metric, grouping, group), NAME, by_group, group, level, unit="score")
                for group in range(groups)
            ]
    return Statement(tuple(findings))
