"""Findings of calibration: errors beside chance, bias, the curve, and who gains by a correction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import interval_of, labels_of
from evenhand.audits.uncertainty.part import NAME, Part
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import reliability
from evenhand.metrics.inference.intervals import clopper_pearson, z_of
from evenhand.metrics.values.few_rows import few_heavier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.metrics import Measured
    from evenhand.probing.uncertainty.calibration import Excess

    Floats = NDArray[np.float64]

LEAST: Final = 1e-15
"""Probabilities are clipped to this distance from 0 and 1, as in log loss."""
BY_CHANCE: Final = message(
    "The error is {error:.3f}; scores that are right show {chance:.3f} on average and more than {usual:.3f} once in "
    "twenty."
)
ENDS: Final = (0, 1)
"""What the truth may be."""
DRAWS: Final = 500
"""How often the truth is drawn for a change of the error."""
MOST_GROUPS: Final = 100
"""Of features of more groups, errors by chance are not drawn for each."""
MOST_CURVES: Final = 8
"""Groups whose curve is stated: the worst of those that are wrong beyond chance."""
NO_ROW: Final = message("No row at all.")


def drawn_for(evidence: Evidence) -> tuple[Grouping, ...]:
    """Return the groupings whose errors by chance are drawn for each group."""
    return tuple(grouping for grouping in evidence.groupings if len(grouping) <= MOST_GROUPS)


def claims(evidence: Evidence) -> tuple[Floats, NDArray[np.int8]]:
    """Return which probability is claimed, and whether it is so: of the positive class; of several, of the decision."""
    said = evidence.predictions
    assert said.y_score is not None  # checked by the audit
    if said.y_score.ndim == 1:
        return said.y_score, np.asarray(said.y_true, dtype=np.int8)
    rows = np.arange(len(said.y_pred))
    return said.y_score[rows, said.y_pred], (said.y_pred == said.y_true).astype(np.int8)


def reliable(evidence: Evidence) -> Iterator[Finding]:
    """State errors beside chance and the bias of each group, the curve of all rows, and those of groups that err."""
    score, true = claims(evidence)
    part = Part(evidence, np.arange(len(score)))
    plain = evidence.data.sample_weight is None and evidence.data.clusters is None
    wrong: list[tuple[float, Grouping, int]] = []
    if plain:
        for grouping in (None, *drawn_for(evidence)):
            found = _excesses(evidence, score, true, grouping)
            for group in range(len(found.rows)):
                yield from _excess(found, group, labels_of(grouping, group), evidence.options.level)
            if grouping is not None and len(grouping.columns) == 1:
                wrong += [(float(found.low[at]), grouping, int(at)) for at in np.flatnonzero(found.low > 0)]
    yield from part.stated("calibration_bias", part.mean("calibration_bias", score - true), "score")
    if plain:
        yield from _curve(score, true, evidence.options.level)
    for _, grouping, group in sorted(wrong, key=lambda one: -one[0])[:MOST_CURVES]:
        mine = grouping.codes == group
        yield from _curve(score[mine], true[mine], evidence.options.level, labels_of(grouping, group))


def _excesses(evidence: Evidence, score: Floats, true: NDArray[np.int8], grouping: Grouping | None) -> Excess:
    from evenhand.probing.uncertainty.calibration import calibration_excess

    codes, groups = Part(evidence, np.arange(len(score))).codes(grouping)
    return calibration_excess(true, score, codes, groups, evidence.options.level, evidence.options.seed)


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


def _curve(
    score: Floats, true: NDArray[np.int8], level: float, labels: dict[str, str] | None = None
) -> Iterator[Finding]:
    """State for each bin of like scores how often it should be so, and how often it is."""
    table = reliability(true, score)
    rows, mean, positives, _ = table.T
    low, high = clopper_pearson(positives, rows, z_of(level))
    for at in range(len(table)):
        name, support = str(at + 1), int(rows[at])
        yield Finding(
            Key.of("claimed_rate", labels or {}, bin=name), NAME, float(mean[at]), support=support, unit="score"
        )
        ends = interval_of(low[at], high[at], level, "clopper-pearson")
        yield Finding(
            Key.of("observed_rate", labels or {}, bin=name), NAME, float(positives[at] / rows[at]), ends, support
        )


def recalibrated_findings(evidence: Evidence, fitted: NDArray[np.intp], judged: NDArray[np.intp]) -> Iterator[Finding]:
    """State for each method of correction who gains by it, on rows that it was not fitted on."""
    from evenhand.probing.uncertainty.recalibration import METHODS, recalibrated

    score, true = claims(evidence)
    if len(np.unique(true[fitted])) < 2:
        return
    part, old, now = Part(evidence, judged), score[judged], true[judged]
    plain = evidence.data.sample_weight is None and evidence.data.clusters is None
    errors = _Errors(part, now, old) if plain else None
    for method in METHODS:
        new = recalibrated(method, score[fitted], true[fitted], old)
        brier = [(new - at) ** 2 - (old - at) ** 2 for at in ENDS]
        loss = [_log(at, old) - _log(at, new) for at in ENDS]
        measured = _changed(part, "recalibrated_brier_change", now, *brier)
        yield from part.stated("recalibrated_brier_change", measured, "score", by=method)
        measured = _changed(part, "recalibrated_log_loss_change", now, *loss)
        yield from part.stated("recalibrated_log_loss_change", measured, "number", (), by=method)
        if errors is not None:
            yield from errors.changed(method, new)


def _log(true: int, score: Floats) -> Floats:
    return np.log(np.clip(score if true else 1 - score, LEAST, 1))


def _changed(
    part: Part, metric: str, true: NDArray[np.int8], if_not: Floats, if_so: Floats
) -> Callable[[Grouping | None], Measured]:
    """Return what averages the change of a loss, marked where too few rows show the outcome that moves it most."""
    mean = part.mean(metric, np.where(true == 1, if_so, if_not))

    def measured(grouping: Grouping | None) -> Measured:
        return replace(mean(grouping), uncovered=few_heavier(if_so, if_not, true, *part.codes(grouping)))

    return measured


class _Errors:
    """Calibration errors beyond chance of all rows and of the groups of single features, before any correction."""

    def __init__(self, part: Part, true: NDArray[np.int8], score: Floats) -> None:
        self.part, self.true = part, true
        self.over = (None, *(each for each in drawn_for(part.evidence) if len(each.columns) == 1))
        self.before = [self._of(grouping, score) for grouping in self.over]

    def _of(self, grouping: Grouping | None, score: Floats) -> Excess:
        from evenhand.probing.uncertainty.calibration import calibration_excess

        (codes, groups), options = self.part.codes(grouping), self.part.evidence.options
        return calibration_excess(self.true, score, codes, groups, (1 + options.level) / 2, options.seed, DRAWS)

    def changed(self, method: str, score: Floats) -> Iterator[Finding]:
        """State the change of the error by a correction; its ends hold where those of both do (Bonferroni)."""
        level = self.part.evidence.options.level
        for grouping, before in zip(self.over, self.before, strict=True):
            after = self._of(grouping, score)
            change = (after.error - after.by_chance) - (before.error - before.by_chance)
            for group in np.flatnonzero(before.rows):
                key = Key.of("recalibrated_error_change", labels_of(grouping, int(group)), by=method)
                low, high = after.low[group] - before.high[group], after.high[group] - before.low[group]
                ends = interval_of(max(low, -1.0), min(high, 1.0), level, "both errors, bonferroni")
                yield Finding(
                    key, NAME, float(change[group]), ends, int(before.rows[group]), "lower_is_better", unit="score"
                )
