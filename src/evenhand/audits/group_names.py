"""Groups whose names look alike, so that people who belong together may be counted apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.statement import EVERY_TASK, Audit, Statement
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message, sentences

if TYPE_CHECKING:
    from evenhand.evidence import Evidence

NAME: Final = "group_names"
MOST: Final = 8
"""Look-alikes that a note names."""


def group_names(evidence: Evidence) -> Statement:
    """State how many groups of each sensitive feature look like another one."""
    return Statement(tuple(_of(evidence, column) for column in sorted(evidence.data.roles.sensitive_features)))


def _of(evidence: Evidence, column: str) -> Finding:
    from evenhand.data.lookalikes import lookalikes

    data = evidence.data
    found = () if column in data.bins else lookalikes(data.table[column], data.grouping(column).names)
    names = [name for look in found for name in look]
    told = ", ".join(names[:MOST]) + (" ..." if len(names) > MOST else "")
    alike = message("These groups look alike: {names}.", names=told) if names else ""
    note = sentences(alike, _coded(evidence, column)) if _coded(evidence, column) else alike
    key, estimate = Key.of("lookalike_groups", (column,)), float(len(names))
    return Finding(key, NAME, estimate, support=data.rows, direction="lower_is_better", unit="number", note=note)


def _coded(evidence: Evidence, column: str) -> str:
    """Return the note about whole numbers that were taken as groups because they were declared to be codes."""
    from evenhand.data.values import is_number

    if column not in evidence.data.roles.codes or not is_number(evidence.data.table[column]):
        return ""
    n = int(evidence.data.table[column].nunique())
    return message("Its {n:,} whole numbers are codes, as was declared: each makes a group.", n=n)


AUDIT: Final = Audit(group_names, EVERY_TASK)
