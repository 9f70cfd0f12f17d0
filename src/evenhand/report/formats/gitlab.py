"""GitLab's code quality report: what did not pass, at the limit's line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from evenhand.report.formats.format import Format
from evenhand.report.formats.judged_only import message, need_verdict, stable_id
from evenhand.report.formats.plain_text import plain, short

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Plain
    from evenhand.policy import Judgement, Verdict


def gitlab(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """Code quality for GitLab (.json by name): one entry for each limit that did not pass."""
    judged = need_verdict(verdict, "gitlab")
    entries: list[Plain] = [
        _entry(judgement, judged) for judgement in judged.judgements if judgement.status != "passed"
    ]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def _entry(judgement: Judgement, verdict: Verdict) -> Plain:
    return {
        "description": message(judgement),
        "check_name": short(str(judgement.limit.key)),
        "fingerprint": stable_id(judgement),
        "severity": _severity(judgement),
        "location": {"path": plain(verdict.policy_path), "lines": {"begin": max(judgement.limit.line, 1)}},
    }


def _severity(judgement: Judgement) -> str:
    if not judgement.stops:
        return "info"
    return "critical" if judgement.status == "failed" else "major"


FORMAT: Final = Format(gitlab)
