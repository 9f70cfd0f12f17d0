"""Limitations of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message, messages
from evenhand.report.numbers import named
from evenhand.report.publication import withheld_words
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.declarations import LIMITS, said
from evenhand.report.sections.reasons import audit_words
from evenhand.report.sections.section import Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("What this page does not show")
MOST_NAMED: Final = 6


def limitations(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """State what this page does not show."""
    level = next((f.interval.level for f in record.findings if f.interval is not None), 0.95)
    lead = [
        message(
            "Intervals have a confidence of {level:g} %: {error:g} % is the chance of an error on either side, of one "
            "limit.",
            level=100 * level,
            error=100 * (1 - level) / 2,
        ),
        message(
            "Rows are taken as independent draws from the people the model will meet. Where they are not, intervals "
            "are too narrow."
        ),
        message("The label is taken as the truth. Where it records past decisions, their bias counts as truth here."),
        message("These are measurements; that they are evidence for a rule does not make a model comply with it."),
    ]
    if (verdict := judged.verdict) is not None:
        lead.insert(
            1,
            messages(
                "{n} limit that can stop a release was judged.",
                "{n} limits that can stop a release were judged, each on its own.",
                len(verdict.blocking),
            ),
        )
    if "suppressed_below" in record.provenance:
        lead.insert(0, withheld_words(record.provenance))
    lead += [
        message("Not run: {audit}. {reason}", audit=audit_words(section.audit), reason=section.reason)
        for section in record.sections
        if not section.ran
    ]
    return (Part("limitations", TITLE, tuple(lead), (said(record, LIMITS, "limitations-declared"),)),)


def answer(record: AuditRecord, _: Judged) -> Answer:
    """Name the audits that did not run."""
    missing = [audit_words(section.audit) for section in record.sections if not section.ran]
    if not missing:
        return Answer(message("What the intervals and the label assume."))
    return Answer(
        message("What the intervals and the label assume; not run: {audits}.", audits=named(missing, MOST_NAMED))
    )


SECTION: Final = Section("limitations", TITLE, (), 1700, limitations, of_studies=True, answer=answer)
