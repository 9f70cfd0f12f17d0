"""Parts of audits that have no drawing of their own: their findings in one table, or what would fill the part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.reasons import reasons
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

MOST: Final = 30
EMPTY: Final = {
    "privacy": message(
        "Findings of a privacy audit would fill this: who can be told to have been in the training rows."
    ),
    "robustness": message(
        "Findings of a robustness audit would fill this: which decisions turn when inputs are noisy."
    ),
    "drift": message(
        "Findings of a drift audit would fill this: how live rows differ from these, and whom it concerns."
    ),
}
"""What would fill a part."""
TITLES: Final = {
    "privacy": message("Privacy"),
    "robustness": message("Robustness"),
    "drift": message("Drift"),
    "custom": message("Custom metrics"),
}
DRAWN: Final = frozenset(
    {
        "performance", "calibration", "custom", "classes", "labels", "numbers", "rankings", "fairness", "strata",
        "unobserved_groups", "chance", "slices", "explanation", "dependence", "explanation_checks", "reliance",
        "reasons", "recourse", "compression", "training", "counts", "impact",
    }
)  # fmt: skip
"""Audits whose findings other parts show."""


def plain_part(record: AuditRecord, audit: str, judged: Judged) -> Part:
    """Return the part of an audit: a figure of its first findings that are shares, and all of them as a table."""
    title = TITLES.get(audit, audit.capitalize())
    found = record.of_audit(audit)
    lead = reasons(record, audit)
    if not found:
        return Part(audit, title, lead or (EMPTY.get(audit, message("Nothing was found.")),))
    labels = [_label(finding) for finding in found]
    rows = [
        judged.row(label, finding)
        for label, finding in zip(labels, found, strict=True)
        if finding.unit in ("share", "score") and finding.estimate is not None and abs(finding.estimate) <= 1
    ]
    cells = tuple(
        (label, with_interval(finding, 3), f"{finding.support:,}", finding.undefined or finding.note)
        for label, finding in zip(labels, found, strict=True)
    )
    head = (message("finding"), message("estimate and interval"), message("rows"), "")
    table = Table(f"{audit}-table", title, head, cells, frozenset({1, 2})).bounded(100)
    drawn: tuple[Block, ...] = (figure(f"{audit}-figure", title, rows[:MOST], digits=3),) if rows else ()
    return Part(audit, title, lead, (*drawn, table))


def further(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return a part for each audit that no other part shows: those of other packages."""
    named = dict.fromkeys(finding.audit for finding in record.findings)
    return tuple(plain_part(record, audit, judged) for audit in named if audit not in DRAWN and audit not in EMPTY)


def _label(finding: Finding) -> str:
    """Return the finding's name with its metric in words."""
    label, rest = describe(finding.key.metric).label, cut(finding.name.removeprefix(finding.key.metric), 80)
    return message("{metric} {key}", metric=label, key=rest) if rest else label
