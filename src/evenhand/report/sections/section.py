"""The declaration of a section of the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from evenhand.report.sections.reasons import reasons
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

Draw: TypeAlias = "Callable[[AuditRecord, Judged], tuple[Part, ...]]"


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

    def parts(self, record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
        """Return its parts of the page, or a sentence why there are none."""
        found = self.draw(record, judged)
        if not found and self.empty:
            found = (Part(self.name, self.title, reasons(record, *self.audits) or (self.empty,)),)
        return tuple(replace(part, within=self.within) for part in found) if self.within else found
