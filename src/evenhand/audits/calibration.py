"""Whether a predicted probability means what it says, overall and for each group."""

from __future__ import annotations

from functools import partial
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
from evenhand.messages import message
from evenhand.metrics import Measured, brier_score, calibration_error, calibration_floor, compare, log_loss
from evenhand.metrics.values.scores import calibration_ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.metrics.catalogue.names import How

NAME = "calibration"
HOWS: tuple[How, ...] = ("difference", "group_max")
MOST_GROUPS = 200
"""For features of more groups the null distribution is drawn for all rows only."""
SCORES: Mapping[str, Callable[..., Measured]] = {
    "brier_score": brier_score,
    "calibration_error": calibration_error,
    "log_loss": log_loss,
    "calibration_ratio": calibration_ratio,
}


def calibration(evidence: Evidence) -> Statement:
    """State Brier score, calibration error and log loss, where the scores claim to be probabilities."""
    predictions, level = evidence.predictions, evidence.options.level
    if predictions.kind == "label":
        return not_applicable(message("The model gives decisions without scores, so there is nothing to calibrate."))
    if predictions.kind == "ranking":
        return not_applicable(
            message("The scores rank, but do not claim to be probabilities, so calibration does not apply.")
        )
    scores = predictions.y_score
    assert scores is not None  # only labels come without scores
    findings: list[Finding] = list(_floor(evidence, scores))
    for metric, compute in SCORES.items():
        everyone = np.zeros(len(scores), dtype=np.int32)
        whole = compute(predictions.y_true, scores, everyone, 1, level, **evidence.worth)
        findings.append(value_finding(Key.of(metric), NAME, whole, 0, level, unit="score"))
        for grouping in evidence.groupings:
            groups = len(grouping.labels)
            by_group = compute(predictions.y_true, scores, grouping.codes, groups, level, **evidence.worth)
            for how in HOWS:
                gap, key = compare(by_group, how, level), Key.of(f"{metric}_{how}", grouping.columns)
                findings.append(disparity_finding(key, NAME, gap, grouping, level, "score"))
            findings += [
                value_finding(group_key(metric, grouping, group), NAME, by_group, group, level, unit="score")
                for group in range(groups)
            ]
    return Statement(tuple(findings))


def _floor(evidence: Evidence, scores: NDArray[np.float64]) -> Iterator[Finding]:
    """State the calibration error that calibrated scores would show, of all rows and each group, and its chance."""
    data = evidence.data
    if data.sample_weight is not None or data.clusters is not None:
        return
    draw = partial(calibration_floor, evidence.predictions.y_true, scores, frequency=data.frequency)
    everyone = np.zeros(len(scores), dtype=np.int32)
    yield _floored(Key.of("calibration_floor"), draw(everyone, 1, seed=evidence.options.seed), 0, data.rows)
    for grouping in evidence.groupings:
        if len(grouping.columns) == 1 and len(grouping) <= MOST_GROUPS:
            found = draw(grouping.codes, len(grouping), seed=evidence.options.seed)
            rows = evidence.tally(grouping).rows
            for group in range(len(grouping)):
                yield _floored(group_key("calibration_floor", grouping, group), found, group, int(rows[group]))


def _floored(key: Key, found: tuple[NDArray[np.float64], NDArray[np.float64]], at: int, rows: int) -> Finding:
    value = number(found[0][at])
    note = message(
        "A calibrated model shows an error as great as the one seen with a chance of {p:.3g}.", p=found[1][at]
    )
    undefined = "" if value is not None else message("No row at all.")
    return Finding(key, NAME, value, support=rows, unit="score", note="" if undefined else note, undefined=undefined)
