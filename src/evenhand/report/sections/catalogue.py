"""The sections of the page, and its parts in reading order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.catalogues import Catalogue
from evenhand.report.sections.facts import is_study
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
        "scope": "evenhand.report.sections.scope:SECTION",
        "data": "evenhand.report.sections.data:SECTION",
        "study": "evenhand.report.sections.study:SECTION",
        "performance": "evenhand.report.sections.performance:SECTION",
        "fairness": "evenhand.report.sections.fairness:SECTION",
        "groups": "evenhand.report.sections.groups:SECTION",
        "strata": "evenhand.report.sections.strata:SECTION",
        "unobserved_groups": "evenhand.report.sections.unobserved_groups:SECTION",
        "impact": "evenhand.report.sections.impact:SECTION",
        "chance": "evenhand.report.sections.chance:SECTION",
        "thresholds": "evenhand.report.sections.thresholds:SECTION",
        "slices": "evenhand.report.sections.slices:SECTION",
        "explanations": "evenhand.report.sections.explanations:SECTION",
        "dependence": "evenhand.report.sections.dependence:SECTION",
        "explanation_checks": "evenhand.report.sections.explanation_checks:SECTION",
        "reliance": "evenhand.report.sections.reliance:SECTION",
        "refusals": "evenhand.report.sections.refusals:SECTION",
        "privacy": "evenhand.report.sections.privacy:SECTION",
        "robustness": "evenhand.report.sections.robustness:SECTION",
        "compression": "evenhand.report.sections.compression:SECTION",
        "training": "evenhand.report.sections.training:SECTION",
        "drift": "evenhand.report.sections.drift:SECTION",
        "baseline": "evenhand.report.sections.baseline:SECTION",
        "controls": "evenhand.report.sections.controls:SECTION",
        "provenance": "evenhand.report.sections.provenance:SECTION",
        "limitations": "evenhand.report.sections.limitations:SECTION",
        "sign_off": "evenhand.report.sections.sign_off:SECTION",
    },
)
"""Every section; the page has them by their `order`."""
OTHERS: Final = 1000
"""The place of audits that no section shows."""
GLOSSARY: Final = 1900
"""The place of the glossary."""


def parts(record: AuditRecord, verdict: Verdict | None) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the page's parts between the verdict and the glossary, and those behind it, in reading order."""
    judged = Judged(verdict)
    sections = list(SECTIONS.values())
    shown = {audit for section in sections for audit in section.audits}
    others = dict.fromkeys(finding.audit for finding in record.findings if finding.audit not in shown)
    sections += [generic(audit, OTHERS) for audit in others]
    drawn = sorted((s for s in sections if s.of_studies or not is_study(record)), key=lambda section: section.order)
    before, after = ([s for s in drawn if (s.order > GLOSSARY) is last] for last in (False, True))
    return _drawn(before, record, judged), _drawn(after, record, judged)


def _drawn(sections: list[Section], record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    return tuple(part for section in sections for part in section.parts(record, judged))
