"""The declaration of a section of the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.messages import message
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.reasons import reasons
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

MODEL: Final = message("The model, its rows and its performance")
GROUPS: Final = message("Groups")
EXPLANATIONS: Final = message("Explanations")
CHANGES: Final = message("Attacks, noise and changes")
RECORD: Final = message("Rules, record and sign-off")
"""What sections are folded with."""
Draw: TypeAlias = "Callable[[AuditRecord, Judged], tuple[Part, ...]]"
Answering: TypeAlias = "Callable[[AuditRecord, Judged], Answer]"


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page."""

    name: str
    """Its anchor, unique on the page."""
    title: str
    """Its heading."""
    audits: tuple[str, ...]
    """The audits whose findings it shows; no other section shows them then."""
    order: int
    """Its place: sections come in ascending order, the glossary at `GLOSSARY`."""
    draw: Draw
    """Returns its parts, none where the record holds nothing for it."""
    empty: str = ""
    """What would fill it, shown where it is empty and no audit gave a reason; it is left out if this is empty."""
    within: str = ""
    """The section that it belongs to; empty for one that the contents name."""
    of_studies: bool = False
    """Whether it is drawn for a study of many models, too."""
    theme: str = RECORD
    """What it is folded with, where nothing in it has to be seen."""
    answer: Answering | None = None
    """Returns its result in one sentence, and whether that has to be seen. Without it, that is the worst limit on its
    findings, else the finding farthest beyond chance; a part that brings its own answer keeps it."""

    def parts(self, record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
        """Return its parts of the page, each with its answer, or a sentence why there are none."""
        found = self.draw(record, judged)
        if not found and self.empty:
            found = (Part(self.name, self.title, reasons(record, *self.audits) or (self.empty,), state="absent"),)
        return tuple(
            replace(self._answered(part, record, judged), within=self.within, theme=self.theme) for part in found
        )

    def _answered(self, part: Part, record: AuditRecord, judged: Judged) -> Part:
        if part.answer or part.state == "absent":
            return part
        if not part.blocks and self.audits:
            return replace(part, state="absent")
        own = self.answer or _usual(self.audits)
        answer = own(record, judged)
        return replace(part, answer=answer.sentence, state=answer.state, open=answer.opens)


def _usual(audits: tuple[str, ...]) -> Answering:
    def answer(record: AuditRecord, judged: Judged) -> Answer:
        return answered(judged, [finding for audit in audits for finding in record.of_audit(audit)])

    return answer
