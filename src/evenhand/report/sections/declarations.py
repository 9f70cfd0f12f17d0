"""Declarations about the model, each where a reader looks for it; measured figures are in other tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.declarations import QUESTIONS
from evenhand.messages import message, sentences
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

SCOPE: Final = (
    "intended_use", "uses_excluded", "decision", "affected", "stakes", "human_oversight", "appeal_channel",
)  # fmt: skip
"""Answers about the use of the model."""
DATASHEET: Final = ("data_origin", "consent", "legal_basis", "retention")
"""Answers about the data."""
SIGN_OFF: Final = ("owner", "review_date")
"""Answers about who is responsible for it."""
PUBLISHED: Final = ("license", "language")
"""Answers that a model hub asks for: shown where they were given."""
LIMITS: Final = ("known_limitations",)
"""Answers about its weaknesses."""
DECLARED: Final = message("Declared by people, not measured")
NOTHING: Final = message(
    "Nothing was declared of the model's purpose, oversight and limits; a responsibility.toml can declare them."
)


def said(record: AuditRecord, names: tuple[str, ...], name: str) -> Table:
    """Return some answers as a table; the questions without one are named in one row."""
    given = record.provenance.get("declared", {})
    rows = [(QUESTIONS[answer], cut(given[answer], 600)) for answer in names if given.get(answer)]
    asked = (answer for answer in names if not given.get(answer) and answer not in PUBLISHED)
    if absent := [QUESTIONS[answer] for answer in asked]:
        rows.append((message("not declared"), sentences(*absent)))
    return Table(name, DECLARED, ("", ""), tuple(rows))


def nothing_said(record: AuditRecord) -> bool:
    """Return whether nothing was declared."""
    return not any(record.provenance.get("declared", {}).values())
