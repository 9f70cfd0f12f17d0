"""Reasons why an audit did not run, and its reservations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

AUDITS: Final = {
    "performance": message("performance"), "classes": message("classes"), "labels": message("labels"),
    "numbers": message("numbers"), "rankings": message("rankings"),
    "transcripts": message("transcripts"), "calibration": message("calibration"),
    "fairness": message("fairness"), "impact": message("impact"), "strata": message("strata"),
    "unobserved_groups": message("unobserved groups"), "chance": message("chance"), "slices": message("slices"),
    "custom": message("custom metrics"), "explanation": message("explanation"), "dependence": message("dependence"),
    "explanation_checks": message("explanation checks"), "maps": message("maps of images"),
    "words": message("words of texts"),
    "few_shot": message("few-shot learning"), "reliance": message("reliance"), "reasons": message("reasons"),
    "recourse": message("recourse"), "identity": message("identity tests"),
    "scenarios": message("situations"), "robustness": message("robustness"),
    "uncertainty": message("uncertainty"),
    "compression": message("compression"), "training": message("training"),
    "group_names": message("group names"), "population": message("population"),
    "membership": message("membership inference"), "attribute_inference": message("attribute inference"),
    "exposure": message("what is exposed"),
    "data_quality": message("the rows themselves"),
}  # fmt: skip
"""Audits in words; others are shown by name."""


def audit_words(name: str) -> str:
    """Return the name of an audit in words."""
    return AUDITS.get(name, name.replace("_", " "))


def reasons(record: AuditRecord, *audits: str) -> tuple[str, ...]:
    """Return the reasons that the named audits gave."""
    return tuple(section.reason for section in record.sections if section.audit in audits and section.reason)
