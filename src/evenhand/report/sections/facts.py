"""Facts of a record as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.messages import joined, message
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import AuditRecord, Plain


def is_study(record: AuditRecord) -> bool:
    """Whether a record is that of a study."""
    return isinstance(record.provenance.get("study"), dict)


def mapping(value: Plain | Mapping[str, Plain]) -> Mapping[str, Plain]:
    """Return a block of facts; an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def text(value: Plain) -> str:
    """Return a fact as text."""
    if value is None:
        return message("not declared")
    return f"{value:.4g}" if isinstance(value, float) else cut(str(value), 300)


def listed(value: Plain) -> str:
    """Return a list of names as text."""
    if not isinstance(value, list) or not value:
        return message("none")
    return joined(", ", (cut(str(name), 100) for name in value))
