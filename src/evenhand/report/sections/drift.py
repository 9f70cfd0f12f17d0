"""How live rows differ from the audited ones."""

from __future__ import annotations

from typing import Final

from evenhand.messages import message
from evenhand.report.sections.generic import generic
from evenhand.report.sections.section import CHANGES

EMPTY: Final = message(
    "Findings of a drift audit would fill this: how live rows differ from these, and whom it concerns."
)
SECTION: Final = generic("drift", 1300, message("Drift"), EMPTY, CHANGES)
