"""The whole page as plain data, from a record and a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.metrics import canonical, describe
from evenhand.policy.wording import groups_text, limit_text, measured
from evenhand.report.figures import figure
from evenhand.report.numbers import cut
from evenhand.report.sections import parts
from evenhand.report.view import Entry, Figure, LimitRow, Mark, Page

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Judgement, Verdict

HEADLINES = {"passed": "Passed", "failed": "Failed", "undecided": "Undecided", "none": "Measured, not judged"}
UNJUDGED = "No policy was given, so nothing is passed or failed."
KEPT = ("declared", "limitations")
"""Sections of sentences, which are never left out: what people did not declare is named."""
MOST_RISKS = 5
MOST_KEY = 160


def build_page(record: AuditRecord, verdict: Verdict | None, omit_empty: bool = False) -> Page:
    """Return everything a report says; without sections that have no figures, where asked."""
    data, subject = record.provenance.get("data"), record.provenance.get("subject")
    name = str(subject.get("name", "model")) if isinstance(subject, dict) else "model"
    source = str(data.get("name", "data")) if isinstance(data, dict) else "data"
    rows = data.get("rows", 0) if isinstance(data, dict) else 0
    versions = record.provenance.get("versions")
    status = "none" if verdict is None else verdict.status
    return Page(
        title=f"Audit of {cut(name, 80)}",
        subtitle=f"{cut(name, 80)} on {cut(source, 80)}, {rows:,} rows",
        status=status,
        headline=HEADLINES[status],
        sentence=UNJUDGED if verdict is None else _signs(verdict.sentence),
        remarks=verdict.remarks if verdict is not None else (),
        limits=tuple(_limit(judgement) for judgement in verdict.judgements) if verdict is not None else (),
        glance=_glance(verdict),
        risks=_risks(record, verdict),
        parts=tuple(part for part in parts(record, verdict) if part.blocks or not omit_empty or part.name in KEPT),
        glossary=_glossary(record, verdict),
        version=str(versions.get("evenhand", "")) if isinstance(versions, dict) else "",
    )


def _limit(judgement: Judgement) -> LimitRow:
    badge = judgement.status + (f", {judgement.aside}" if judgement.aside else "")
    return LimitRow(
        judgement.status,
        badge,
        cut(str(judgement.key), MOST_KEY),
        describe(judgement.key.metric).label,
        measured(judgement.finding, judgement.limit),
        _signs(limit_text(judgement.limit)),
        cut(judgement.sentence, 400),
        judgement.limit.note,
    )


def _glance(verdict: Verdict | None) -> Figure | None:
    """Draw the judged limits that are shares or ratios on one axis, each with its limit."""
    if verdict is None:
        return None
    drawn = [judgement for judgement in verdict.judgements if _drawable(judgement)]
    rows: list[tuple[str, Finding, Mark, float | None]] = [
        (str(judgement.key), judgement.finding, judgement.status, judgement.limit.bound)
        for judgement in drawn
        if judgement.finding is not None
    ]
    texts = [measured(judgement.finding, judgement.limit) for judgement in drawn]
    return (
        figure("limits-figure", "Each limit, with the interval it was judged by", rows, texts=texts) if rows else None
    )


def _drawable(judgement: Judgement) -> bool:
    finding = judgement.finding
    if finding is None or finding.estimate is None:
        return False
    return finding.unit in ("share", "ratio", "score") and -1 <= finding.estimate <= 1


def _risks(record: AuditRecord, verdict: Verdict | None) -> tuple[str, ...]:
    """At most five: what fails or is undecided, most people first; then what flatters the audit."""
    found = [] if verdict is None else [judgement for judgement in verdict.judgements if judgement.status != "passed"]
    found.sort(key=lambda judgement: (judgement.status != "failed", -_people(judgement)))
    risks = [_risk(judgement) for judgement in found]
    seen = record.provenance.get("rows_seen_in_training")
    if isinstance(seen, int) and seen > 0:
        risks.insert(
            0,
            f"{seen:,} of the evaluation rows have an equal row among those the model was fitted on. Where they are "
            "the same cases, every figure here flatters the model.",
        )
    return tuple(risks[:MOST_RISKS])


def _people(judgement: Judgement) -> int:
    if judgement.finding is None or not judgement.finding.groups:
        return 0
    return judgement.finding.groups[0].rows


def _risk(judgement: Judgement) -> str:
    if judgement.limit.required:
        return f"{judgement.sentence} The policy requires it."
    words = describe(judgement.key.metric).label
    shown, limit = measured(judgement.finding, judgement.limit), _signs(limit_text(judgement.limit))
    key = cut(str(judgement.key), MOST_KEY)
    said = "is outside the limit" if judgement.status == "failed" else "may be outside the limit"
    sentence = cut(judgement.sentence, 300)
    who = groups_text(judgement.finding) if judgement.finding is not None and judgement.status != "failed" else ""
    told = f"; {who}" if "(n=" in who and who not in sentence else ""
    return f"{words} ({key}) {said} {limit}: {shown}{told}. {sentence[:1].upper()}{sentence[1:]}"


def _signs(text: str) -> str:
    """Return text with the signs that people write, for a page that is no ASCII."""
    return text.replace("<= ", "≤ ").replace(">= ", "≥ ")


def _glossary(record: AuditRecord, verdict: Verdict | None) -> tuple[Entry, ...]:
    """The entry of every metric that the page uses, by label."""
    used = {finding.key.metric for finding in record.findings}
    if verdict is not None:
        used |= {judgement.key.metric for judgement in verdict.judgements}
    entries = {canonical(name) or name: describe(name) for name in used}
    return tuple(
        Entry(cut(name, MOST_KEY), cut(e.label, MOST_KEY), e.meaning, e.formula, e.misleads, e.source)
        for name, e in sorted(entries.items(), key=lambda pair: pair[1].label.lower())
    )
