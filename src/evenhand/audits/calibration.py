"""Whether a predicted probability means what it says, overall and for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.statement import (
    Statement,
    disparity_finding,
    group_key,
    not_applicable,
    number,
    value_finding,
)
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.metrics import Measured, brier_score, calibration_error, calibration_floor, compare, log_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.metrics.names import How

NAME = "calibration"
HOWS: tuple[How, ...] = ("difference", "group_max")
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
    findings: list[Finding] = list(_floor(evidence, scores))
    weight = evidence.data.sample_weight
    for metric, compute in SCORES.items():
        everyone = np.zeros(len(scores), dtype=np.int32)
        whole = compute(predictions.y_true, scores, everyone, 1, level, weight)
        findings.append(value_finding(Key.of(metric), NAME, whole, 0, level, unit="score"))
        for grouping in evidence.groupings:
            groups = len(grouping.labels)
            by_group = compute(predictions.y_true, scores, grouping.codes, groups, level, weight)
            for how in HOWS:
                gap, key = compare(by_group, how, level), Key.of(f"{metric}_{how}", grouping.columns)
                findings.append(disparity_finding(key, NAME, gap, grouping, level, "score"))
            findings += [
                value_finding(group_key(metric, grouping, group), NAME, by_group, group, level, unit="score")
                for group in range(groups)
            ]
    return Statement(tuple(findings))


def _floor(evidence: Evidence, scores: NDArray[np.float64]) -> Iterator[Finding]:
    """State the calibration error that perfectly calibrated scores would show, and how unlikely the one seen is."""
    if evidence.data.sample_weight is not None:
        return
    true, seed = evidence.predictions.y_true, evidence.options.seed
    everyone = np.zeros(len(scores), dtype=np.int32)
    floor, chance = calibration_floor(true, scores, everyone, 1, seed=seed)
    note = f"A calibrated model shows an error as great as the one seen with a chance of {chance[0]:.3g}."
    yield Finding(Key.of("calibration_floor"), NAME, number(floor[0]), support=len(scores), unit="score", note=note)
