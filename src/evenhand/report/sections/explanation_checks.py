"""Checks of the explanations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.figures.explained import explained_scale
from evenhand.report.figures.findings import figure
from evenhand.report.figures.removal import followed, removal
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.judged import table_of
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import FigureRow, Judged

TITLE: Final = message("Whether the explanations hold")
ALIKE: Final = {
    "original": message("the original model"),
    "other background": message("another half of the background"),
    "noise": message("rows with a little noise"),
    "leaving one out": message("leaving one feature out"),
    "expected gradients": message("expected gradients"),
    "random weights": message("a model with random weights (low is good)"),
    "shuffled labels": message("a model fitted to shuffled labels (low is good)"),
}
"""What explanations are compared with."""


def checked(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the part that audits the explanations; nothing where they were not audited."""
    found = record.of_audit("explanation_checks")
    if not found:
        return ()
    blocks: list[Block] = []
    alike: list[FigureRow] = [
        (ALIKE.get(of := f.key.qualifier("of") or "", of), f, "plain", None)
        for f in found
        if f.key.metric == "attribution_similarity" and not f.key.group
    ]
    if alike:
        title = message("How alike the explanations are to those of ...")
        blocks.append(figure("explanations-alike", title, alike, digits=3))
    kept: list[FigureRow] = [
        (whom(f), f, "plain", None)
        for f in found
        if f.key.metric == "top_features_kept" and f.key.qualifier("of") == "original"
    ]
    if kept:
        title = message("Of each row's five most important features, what share compression kept")
        blocks.append(table_of("explanations-kept", title, kept))
    lead = reasons(record, "explanation_checks")
    return (Part("explanation-checks", TITLE, lead, (*blocks, *removal(found, explained_scale(record)))),)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State whether the score follows the features that are ranked first."""
    found = record.of_audit("explanation_checks")
    said = followed(found)
    return answered(judged, found) if said is None else Answer(said)


AUDITS: Final = ("explanation_checks",)
SECTION: Final = Section(
    "explanation-checks", TITLE, AUDITS, 720, checked, within="explanation", theme=EXPLANATIONS, answer=answer
)
