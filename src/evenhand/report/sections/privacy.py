"""Membership inference: whose presence in the training rows can be inferred."""

from __future__ import annotations

from typing import Final

from evenhand.messages import message
from evenhand.report.sections.generic import generic
from evenhand.report.sections.section import CHANGES

EMPTY: Final = message(
    "Findings of a privacy audit would fill this: who can be told to have been in the training rows."
)
SECTION: Final = generic("privacy", 800, message("Privacy"), EMPTY, CHANGES)
