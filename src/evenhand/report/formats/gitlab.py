"""GitLab's code quality report: what did not pass, at the limit's line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.output.sanitising import plain
from evenhand.report.formats.format import Format
from evenhand.report.formats.judged_only import level, message, need_verdict, stable_id
from evenhand.report.formats.plain_text import as_json, short

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Plain
    from evenhand.policy import Judgement, Verdict


def gitlab(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """Code quality for GitLab (.json by name): one entry for each limit that did not pass."""
    judged = need_verdict(verdict, "gitlab")
    return as_json([_entry(judgement, judged) for judgement in judged.judgements if judgement.status != "passed"])


def _entry(judgement: Judgement, verdict: Verdict) -> Plain:
    stops = level(judgement) == "error"
    severity = "minor" if not stops else "critical" if judgement.status == "failed" else "major"
    return {
        "description": message(judgement),
        "check_name": short(str(judgement.limit.key)),
        "fingerprint": stable_id(judgement),
        "severity": severity,
        "location": {"path": plain(verdict.policy_path), "lines": {"begin": max(judgement.limit.line, 1)}},
    }


FORMAT: Final = Format(gitlab)
