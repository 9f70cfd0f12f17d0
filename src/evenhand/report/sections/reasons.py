"""Why an audit did not run, or what limits what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord


def reasons(record: AuditRecord, *audits: str) -> tuple[str, ...]:
    """Return the reasons that the named audits gave."""
    return tuple(section.reason for section in record.sections if section.audit in audits and section.reason)
