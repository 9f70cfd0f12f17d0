"""The default section of an audit: its findings in one table, the first shares in a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.reasons import audit_words, reasons
from evenhand.report.sections.section import CHANGES, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

MOST: Final = 30


def generic(audit: str, order: int, title: str = "", empty: str = "", theme: str = CHANGES) -> Section:
    """Return the default section of an audit."""
    heading = title or audit_words(audit).capitalize()

    def draw(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
        """Draw its findings: shares in a figure, all of them in a table."""
        return _drawn(record, judged, audit, heading)

    return Section(audit, heading, (audit,), order, draw, empty, theme=theme)


def _drawn(record: AuditRecord, judged: Judged, audit: str, title: str) -> tuple[Part, ...]:
    found = record.of_audit(audit)
    if not found:
        return ()
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
    head = (message("finding"), message("estimate and interval"), message("rows"), message("note"))
    table = Table(f"{audit}-table", title, head, cells, frozenset({1, 2})).bounded(100)
    drawn: tuple[Block, ...] = (figure(f"{audit}-figure", title, rows[:MOST], digits=3),) if rows else ()
    return (Part(audit, title, reasons(record, audit), (*drawn, table)),)


def _label(finding: Finding) -> str:
    """Return the finding's name with its metric in words."""
    label, rest = describe(finding.key.metric).label, cut(finding.name.removeprefix(finding.key.metric), 80)
    return message("{metric} {key}", metric=label, key=rest) if rest else label
