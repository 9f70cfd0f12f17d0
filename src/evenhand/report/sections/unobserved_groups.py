"""Groups known only as probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.drawings import table
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Groups known by probability")
AUDITS: Final = ("unobserved_groups",)


def by_probability(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the part about groups known only as probabilities; nothing without them."""
    found = record.of_audit("unobserved_groups")
    if not found:
        return ()
    rows = ((cut(f.name, 120), with_interval(f), f"{f.support:,}") for f in found)
    head = ("", message("estimate and bounds"), message("expected rows"))
    caption = message("Rates of groups that no row names")
    blocks = table("unobserved_groups-table", caption, head, rows, most=200)
    return (Part("unobserved_groups", TITLE, reasons(record, "unobserved_groups"), blocks),)


SECTION: Final = Section("unobserved_groups", TITLE, AUDITS, 430, by_probability, within="fairness", theme=GROUPS)
