"""Impact ratios, shares of the selected, and inequality between groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.section import Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Who gets the selections")
NO_VERDICT: Final = message(
    "Under four fifths of the highest rate is evidence of adverse impact (29 CFR 1607.4(D)), and no verdict."
)


def of_impact(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the part about impact and scoring ratios, shares, and inequality between groups; nothing without them."""
    found = record.of_audit("impact")
    if not found:
        return ()
    ratios = (
        (cut(group_name(f.key.group), 80), describe(f.component).label, with_interval(f), f.undefined)
        for f in found
        if f.key.qualifier("vs") == "highest"
    )
    shares = (
        (cut(group_name(f.key.group), 80), describe(f.key.metric).label, with_interval(f))
        for f in found
        if f.key.group and f.key.qualifier("vs") is None
    )
    whole = (
        (cut(", ".join(f.key.columns), 60), describe(f.key.metric).label, with_interval(f), f.undefined or f.note)
        for f in found
        if not f.key.group
    )
    first = message("Each group and the one with the highest rate")
    group, value = message("group"), message("value")
    head = (group, message("rate"), message("ratio and interval"), "")
    wide = (message("feature"), "", value, "")
    blocks = (
        *table("impact-ratios", first, head, ratios, {2}, 100),
        *table("impact-shares", message("Shares of each group"), (group, "", value), shares, {2}, 100, folded=True),
        *table("impact-whole", message("All groups at once"), wide, whole, {2}, 100, folded=True),
    )
    return (Part("impact", TITLE, (NO_VERDICT,), blocks),)


SECTION: Final = Section("impact", TITLE, ("impact",), 440, of_impact, within="fairness")
