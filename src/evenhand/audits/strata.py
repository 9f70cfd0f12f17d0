"""Disparities within the values of a control feature, such as conditional statistical parity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.statement import Audit, Statement, not_applicable, singles
from evenhand.evidence.answering import answers
from evenhand.keys import Key, quote
from evenhand.metrics.catalogue.lists import stated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

NAME = "strata"
MOST_STRATA = 50
"""For a control feature of more values, only the worst stratum is stated, not each."""


def strata(evidence: Evidence) -> Statement:
    """State the disparities within each value of each control feature, and the worst of them."""
    controls = evidence.data.roles.control_features
    features = singles(evidence)
    if not controls or not features:
        return not_applicable("No control feature was named; with one, groups are compared among rows alike in it.")
    answer = answers(evidence, NAME)
    findings: list[Finding] = []
    for control in sorted(controls):
        for grouping in features:
            if grouping.columns != (control,):
                findings += answer.all(_within(grouping.columns, evidence.data.grouping(control), evidence.data.graded))
    return Statement(tuple(findings))


def _within(columns: tuple[str, ...], control: Grouping, graded: str) -> Iterator[Key]:
    """Yield the disparities within each value of a control feature, and over all of them."""
    column = quote(control.columns[0])
    values = [f"{column}={quote(label[0])}" for label in (control.labels if len(control) <= MOST_STRATA else ())]
    gaps = stated("gap in strata", graded=graded)
    return (Key.of(name, columns, given=given) for name in gaps for given in (*values, column))


AUDIT: Final = Audit(strata)
