"""A format: the verdict as the JSON from which shields.io draws a badge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from evenhand.report.formats.format import Format

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

COLORS = {"passed": "brightgreen", "failed": "red", "undecided": "yellow", "not judged": "lightgrey"}


def badge(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """A badge of the verdict for shields.io (.json by name)."""
    status = "not judged" if verdict is None else verdict.status
    said = {"schemaVersion": 1, "label": f"audit of {len(record.findings):,} findings", "message": status}
    return json.dumps({**said, "color": COLORS[status]}) + "\n"


FORMAT = Format(badge, (".badge",))
