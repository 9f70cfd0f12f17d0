"""Reasons of adverse decisions, and recourse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Why people are refused, and what they could change")
MOST: Final = 15


def refused(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about reasons of refusals and recourse; nothing where there are none."""
    first = [f for f in record.findings if f.key.metric == "principal_reason" and f.key.qualifier("given") is None]
    ways = record.of_audit("recourse")
    if not first and not ways:
        return ()
    blocks: list[Block] = []
    if first:
        rows = [judged.row(f.key.columns[0], f) for f in first[:MOST]]
        title = message("How often each feature is the first reason of a refusal")
        blocks.append(figure("principal-reasons", title, rows))
    also = [f for f in record.findings if f.key.metric in ("sensitive_reason_share", "unstable_reasons")]
    told = [f for f in [*also, *ways] if len(f.key.columns) <= 1]
    cells = ((describe(f.key.metric).label, _whom(f), with_interval(f), f.note) for f in told)
    head = ("", message("group"), message("estimate and interval"), "")
    blocks += table("refusals-table", message("Reasons and ways out"), head, cells, {2}, 200)
    return (Part("refusals", TITLE, (*reasons(record, "reasons"), *reasons(record, "recourse")), tuple(blocks)),)


def _whom(finding: Finding) -> str:
    if finding.key.group:
        return cut(group_name(finding.key.group), 60)
    return cut(", ".join(finding.key.columns), 60) or message("all")


SECTION: Final = Section("refusals", TITLE, ("reasons", "recourse"), 740, refused, within="explanation")
