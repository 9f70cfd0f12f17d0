"""The record and the verdict as JSON, for machines."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Final

from evenhand.records import dump, to_plain
from evenhand.report.formats.format import Format

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Plain
    from evenhand.policy import Judgement, Verdict
    from evenhand.policy.grounds import Evidence

MOST_BURDENED: Final = 20
"""Groups of a limit whose burden is told; most people shown to be harmed first."""


def json(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """The verdict with its judgements; without a policy, the record itself (.json)."""
    return dump(to_plain(record) if verdict is None else verdict_to_plain(verdict, str(to_plain(record)["digest"])))


def verdict_to_plain(verdict: Verdict, digest: str) -> dict[str, Plain]:
    """Return a verdict as plain data, with the digest of the record it judges."""
    return {
        "schema": "evenhand-verdict",
        "schema_version": 1,
        "audit_digest": digest,
        "status": verdict.status,
        "exit_code": verdict.exit_code,
        "sentence": verdict.sentence,
        "policy": {"name": verdict.policy_name, "sha256": verdict.policy_sha256, "confidence": verdict.confidence},
        "remarks": list(verdict.remarks),
        "judgements": [_judgement(judgement) for judgement in verdict.judgements],
    }


def _judgement(judgement: Judgement) -> dict[str, Plain]:
    finding, limit = judgement.finding, judgement.limit
    interval = finding.interval if finding is not None else None
    return {
        "key": str(judgement.key),
        "status": judgement.status,
        "blocking": judgement.blocking,
        "stops": judgement.stops,
        "waived": judgement.waived,
        "at_most": limit.at_most,
        "at_least": limit.at_least,
        "estimate": None if finding is None else finding.estimate,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "support": None if finding is None else finding.support,
        "needed_rows": judgement.needed_rows,
        "advice": None if judgement.advice is None else judgement.advice.to_plain(),
        "sentence": judgement.sentence,
        "evidence": None if judgement.evidence is None else _evidence(judgement.evidence),
        "burden": [asdict(part) for part in judgement.burden[:MOST_BURDENED]],
        "severity": judgement.severity if isfinite(judgement.severity) else None,
    }


def _evidence(evidence: Evidence) -> Plain:
    return {
        "key": str(evidence.key),
        "metric": evidence.metric,
        "end": evidence.end,
        "groups": [asdict(part) for part in evidence.groups],
        "reference": None if evidence.reference is None else asdict(evidence.reference),
        "open": [list(names) for names in evidence.open],
        "more": evidence.more,
        "sentence": evidence.sentence,
    }


FORMAT: Final = Format(json, (".json",))
