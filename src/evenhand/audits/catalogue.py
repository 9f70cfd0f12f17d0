"""The audits, by name, in the order in which the report tells them."""

from __future__ import annotations

from typing import Final

from evenhand.audits.statement import Audit
from evenhand.catalogues import Catalogue

AUDITS: Final[Catalogue[Audit]] = Catalogue(
    "evenhand.audits",
    Audit,
    {
        "performance": "evenhand.audits.performance:AUDIT",
        "classes": "evenhand.audits.classes:AUDIT",
        "labels": "evenhand.audits.labels:AUDIT",
        "numbers": "evenhand.audits.numbers:AUDIT",
        "rankings": "evenhand.audits.rankings:AUDIT",
        "calibration": "evenhand.audits.calibration:AUDIT",
        "fairness": "evenhand.audits.fairness:AUDIT",
        "impact": "evenhand.audits.impact:AUDIT",
        "strata": "evenhand.audits.strata:AUDIT",
        "unobserved_groups": "evenhand.audits.unobserved_groups:AUDIT",
        "chance": "evenhand.audits.chance:AUDIT",
        "slices": "evenhand.audits.slices:AUDIT",
        "custom": "evenhand.audits.custom:AUDIT",
        "explanation": "evenhand.audits.explanation:AUDIT",
        "dependence": "evenhand.audits.dependence:AUDIT",
        "explanation_checks": "evenhand.audits.explanation_checks:AUDIT",
        "reliance": "evenhand.audits.reliance:AUDIT",
        "reasons": "evenhand.audits.reasons:AUDIT",
        "recourse": "evenhand.audits.recourse:AUDIT",
        "compression": "evenhand.audits.compression.compression:AUDIT",
        "training": "evenhand.audits.training:AUDIT",
    },
)
"""Every audit."""
