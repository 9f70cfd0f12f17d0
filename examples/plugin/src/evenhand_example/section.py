"""A section of the page with a figure: the close calls of each group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.keys import group_name
from evenhand.messages import message
from evenhand.report.figures.findings import figure
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE = message("Close calls")


def draw(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Draw the share of close calls of every group, with the limits that judge them."""
    found = record.of_audit("borderline")
    if not found:
        return ()
    rows = [judged.row(group_name(f.key.group) if f.key.group else message("all rows"), f) for f in found]
    drawn = figure("close-calls-figure", message("Scores near the threshold"), rows)
    return (Part("close-calls", TITLE, reasons(record, "borderline"), (drawn,)),)


SECTION = Section("close-calls", TITLE, ("borderline",), 650, draw)
