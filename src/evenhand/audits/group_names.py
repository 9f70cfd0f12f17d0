"""Groups whose names look alike, so that people who belong together may be counted apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.statement import EVERY_TASK, Audit, Statement
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message

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
    note = message("These groups look alike: {names}.", names=told) if names else ""
    key, estimate = Key.of("lookalike_groups", (column,)), float(len(names))
    return Finding(key, NAME, estimate, support=data.rows, direction="lower_is_better", unit="number", note=note)


AUDIT: Final = Audit(group_names, EVERY_TASK)
