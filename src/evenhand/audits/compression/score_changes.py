"""Findings of both models' scores: how far they moved, and the change of calibration and losses."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import over_rows, values
from evenhand.audits.compression.decision_changes import NAME
from evenhand.metrics import means, measured_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.findings import Finding
    from evenhand.metrics import Measured

    Floats = NDArray[np.float64]

LEAST: Final = 1e-15
"""Probabilities are clipped to this distance from 0 and 1, as in log loss."""


def score_changes(evidence: Evidence) -> Iterator[Finding]:
    """Yield means of paired differences of scores and losses, for all rows and each group.

    Both models score the same rows, so each difference is one number per row and its mean has a plain interval.
    """
    before, after = evidence.original_predictions, evidence.predictions
    assert before is not None  # checked by the audit
    if before.y_score is None or after.y_score is None or before.kind != after.kind:
        return
    differences = dict(_differences(after.y_true, before.y_score, after.y_score, after.kind == "probability"))
    worth, level = evidence.worth, evidence.options.level
    for metric, difference in differences.items():

        def measured(
            codes: NDArray[np.int32], groups: int, metric: str = metric, moved: Floats = difference
        ) -> Measured:
            return measured_mean(metric, means(moved, codes, groups, **worth), level)

        compute = over_rows(evidence, measured)
        for grouping in (None, *evidence.groupings):
            yield from values(NAME, metric, compute(grouping), grouping, level, of="original")


def _differences(truth: NDArray[np.int8], old: Floats, new: Floats, probability: bool) -> Iterator[tuple[str, Floats]]:
    """Yield each metric with its differences by row, compressed minus original."""
    if old.ndim == 1:
        yield "score_shift", new - old
    if not probability:
        return
    if old.ndim == 1:
        yield "brier_score_change", (new - truth) ** 2 - (old - truth) ** 2
        given = partial(_given_to_truth, truth)
    else:
        given = partial(_given_to_class, truth)
    yield "excess_loss", np.log(given(old)) - np.log(given(new))


def _given_to_truth(truth: NDArray[np.int8], score: Floats) -> Floats:
    return np.clip(np.where(truth == 1, score, 1 - score), LEAST, 1)


def _given_to_class(truth: NDArray[np.int8], score: Floats) -> Floats:
    return np.clip(score[np.arange(len(truth)), truth], LEAST, 1)
