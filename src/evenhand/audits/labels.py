"""Multilabel metrics: each label, and all together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import state
from evenhand.audits.quantities import OF_LABELS, of_labels
from evenhand.audits.statement import Audit, Statement
from evenhand.metrics.catalogue.lists import stated

if TYPE_CHECKING:
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

NAME = "labels"


def labels(evidence: Evidence) -> Statement:
    """State Hamming loss, exact match and F1 over labels, and the usual rates of each label; for each group too."""
    findings: list[Finding] = []
    for metric in OF_LABELS:
        for quantity in of_labels(evidence, metric):
            findings += state(evidence, NAME, quantity)
    of_each = [list(of_labels(evidence, metric)) for metric in stated("class")]
    for of_label in zip(*of_each, strict=True):
        for quantity in of_label:
            findings += state(evidence, NAME, quantity)
    return Statement(tuple(findings))


AUDIT: Final = Audit(labels, frozenset({"multilabel"}))
