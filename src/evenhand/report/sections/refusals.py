"""Reasons of adverse decisions, and recourse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.messages import message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, in_percent, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Why people are decided against, and what they could change")
MOST: Final = 15
HELD: Final = ("recourse_flip_rate", "recourse_kept_rate")
"""Findings of recourse that the section on what holds shows."""


def refused(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about reasons of refusals and recourse; nothing where there are none."""
    first = [f for f in record.findings if f.key.metric == "principal_reason" and f.key.qualifier("given") is None]
    ways = _ways(record)
    if not first and not ways:
        return ()
    blocks: list[Block] = []
    if first:
        rows = [judged.row(f.key.columns[0], f) for f in first[:MOST]]
        title = message("How often each feature is the first reason of an adverse decision")
        blocks.append(figure("principal-reasons", title, rows))
    also = [f for f in record.findings if f.key.metric in ("sensitive_reason_share", "unstable_reasons")]
    told = [f for f in [*also, *ways] if len(f.key.columns) <= 1]
    cells = ((describe(f.key.metric).label, _whom(f), with_interval(f), f.note) for f in told)
    head = (message("metric"), message("group"), message("estimate and interval"), message("note"))
    blocks += table("refusals-table", message("Reasons and ways out"), head, cells, {2}, 200)
    return (Part("refusals", TITLE, (*reasons(record, "reasons"), *reasons(record, "recourse")), tuple(blocks)),)


def _ways(record: AuditRecord) -> list[Finding]:
    return [finding for finding in record.of_audit("recourse") if not finding.key.metric.startswith(HELD)]


def _whom(finding: Finding) -> str:
    if finding.key.group:
        return cut(group_name(finding.key.group), 60)
    return cut(", ".join(finding.key.columns), 60) or message("all")


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name the most frequent first reason."""
    first = [f for f in record.findings if f.key.metric == "principal_reason" and f.key.qualifier("given") is None]
    made = answered(judged, [*record.of_audit("reasons"), *_ways(record)], "")
    if not first:
        return (
            made
            if made.sentence
            else Answer(message("Ways out of adverse decisions were searched; no reasons were asked for."))
        )
    most = max(first, key=lambda f: f.estimate or 0.0)
    words = message(
        "The most frequent first reason is {feature}: in {share} of the adverse decisions.",
        feature=cut(", ".join(most.key.columns), 60), share=in_percent(most),
    )  # fmt: skip
    return Answer(sentences(made.sentence, words), made.state)


SECTION: Final = Section(
    "refusals", TITLE, ("reasons", "recourse"), 740, refused, within="explanation", theme=EXPLANATIONS, answer=answer
)
