"""Flips of decisions under input noise."""

from __future__ import annotations

from typing import Final

from evenhand.messages import message
from evenhand.report.sections.generic import generic
from evenhand.report.sections.section import CHANGES

EMPTY: Final = message("Findings of a robustness audit would fill this: which decisions turn when inputs are noisy.")
SECTION: Final = generic("robustness", 900, message("Robustness"), EMPTY, CHANGES)
