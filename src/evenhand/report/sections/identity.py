"""The same sentence about somebody else: what changes with the identity alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import excludes_zero
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("The same sentence about somebody else")
DRAWN: Final = (
    ("identity_selection_difference", message("Decided positive, against the other identities")),
    ("identity_selection_rate", message("Sentences about each identity that are decided positive")),
    ("identity_flip_rate", message("Templates decided otherwise for another identity")),
    ("identity_score_change", message("Score, against the other identities")),
)
"""What is drawn, in this order, each with its title."""
FAR: Final = message("Beyond chance apart from the other identities: {identities}.")
ALIKE: Final = message("No identity is beyond chance apart from the others.")
EXPECTED: Final = message("{title}; expected is {expected}")


def asked(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about identities; nothing where no sentence was asked."""
    found = record.of_audit("identity")
    if not found:
        return ()
    blocks: list[Block] = []
    for metric, title in DRAWN:
        for expected, findings in _by_expected(found, metric).items():
            rows = [judged.row(_whom(f), f) for f in sorted(findings, key=lambda f: -abs(f.estimate or 0.0))]
            name = f"{metric.replace('_', '-')}-{len(blocks)}"
            said = title if expected is None else message(EXPECTED, title=title, expected=cut(expected, 40))
            blocks.append(figure(name, said, rows))
    return (Part("identity", TITLE, reasons(record, "identity"), tuple(blocks)),)


def _by_expected(found: Iterable[Finding], metric: str) -> dict[str | None, list[Finding]]:
    """Return the findings of a metric about single identities, by what was expected of their sentences."""
    parts: dict[str | None, list[Finding]] = {}
    for finding in found:
        group = dict(finding.key.group)
        if finding.key.metric == metric and "identity" in group:
            parts.setdefault(group.get("expected"), []).append(finding)
    return parts


def _whom(finding: Finding) -> str:
    return dict(finding.key.group)["identity"]


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name the identities that are decided otherwise than the others, beyond chance."""
    found = record.of_audit("identity")
    apart = [f for f in found if f.key.metric == "identity_selection_difference" and excludes_zero(f)]
    apart = sorted(apart, key=lambda f: -abs(f.estimate or 0.0))
    told = joined("; ", (joined(" ", (cut(_whom(f), 40), with_interval(f, 2))) for f in apart[:4]))
    words = message(FAR, identities=told) if apart else ALIKE
    made = answered(judged, found, "")
    return Answer(sentences(made.sentence, words), "notable" if apart and made.state not in OPENING else made.state)


SECTION: Final = Section("identity", TITLE, ("identity",), 640, asked, theme=GROUPS, answer=answer)
