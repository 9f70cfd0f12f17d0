"""The audits by name, in report order."""

from __future__ import annotations

from typing import Final

from evenhand.audits.statement import Audit
from evenhand.catalogues import Catalogue

AUDITS: Final[Catalogue[Audit]] = Catalogue(
    "evenhand.audits",
    Audit,
    {
        name: f"evenhand.audits.{f'{name}.{name}' if name in ('compression', 'uncertainty') else name}:AUDIT"
        for name in (
            "performance", "classes", "labels", "numbers", "rankings", "transcripts", "calibration", "fairness",
            "impact", "strata", "unobserved_groups", "chance", "slices", "custom", "explanation", "dependence",
            "explanation_checks", "maps", "words", "reliance", "reasons", "recourse", "identity", "scenarios",
            "membership", "attribute_inference", "exposure", "differential_privacy", "disclosure", "robustness",
            "adversarial", "counterfactual", "monotonicity", "generalization", "uncertainty", "data_quality",
            "compression", "training", "group_names",
        )
    },
)  # fmt: skip
"""Every audit."""
