"""Why an audit did not run, or what limits what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

AUDITS: Final = {
    "performance": message("performance"),
    "calibration": message("calibration"),
    "fairness": message("fairness"),
    "explanation": message("explanation"),
    "reliance": message("reliance"),
    "reasons": message("reasons"),
    "recourse": message("recourse"),
    "slices": message("slices"),
    "compression": message("compression"),
    "chance": message("chance"),
}
"""Audits in words; others are told by their names."""


def audit_words(name: str) -> str:
    """Return an audit in words."""
    return AUDITS.get(name, name)


def reasons(record: AuditRecord, *audits: str) -> tuple[str, ...]:
    """Return the reasons that the named audits gave."""
    return tuple(section.reason for section in record.sections if section.audit in audits and section.reason)
