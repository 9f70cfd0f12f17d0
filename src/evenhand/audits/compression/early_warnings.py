"""Early warning indicators from the original alone, and changes of feature importance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import over_rows, values
from evenhand.audits.compression.decision_changes import NAME
from evenhand.audits.statement import labels_of, singles
from evenhand.findings import Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.metrics import calibration_error, means, measured_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.metrics import Measured

    Floats = NDArray[np.float64]

MOST_GROUPS: Final = 40
"""Features of more groups are left out, since every group costs passes over the network."""


def early_warnings(evidence: Evidence) -> Iterator[Finding]:
    """Yield margins, gradients and calibration of the original."""
    before = evidence.original_predictions
    assert before is not None  # checked by the audit
    if before.kind != "probability" or before.y_score is None:
        return
    level, worth = evidence.options.level, evidence.worth
    score = before.y_score if before.y_score.ndim == 2 else np.stack([1 - before.y_score, before.y_score], axis=1)
    close = 1 - (score**2).sum(axis=1)

    def closeness(codes: NDArray[np.int32], groups: int) -> Measured:
        return measured_mean("boundary_closeness", means(close, codes, groups, **worth), level)

    computed = [("boundary_closeness", over_rows(evidence, closeness))]
    if before.y_score.ndim == 1:
        scores = before.y_score

        def error(codes: NDArray[np.int32], groups: int) -> Measured:
            return calibration_error(before.y_true, scores, codes, groups, level, **worth)

        computed.append(("calibration_error", over_rows(evidence, error)))
    for metric, compute in computed:
        for grouping in (None, *evidence.groupings):
            yield from values(NAME, metric, compute(grouping), grouping, level, of="original")
    yield from _steepness(evidence)


def _steepness(evidence: Evidence) -> Iterator[Finding]:
    """Yield gradient norm and curvature of the original's loss, for all rows and each group of single features."""
    from evenhand.subjects.predictions import PredictionsSubject

    if not evidence.options.explain or isinstance(evidence.original, PredictionsSubject) or evidence.original is None:
        return
    from evenhand.compression import susceptibility
    from evenhand.evidence.predictions import inputs

    rows, truth = inputs(evidence.original, evidence.data), evidence.data.y_true
    everyone = np.zeros(len(truth), dtype=np.int32)
    for grouping in (None, *(each for each in singles(evidence) if len(each) <= MOST_GROUPS)):
        codes, groups = (everyone, 1) if grouping is None else (grouping.codes, len(grouping))
        found = susceptibility(evidence.original, rows, truth, codes, groups, evidence.options.seed)
        if found is None:
            return
        for metric, steep in (("gradient_norm", found.gradient_norm), ("curvature", found.curvature)):
            for group in np.flatnonzero(np.isfinite(steep)):
                yield _plain(metric, grouping, int(group), float(steep[group]), int(found.rows[group]))


def _plain(metric: str, grouping: Grouping | None, group: int, value: float, rows: int) -> Finding:
    key = Key.of(metric, labels_of(grouping, group), of="original")
    groups = (GroupValue("", value, rows, rows),)
    return Finding(key, NAME, value, support=rows, unit="number", groups=groups, component=metric)


def drift(evidence: Evidence) -> Iterator[Finding]:
    """Yield the change of feature importance, where the compressed model was explained anyway."""
    old, new = evidence.original_attributions, evidence.known_attributions
    if old is None or new is None or old.feature_names != new.feature_names or old.link != new.link:
        return
    level, size = evidence.options.level, np.abs(old.values).sum(axis=1) + np.abs(new.values).sum(axis=1)
    apart = np.abs(new.values - old.values).sum(axis=1)
    distance = np.divide(apart, size, out=np.zeros_like(apart), where=size > 0)
    rows = evidence.explained_rows
    for grouping in (None, *evidence.groupings):
        codes, groups = (np.zeros(len(rows), dtype=np.int32), 1)
        if grouping is not None:
            codes, groups = grouping.codes[rows], len(grouping)
        found = measured_mean("attribution_distance", means(distance, codes, groups), level)
        told = values(NAME, "attribution_distance", found, grouping, level, of="original")
        yield from (finding for finding in told if finding.support)
    moved = np.abs(new.values) - np.abs(old.values)
    for at, feature in enumerate(new.feature_names):
        yield _moved(feature, moved[:, at], level)


def _moved(feature: str, change: Floats, level: float) -> Finding:
    """Return the change of a feature's importance, with Student's interval over the explained rows."""
    from scipy.special import stdtrit

    n, mean = len(change), float(change.mean())
    key, interval = Key.of("importance_change", [feature], of="original"), None
    if n > 1:
        half = float(stdtrit(n - 1, 0.5 + level / 2) * change.std(ddof=1) / np.sqrt(n))
        interval = Interval(mean - half, mean + half, level, "student")
    return Finding(key, NAME, mean, interval, support=n, unit="score", component="importance")
