"""Who gets the selections: ratios, shares and inequality between groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.section import Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Who gets the selections")


def of_impact(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the part about impact and scoring ratios, shares, and inequality between groups; nothing without them."""
    found = [f for f in record.findings if f.audit == "impact"]
    if not found:
        return ()
    ratios = tuple(
        (cut(group_name(f.key.group), 80), describe(f.component).label, with_interval(f), f.undefined)
        for f in found
        if f.key.qualifier("vs") == "highest"
    )
    shares = tuple(
        (cut(group_name(f.key.group), 80), describe(f.key.metric).label, with_interval(f))
        for f in found
        if f.key.group and f.key.qualifier("vs") is None
    )
    whole = tuple(
        (cut(", ".join(f.key.columns), 60), describe(f.key.metric).label, with_interval(f), f.undefined or f.note)
        for f in found
        if not f.key.group
    )
    first, second, third = (
        message("Each group beside the one with the highest rate"),
        message("Shares of each group"),
        message("All groups at once"),
    )
    group, value = message("group"), message("value")
    head = (group, message("rate"), message("ratio and interval"), "")
    wide = (message("feature"), "", value, "")
    tables = (
        Table("impact-ratios", first, head, ratios, frozenset({2})).bounded(100),
        Table("impact-shares", second, (group, "", value), shares, frozenset({2}), folded=second).bounded(100),
        Table("impact-whole", third, wide, whole, frozenset({2}), folded=third).bounded(100),
    )
    lead = (
        message(
            "Under four fifths of the highest rate is evidence of adverse impact (29 CFR 1607.4(D)), and no verdict."
        ),
    )
    return (Part("impact", TITLE, lead, tuple(table for table in tables if table.rows)),)


SECTION: Final = Section("impact", TITLE, ("impact",), 440, of_impact, within="fairness")
