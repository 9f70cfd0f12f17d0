"""The audits, by name, in the order in which the report tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.audits.calibration import calibration
from evenhand.audits.compression import compression
from evenhand.audits.custom import custom
from evenhand.audits.explanation import explanation
from evenhand.audits.fairness import fairness
from evenhand.audits.performance import performance
from evenhand.audits.slices import slices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.audits.statement import Statement
    from evenhand.evidence import Evidence

Audit: TypeAlias = "Callable[[Evidence], Statement]"

AUDITS: Final[Mapping[str, Audit]] = {
    "performance": performance,
    "calibration": calibration,
    "fairness": fairness,
    "slices": slices,
    "custom": custom,
    "explanation": explanation,
    "compression": compression,
}


def catalogue() -> dict[str, Audit]:
    """Return the audits of evenhand and those that installed packages bring (entry point ``evenhand.audits``)."""
    from importlib.metadata import entry_points

    found = dict(AUDITS)
    for point in entry_points(group="evenhand.audits"):
        found.setdefault(point.name, point.load())
    return found
