"""Findings of calibration: errors beside chance, bias, the curve, and who gains by a correction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import interval_of, labels_of, singles
from evenhand.audits.uncertainty.part import NAME, Part
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import reliability
from evenhand.metrics.inference.intervals import clopper_pearson, z_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.probing.uncertainty.calibration import Excess

    Floats = NDArray[np.float64]

LEAST: Final = 1e-15
"""Probabilities are clipped to this distance from 0 and 1, as in log loss."""
BY_CHANCE: Final = message(
    "The error is {error:.3f}; scores that are right show {chance:.3f} on average and more than {usual:.3f} once in "
    "twenty."
)
NO_ROW: Final = message("No row at all.")


def claims(evidence: Evidence) -> tuple[Floats, NDArray[np.int8]]:
    """Return which probability is claimed, and whether it is so: of the positive class; of several, of the decision."""
    said = evidence.predictions
    assert said.y_score is not None  # checked by the audit
    if said.y_score.ndim == 1:
        return said.y_score, np.asarray(said.y_true, dtype=np.int8)
    rows = np.arange(len(said.y_pred))
    return said.y_score[rows, said.y_pred], (said.y_pred == said.y_true).astype(np.int8)


def reliable(evidence: Evidence) -> Iterator[Finding]:
    """State errors beside chance and the bias of each group, and the curve of all rows."""
    score, true = claims(evidence)
    part = Part(evidence, np.arange(len(score)))
    plain = evidence.data.sample_weight is None and evidence.data.clusters is None
    if plain:
        for grouping in (None, *evidence.groupings):
            yield from _excesses(evidence, score, true, grouping)
    yield from part.stated("calibration_bias", part.mean("calibration_bias", score - true), "score")
    if plain:
        yield from _curve(score, true, evidence.options.level)


def _excesses(
    evidence: Evidence, score: Floats, true: NDArray[np.int8], grouping: Grouping | None
) -> Iterator[Finding]:
    from evenhand.probing.uncertainty.calibration import calibration_excess

    codes, groups = Part(evidence, np.arange(len(score))).codes(grouping)
    found = calibration_excess(true, score, codes, groups, evidence.options.level, evidence.options.seed)
    for group in range(groups):
        yield from _excess(found, group, labels_of(grouping, group), evidence.options.level)


def _excess(found: Excess, at: int, labels: dict[str, str], level: float) -> Iterator[Finding]:
    from evenhand.probing.uncertainty.calibration import METHOD

    key, rows = Key.of("calibration_excess", labels), int(found.rows[at])
    if not rows:
        yield Finding(key, NAME, None, support=0, unit="score", direction="lower_is_better", undefined=NO_ROW)
        return
    note = message(
        BY_CHANCE, error=float(found.error[at]), chance=float(found.by_chance[at]), usual=float(found.usual[at])
    )
    yield Finding(
        key, NAME, float(found.error[at] - found.by_chance[at]),
        interval_of(found.low[at], found.high[at], level, METHOD), rows, "lower_is_better", unit="score", note=note,
    )  # fmt: skip
    tested = Key.of("p_value", labels, rate="calibration_error", null="calibrated")
    yield Finding(tested, NAME, float(found.p_value[at]), support=rows, unit="number")


def _curve(score: Floats, true: NDArray[np.int8], level: float) -> Iterator[Finding]:
    """State for each bin of like scores how often it should be so, and how often it is."""
    table = reliability(true, score)
    rows, mean, positives, _ = table.T
    low, high = clopper_pearson(positives, rows, z_of(level))
    for at in range(len(table)):
        name, support = str(at + 1), int(rows[at])
        yield Finding(Key.of("claimed_rate", bin=name), NAME, float(mean[at]), support=support, unit="score")
        ends = interval_of(low[at], high[at], level, "clopper-pearson")
        yield Finding(Key.of("observed_rate", bin=name), NAME, float(positives[at] / rows[at]), ends, support)


def recalibrated_findings(evidence: Evidence, fitted: NDArray[np.intp], judged: NDArray[np.intp]) -> Iterator[Finding]:
    """State for each method of correction who gains by it, on rows that it was not fitted on."""
    from evenhand.probing.uncertainty.recalibration import METHODS, recalibrated

    score, true = claims(evidence)
    if len(np.unique(true[fitted])) < 2:
        return
    part, old, now = Part(evidence, judged), score[judged], true[judged]
    for method in METHODS:
        new = recalibrated(method, score[fitted], true[fitted], old)
        brier = (new - now) ** 2 - (old - now) ** 2
        measured = part.mean("recalibrated_brier_change", brier)
        yield from part.stated("recalibrated_brier_change", measured, "score", by=method)
        loss = np.log(_given(now, old)) - np.log(_given(now, new))
        measured = part.mean("recalibrated_log_loss_change", loss)
        yield from part.stated("recalibrated_log_loss_change", measured, "number", (), by=method)
        if evidence.data.sample_weight is None and evidence.data.clusters is None:
            for grouping in (None, *singles(evidence)):
                yield from _error_changes(part, grouping, method, now, old, new)


def _given(true: NDArray[np.int8], score: Floats) -> Floats:
    return np.clip(np.where(true == 1, score, 1 - score), LEAST, 1)


def _error_changes(
    part: Part, grouping: Grouping | None, method: str, true: NDArray[np.int8], old: Floats, new: Floats
) -> Iterator[Finding]:
    """State the change of the error beyond chance; its ends hold whenever those of both errors do (Bonferroni)."""
    from evenhand.probing.uncertainty.calibration import calibration_excess

    (codes, groups), options = part.codes(grouping), part.evidence.options
    level = (1 + options.level) / 2
    before, after = (calibration_excess(true, each, codes, groups, level, options.seed, 500) for each in (old, new))
    change = (after.error - after.by_chance) - (before.error - before.by_chance)
    for group in np.flatnonzero(before.rows):
        key = Key.of("recalibrated_error_change", labels_of(grouping, int(group)), by=method)
        ends = after.low[group] - before.high[group], after.high[group] - before.low[group]
        ends = max(ends[0], -1.0), min(ends[1], 1.0)
        yield Finding(
            key, NAME, float(change[group]), interval_of(*ends, options.level, "both errors, bonferroni"),
            int(before.rows[group]), "lower_is_better", unit="score",
        )  # fmt: skip
