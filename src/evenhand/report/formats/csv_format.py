"""Findings or judgements as CSV, safe from formula injection."""

from __future__ import annotations

import csv as writing
import io
from typing import TYPE_CHECKING, Final

from evenhand.output.sanitising import plain
from evenhand.report.formats.format import Format

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Verdict

FINDING = ("key", "audit", "estimate", "low", "high", "support", "unit", "undefined", "note")
JUDGED = ("status", "blocking", "stops", "waived", "at_most", "at_least", "sentence")

FORMULA: Final = frozenset("=+-@＝＋－＠")
"""Characters that begin a formula; full-width ones do on East Asian systems."""


def csv(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """A table for spreadsheets (.csv): one row per limit; without a policy, one row per finding."""
    held = io.StringIO()
    sheet = writing.writer(held, lineterminator="\n")
    if verdict is None:
        sheet.writerow(FINDING)
        sheet.writerows(_cells(finding, finding.name) for finding in record.findings)
        return held.getvalue()
    sheet.writerow((*JUDGED, *FINDING))
    for judgement in verdict.judgements:
        limit = judgement.limit
        said = (judgement.status, judgement.blocking, judgement.stops, judgement.waived, limit.at_most, limit.at_least)
        sheet.writerow((*said, _safe(judgement.sentence), *_cells(judgement.finding, str(judgement.key))))
    return held.getvalue()


def _cells(finding: Finding | None, key: str) -> tuple[object, ...]:
    if finding is None:
        return (_safe(key), "", "", "", "", "", "", "missing", "")
    interval = finding.interval
    ends = ("", "") if interval is None else (interval.low, interval.high)
    told = (finding.support, finding.unit, _safe(finding.undefined), _safe(finding.note))
    return (_safe(key), _safe(finding.audit), finding.estimate, *ends, *told)


def _safe(text: str) -> str:
    """Return text on one line that no spreadsheet takes for a formula; numbers stay numbers."""
    begins = text[:1] in ("\t", "\r", "\n") or text.lstrip()[:1] in FORMULA
    return f"'{plain(text)}" if text and begins else plain(text)


FORMAT: Final = Format(csv, (".csv",))
