"""Performance over all rows, and for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.answering import NO_PREFERENCE, Answer, answered
from evenhand.report.sections.decisions import confusion, scores_by_truth
from evenhand.report.sections.facts import graded_by
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Performance")
EMPTY: Final = message("No metric was computed over all rows.")
HEADLINE: Final = ("accuracy", "balanced_accuracy", "roc_auc")
"""What the answer states, where it was measured; for other tasks the first metrics."""
MOST_NAMED: Final = 3
AUDITS: Final = ("performance", "calibration", "custom", "classes", "labels", "numbers", "rankings", "transcripts")


def performance(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Draw the performance over all rows."""
    found = _over_all_rows(record)
    if not found:
        return ()
    shares = [f for f in found if f.unit in ("share", "score") and _within_one(f)]
    rows = [judged.row(describe(f.key.metric).label, f) for f in shares]
    drawn = (figure("performance-all", message("Over all rows"), rows, digits=3),) if rows else ()
    blocks = (
        *drawn,
        *_curious(found, shares),
        *_of_classes(record),
        *(() if graded_by(record) else confusion(record)),
        *scores_by_truth(record),
    )
    return (Part("performance", TITLE, reasons(record, "performance", "calibration", "transcripts"), blocks),)


def _within_one(finding: Finding) -> bool:
    """Return whether a share can be drawn from 0 to 1: one that has no bound, such as a word error rate, may be."""
    if describe(finding.key.metric).range[1] <= 1:
        return True
    ends = (finding.estimate, finding.interval.high if finding.interval is not None else None)
    return all(end is not None and end <= 1 for end in ends)


def _over_all_rows(record: AuditRecord) -> list[Finding]:
    return [f for f in record.findings if not f.key.features and not f.key.qualifiers and f.audit in AUDITS]


def _of_classes(record: AuditRecord) -> tuple[Block, ...]:
    """Return the table of classes, or labels, where the task has several."""
    found = {
        (f.key.qualifier("class") or "", f.key.metric): f
        for f in record.findings
        if f.key.qualifier("class") is not None and not f.key.features and f.audit in AUDITS
    }
    names, metrics = dict.fromkeys(name for name, _ in found), dict.fromkeys(metric for _, metric in found)
    rows = ((cut(name, 80), *(with_interval(found.get((name, m)), 3) for m in metrics)) for name in names)
    head = (message("class"), *(describe(metric).label for metric in metrics))
    return table("performance-classes", message("Each class against the rest"), head, rows, most=200)


def _curious(found: list[Finding], shares: list[Finding]) -> tuple[Block, ...]:
    rest = (f for f in found if f not in shares)
    rows = ((describe(f.key.metric).label, with_interval(f, 3), f"{f.support:,}") for f in rest)
    head = (message("metric"), message("estimate and interval"), message("rows"))
    return table("performance-more", message("Further"), head, rows)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State the first metrics over all rows, and the limits on them; without a policy they have to be seen."""
    found = _over_all_rows(record)
    graded = graded_by(record)
    shown = [record.get(metric) for metric in ((graded,) if graded else HEADLINE)]
    named = [
        joined(" ", (describe(f.key.metric).label, with_interval(f)))
        for f in ([f for f in shown if f is not None] or found)[:MOST_NAMED]
    ]
    made = answered(judged, found, "")
    said = sentences(message("{values}.", values=joined("; ", named)), _from_half(record), made.sentence)
    return Answer(said, made.state if judged.verdict is not None else "notable")


def _from_half(record: AuditRecord) -> str:
    """State how far the share of preferred stereotypes is from no preference."""
    found = record.get("stereotype_rate") if graded_by(record) == "stereotype_rate" else None
    if found is None or found.estimate is None:
        return ""
    points = 100 * abs(found.estimate - NO_PREFERENCE)
    return message("That is {points:.1f} points from one half, which is no preference.", points=points)


SECTION: Final = Section("performance", TITLE, AUDITS, 300, performance, EMPTY, theme=MODEL, answer=answer)
