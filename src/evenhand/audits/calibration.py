"""Calibration of predicted probabilities, overall and for each group."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import between, of_scores, values
from evenhand.audits.statement import Audit, Statement, group_key, not_applicable, number, singles
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import calibration_floor
from evenhand.metrics.catalogue.lists import stated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.metrics.catalogue.entry import How

NAME = "calibration"
HOWS: tuple[How, ...] = ("difference", "group_max")
MOST_GROUPS = 200
"""For features of more groups the null distribution is drawn for all rows only."""


def calibration(evidence: Evidence) -> Statement:
    """State Brier score, calibration error and log loss, where the scores are probabilities."""
    predictions, level = evidence.predictions, evidence.options.level
    if predictions.kind == "label":
        return not_applicable("The model gives decisions without scores, so there is nothing to calibrate.")
    if predictions.kind == "ranking":
        return not_applicable("The scores rank, but do not claim to be probabilities, so calibration does not apply.")
    scores = predictions.y_score
    assert scores is not None  # only label predictions have no scores
    findings: list[Finding] = list(_floor(evidence, scores))
    for metric in stated("calibration"):
        measured = of_scores(evidence, metric)
        findings += values(NAME, metric, measured(None), None, level, "score")
        for grouping in evidence.groupings:
            by_group = measured(grouping)
            findings += between(NAME, metric, by_group, HOWS, grouping, level, "score")
            findings += values(NAME, metric, by_group, grouping, level, "score")
    return Statement(tuple(findings))


def _floor(evidence: Evidence, scores: NDArray[np.float64]) -> Iterator[Finding]:
    """State the calibration error expected of calibrated scores, for all rows and each group, and its p-value."""
    data = evidence.data
    if data.sample_weight is not None or data.clusters is not None:
        return
    draw = partial(calibration_floor, evidence.predictions.y_true, scores, frequency=data.frequency)
    everyone = np.zeros(len(scores), dtype=np.int32)
    yield _floored(Key.of("calibration_floor"), draw(everyone, 1, seed=evidence.options.seed), 0, data.rows)
    for grouping in singles(evidence):
        if len(grouping) <= MOST_GROUPS:
            found = draw(grouping.codes, len(grouping), seed=evidence.options.seed)
            rows = evidence.tally(grouping).rows
            for group in range(len(grouping)):
                yield _floored(group_key("calibration_floor", grouping, group), found, group, int(rows[group]))


def _floored(key: Key, found: tuple[NDArray[np.float64], NDArray[np.float64]], at: int, rows: int) -> Finding:
    value = number(found[0][at])
    if value is None:
        return Finding(key, NAME, None, support=rows, unit="score", undefined=message("No row at all."))
    note = message(
        "A calibrated model shows an error as great as the one seen with a chance of {p:.3g}.", p=found[1][at]
    )
    return Finding(key, NAME, value, support=rows, unit="score", note=note)


AUDIT: Final = Audit(calibration)
