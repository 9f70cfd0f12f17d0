"""Facts of a record as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.messages import joined, message
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Collection

    from evenhand.findings import AuditRecord


def is_study(record: AuditRecord) -> bool:
    """Whether a record is that of a study."""
    return "study" in record.provenance


def text(value: object) -> str:
    """Return a fact as text."""
    if value is None:
        return message("not declared")
    return f"{value:.4g}" if isinstance(value, float) else cut(str(value), 300)


def listed(names: Collection[str]) -> str:
    """Return a list of names as text."""
    return joined(", ", (cut(name, 100) for name in names)) if names else message("none")
