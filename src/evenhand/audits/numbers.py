"""Regression metrics, overall and for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import state
from evenhand.audits.quantities import of_numbers
from evenhand.audits.statement import Audit, Statement
from evenhand.metrics.values.regression import NUMBERS

if TYPE_CHECKING:
    from evenhand.evidence import Evidence

NAME = "numbers"


def numbers(evidence: Evidence) -> Statement:
    """State errors, residuals and explained variance over all rows and for each group, and the gaps between groups."""
    found = (quantity for metric in NUMBERS for quantity in of_numbers(evidence, metric))
    return Statement(tuple(finding for quantity in found for finding in state(evidence, NAME, quantity)))


AUDIT: Final = Audit(numbers, frozenset({"regression"}))
