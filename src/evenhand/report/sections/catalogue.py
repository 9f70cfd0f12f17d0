"""The sections of the page, and its parts in reading order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.catalogues import Catalogue
from evenhand.report.sections.facts import has_model, is_study
from evenhand.report.sections.generic import generic
from evenhand.report.sections.judged import Judged
from evenhand.report.sections.section import Section

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.report.view import Part

SECTIONS: Final[Catalogue[Section]] = Catalogue(
    "evenhand.sections",
    Section,
    {
        name: f"evenhand.report.sections.{name}:SECTION"
        for name in (
            "mitigation", "scope", "data", "data_quality", "study", "performance", "fairness", "clusters", "groups",
            "lists", "strata", "unobserved_groups", "impact", "chance", "thresholds", "decision_curve", "slices",
            "explanations", "dependence", "explanation_checks", "few_shot", "maps", "words", "reliance", "identity",
            "scenarios", "refusals", "reason_checks", "privacy", "differential_privacy", "disclosure", "robustness",
            "adversarial", "counterfactuals", "generalization", "uncertainty", "survival", "compression", "training",
            "drift", "baseline", "controls", "provenance", "limitations", "sign_off",
        )
    },
)  # fmt: skip
"""Every section; the page has them by their `order`."""
OF_ROWS: Final = ("data", "data_quality", "baseline", "controls", "provenance", "limitations", "sign_off")
"""Sections of rows without a model."""
OTHERS: Final = 1000
"""The place of audits that no section shows."""
GLOSSARY: Final = 1900
"""The place of the glossary."""


def parts(record: AuditRecord, verdict: Verdict | None) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the page's parts between the verdict and the glossary, and those after it, in reading order."""
    judged = Judged(verdict)
    sections = list(SECTIONS.values())
    shown = {audit for section in sections for audit in section.audits}
    others = dict.fromkeys(finding.audit for finding in record.findings if finding.audit not in shown)
    sections += [generic(audit, OTHERS) for audit in others]
    if not has_model(record):
        sections = [section for section in sections if section.name in OF_ROWS or section.order == OTHERS]
    drawn = sorted((s for s in sections if s.of_studies or not is_study(record)), key=lambda section: section.order)
    before, after = ([s for s in drawn if (s.order > GLOSSARY) is last] for last in (False, True))

    def made(chosen: list[Section]) -> tuple[Part, ...]:
        return tuple(part for section in chosen for part in section.parts(record, judged))

    return made(before), made(after)
