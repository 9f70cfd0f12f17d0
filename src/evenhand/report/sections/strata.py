"""Groups compared within the values of a control feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Among rows that are alike")


def within(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the part about disparities within a control feature; nothing without one."""
    found = record.of_audit("strata")
    if not found:
        return ()
    rows = (
        (
            cut(", ".join(f.key.columns), 60), cut(f.key.qualifier("given") or "", 80), describe(f.key.metric).label,
            with_interval(f), f.undefined or f.note,
        )
        for f in found
    )  # fmt: skip
    columns = (message("groups by"), message("among rows alike in"), message("disparity"))
    head = (*columns, message("estimate and interval"), message("note"))
    title = message("Disparities among rows that are alike")
    lead = (
        message(
            "Groups compared within each value of a control feature. Without a value stands the worst of all its "
            "values, with an interval that allows for having looked at each."
        ),
        message("A control feature that itself carries discrimination explains a gap away."),
    )
    return (Part("strata", TITLE, lead, table("strata-table", title, head, rows, {3}, 120)),)


SECTION: Final = Section("strata", TITLE, ("strata",), 420, within, within="fairness", theme=GROUPS)
