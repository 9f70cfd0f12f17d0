"""Groups compared within the values of a control feature: conditional statistical parity, and the like."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.statement import Statement, disparity_finding, not_applicable
from evenhand.keys import Key, quote
from evenhand.messages import message
from evenhand.metrics import Disparity, Tally, disparity
from evenhand.metrics.catalogue.names import parse_disparity
from evenhand.metrics.comparisons.disparities import worst_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

NAME = "strata"
COMPARED = (
    "selection_rate_difference",
    "selection_rate_ratio",
    "equalized_odds_difference",
    "recall_difference",
    "false_positive_rate_difference",
    "accuracy_difference",
)
MOST_STRATA = 50
"""Of a control feature of more values only the worst of all strata is stated, not each."""


def strata(evidence: Evidence) -> Statement:
    """State the disparities within each value of each control feature, and the worst of them."""
    controls = evidence.data.roles.control_features
    singles = [grouping for grouping in evidence.groupings if len(grouping.columns) == 1]
    if not controls or not singles:
        return not_applicable(
            message("No control feature was named; with one, groups are compared among rows alike in it.")
        )
    findings: list[Finding] = []
    for control in sorted(controls):
        for grouping in singles:
            if grouping.columns != (control,):
                findings += _within(evidence, grouping, evidence.data.grouping(control))
    return Statement(tuple(findings))


def _within(evidence: Evidence, grouping: Grouping, control: Grouping) -> Iterator[Finding]:
    level = evidence.options.level
    parts = _tallies(evidence, grouping, control)
    column = control.columns[0]
    for name in COMPARED:
        split = parse_disparity(name)
        assert split is not None  # the names above are disparities
        for part, labels in zip(parts, control.labels if len(parts) <= MOST_STRATA else (), strict=False):
            key = Key.of(name, grouping.columns, given=f"{quote(column)}={quote(labels[0])}")
            yield disparity_finding(key, NAME, disparity(name, part, level), grouping, level)
        worst = worst_of([partial(_at, name, part) for part in parts], split[1], level)
        yield disparity_finding(Key.of(name, grouping.columns, given=quote(column)), NAME, worst, grouping, level)


def _at(name: str, tally: Tally, level: float) -> Disparity:
    return disparity(name, tally, level)


def _tallies(evidence: Evidence, grouping: Grouping, control: Grouping) -> list[Tally]:
    """Return the tally of each stratum, counted in one pass; each has all groups, some perhaps without rows."""
    data, groups = evidence.data, len(grouping.labels)
    codes = control.codes.astype(np.int64) * groups + grouping.codes
    whole = Tally.count(
        data.y_true,
        evidence.predictions.y_pred,
        codes,
        groups * len(control.labels),
        data.sample_weight,
        data.frequency,
        data.clusters,
        squared_weight=data.squared_weight,
    )
    return [
        whole.each(lambda cells, at=at: None if cells is None else cells[at * groups : (at + 1) * groups])  # type: ignore[misc]
        for at in range(len(control.labels))
    ]
