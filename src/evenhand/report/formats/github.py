"""Workflow commands of GitHub Actions: annotations at the limits' lines, within GitHub's maximum per step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.output.sanitising import plain
from evenhand.report.formats.format import Format
from evenhand.report.formats.judged_only import level, message, names, need_verdict

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Judgement, Verdict

MOST: Final = 10
"""Annotations of a kind that a step shows; GitHub silently drops the others."""


def github(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """Annotations for GitHub Actions: errors for what stops the release, warnings for what does not."""
    judged = need_verdict(verdict, "github")
    named = list(zip(judged.judgements, names(judged), strict=True))
    lines = []
    for kind in ("error", "warning"):
        found = [(judgement, name) for judgement, name in named if level(judgement) == kind]
        shown = found if len(found) <= MOST else found[: MOST - 1]
        lines += [_annotation(kind, judgement, name, judged) for judgement, name in shown]
        if len(found) > len(shown):
            lines.append(f"::{kind} title=evenhand::{len(found) - len(shown)} more are in the report.")
    lines.append(f"::notice title=evenhand::{_data(plain(judged.sentence))}")
    return "\n".join(lines) + "\n"


def _annotation(kind: str, judgement: Judgement, name: str, verdict: Verdict) -> str:
    place = f"file={_property(plain(verdict.policy_path))},line={max(judgement.limit.line, 1)}"
    return f"::{kind} {place},title={_property(name)}::{_data(message(judgement))}"


def _data(text: str) -> str:
    """Return text escaped for the runner: a line break would start another command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMAT: Final = Format(github)
