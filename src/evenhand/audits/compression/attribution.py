"""Which act of a compression did what: recipe, further training, threshold, each against the model before it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import values
from evenhand.audits.compression.decision_changes import NAME
from evenhand.metrics.comparisons.changes import flips, measure_change
from evenhand.metrics.counts.joint import JointTally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding
    from evenhand.metrics import Measured
    from evenhand.training.stages import Stages

    Decisions = NDArray[np.int64]

CHANGES: Final = ("accuracy", "recall", "false_positive_rate", "selection_rate")
"""Rates of two classes whose change by each act is stated; of several classes it is that of accuracy."""


def attribution(evidence: Evidence) -> Iterator[Finding]:
    """Yield what each act changed, for all rows and each group, where the models between two acts were kept.

    The changes of a rate add up to that from the original to the compressed model.
    """
    from evenhand.evidence.predictions import predict

    stages = known_stages(evidence)
    before = evidence.original_predictions
    if stages is None or before is None:
        return
    decided = [before.y_pred, *(predict(stage, evidence.data).y_pred for stage in stages.between)]
    decided.append(evidence.predictions.y_pred)
    for by, (old, new) in zip(stages.by, itertools.pairwise(decided), strict=True):
        for grouping in (None, *evidence.groupings):
            for found in _changes(evidence, grouping, old, new):
                yield from values(NAME, found.metric, found, grouping, evidence.options.level, by=by)


def known_stages(evidence: Evidence) -> Stages | None:
    """Return the stages of the audited model, where it was made from this very original, and all rows have labels."""
    if not evidence.asked or evidence.original is None or evidence.data.roles.stratum_share is not None:
        return None
    stages: Stages | None = getattr(evidence.subject, "stages", None)
    if stages is None or stages.original != evidence.original.facts.get("sha256"):
        return None
    return stages


def _changes(evidence: Evidence, grouping: Grouping | None, old: Decisions, new: Decisions) -> Iterator[Measured]:
    """Yield the change of each rate and the share of rows decided otherwise, by one act."""
    truth, level = evidence.data.y_true, evidence.options.level
    several = evidence.data.task == "multiclass"
    for rate in ("accuracy",) if several else CHANGES:
        if several:  # right or not, of rows that all count
            joint = _joint(evidence, grouping, np.ones_like(truth), old == truth, new == truth)
            found = measure_change("recall", joint, level)
        else:
            found = measure_change(rate, _joint(evidence, grouping, truth, old, new), level)
        yield replace(found, metric=f"stage_{rate}_change")
    nothing = np.zeros_like(truth)
    joint = _joint(evidence, grouping, nothing, nothing, old != new)
    yield replace(flips("flip_rate", joint, level), metric="stage_flip_rate")


def _joint(
    evidence: Evidence, grouping: Grouping | None, truth: Decisions, old: Decisions, new: Decisions
) -> JointTally:
    data = evidence.data
    codes, groups = np.zeros(len(truth), dtype=np.int64), 1
    if grouping is not None:
        codes, groups = grouping.codes.astype(np.int64), len(grouping.labels)
    weights = (data.sample_weight, data.frequency, data.clusters, data.squared_weight)
    return JointTally.count(truth, old, new, codes, groups, *weights)
