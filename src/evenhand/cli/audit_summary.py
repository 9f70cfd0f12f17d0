"""The findings of a record that are said first: how good it is, and for whom it is worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.cli.places import has_policy
from evenhand.errors import shorten
from evenhand.headlines import headlines
from evenhand.report.numbers import with_interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Verdict

MOST_FEATURES: Final = 3
"""Sensitive features that are told; the rest is in the record."""


def told(record: AuditRecord) -> Iterator[str]:
    """Yield lines on the findings that are read first, each with its interval."""
    first = headlines(record.findings)
    yield from (_line(several) for several in (first.overall[:2], first.changes) if several)
    yield from map(_line, first.gaps[:MOST_FEATURES])
    if len(first.gaps) > MOST_FEATURES:
        more = len(first.gaps) - MOST_FEATURES
        yield f"{more} more sensitive {'features are' if more > 1 else 'feature is'} less far apart"


def _line(found: Sequence[Finding]) -> str:
    return "; ".join(f"{finding.name} {with_interval(finding)}{_between(finding)}" for finding in found)


def _between(finding: Finding) -> str:
    """Return the two groups that make a gap."""
    names = [group.group for group in finding.groups[:2]]
    return f" ({' and '.join(shorten(name, 30) for name in names)})" if len(names) == 2 else ""


def _lost(followed: Mapping[str, object] | None) -> str:
    """Return how many rows are kept beside those whose outcome by the horizon is known."""
    lost = followed.get("censored_before") if followed else None
    return f" whose outcome by the horizon is known, {lost:,} censored before it" if lost else ""


def audit_lines(record: AuditRecord, output: Path) -> Iterator[str]:
    """Yield the lines that an audit ends with: rows, model, headlines, what did not run, and where all of it is."""
    data, subject = record.provenance.get("data", {}), record.provenance.get("subject", {})
    original = record.provenance.get("original")
    against = f", compared with {original['name']}" if original else ""
    name, model = str(data.get("name", "data")), str(subject.get("name", ""))
    audited = f"model {model}" if model not in ("", name) else "the predictions in it"
    yield f"{name}: {data.get('rows', 0):,} rows{_lost(data.get('follow_up'))}; {audited}{against}"
    yield from told(record)
    absent = [section.audit for section in record.sections if not section.ran]
    if absent:
        yield f"not run: {', '.join(absent)}; the report says why"
    yield f"Wrote {output}: {len(record.findings):,} findings"


def following(output: Path, policy: Path | None, verdict: Verdict | None) -> list[object]:
    """Return the command that comes after an audit: the gate where there is a policy, and then the report."""
    named = [] if policy is None else ["--policy", policy]
    if verdict is None and (policy is not None or has_policy()):
        return ["evenhand", "gate", output, *named]
    return ["evenhand", "report", output, *named]
