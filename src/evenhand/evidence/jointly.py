"""Counts of truth x original's decision x subject's decision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.metrics.counts.joint import JointTally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping


def count_jointly(
    data: EvaluationSet, before: NDArray[Any], after: NDArray[Any], grouping: Grouping | None, view: str | int
) -> JointTally:
    """Return the counts of one view; see `Evidence.joint_tally`.

    Parameters
    ----------
    data : EvaluationSet
        The rows.
    before, after : (n,) arrays
        The decisions of the original and of the subject.
    grouping : Grouping, optional
        The groups to count by; one group of all rows without.
    view : "decisions", "agreement", "classes", "flips" or the number of a class
        What is counted.
    """
    truth = data.y_true
    codes, groups = (np.zeros(len(truth), dtype=np.int64), 1)
    if grouping is not None:
        codes, groups = grouping.codes.astype(np.int64), len(grouping.labels)
    if view == "classes":
        classes = len(data.classes)
        codes, groups = codes * classes + truth, groups * classes
    if view in ("agreement", "classes"):
        truth, before, after = np.ones(len(truth), dtype=np.int8), before == truth, after == truth
    elif view == "flips":
        nothing = np.zeros(len(truth), dtype=np.int8)
        truth, before, after = nothing, nothing, before != after
    elif view != "decisions":
        truth, before, after = (part == view for part in (truth, before, after))
    weights = (data.sample_weight, data.frequency, data.clusters, data.squared_weight)
    found = JointTally.count(truth, before, after, codes, groups, *weights)
    return replace(found, labelled=data.roles.stratum_share is not None and view == "decisions")
