"""Provenance of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.section import Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import AuditRecord
    from evenhand.provenance import StudyFacts
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Provenance")
UNSAID: Final = ("negative",)
"""Facts that follow from others: of two classes, the one that is not the positive one."""
OF_DECISIONS: Final = ("threshold", "score_kind")
"""Facts about decisions, which a regression or a ranking does not make."""
MOST_WARNINGS: Final = 10
MOST_VALUE: Final = 400
ENOUGH: Final = message("Enough to repeat the audit and to see whether anything differs.")
SAME_POLICY: Final = message("The policy judged by is the one that was on record before the audit.")
OTHER_POLICY: Final = message("The policy judged by is another than the one that was on record before the audit.")


def provenance(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Draw the provenance of the record."""
    rows: list[tuple[str, str]] = []
    known = record.provenance
    blocks: tuple[tuple[str, Mapping[str, object] | None], ...] = (
        (message("subject"), known.get("subject")),
        (message("original"), known.get("original")),
        (message("data"), known.get("data")),
        (message("options"), known.get("options")),
        (message("study"), _of_study(known.get("study"))),
        (message("code"), known.get("code")),
        (message("versions"), known.get("versions")),
    )
    deciding = known.get("data", {}).get("task") not in ("regression", "ranking", "transcription")
    left_out = UNSAID if deciding else (*UNSAID, *OF_DECISIONS)
    for words, facts in blocks:
        for name, value in sorted((facts or {}).items()):
            if isinstance(value, (str, int, float, bool)) and value != "" and name not in left_out:
                rows.append((joined(": ", (words, name)), cut(str(value), MOST_VALUE)))
    measured = record.measurements
    if measured.get("started"):
        took = message("{day}, in {seconds} s", day=measured["started"], seconds=str(measured.get("seconds")))
        rows.append((message("audited at"), took))
    if measured.get("command"):
        rows.append((message("command"), cut(measured["command"], 400)))
    rows += [(message("warning"), cut(text, 300)) for text in measured.get("warnings", [])[:MOST_WARNINGS]]
    before = known["policy"]["sha256"] if "policy" in known else ""
    if before:
        rows.append((message("policy on record before the audit"), before))
    table = Table("provenance-table", TITLE, ("", ""), tuple(rows)).bounded()
    return (Part("provenance", TITLE, (), (table,)),)


def _of_study(told: StudyFacts | None) -> Mapping[str, object]:
    """Return what repeats a study: its seeds, its training rows, and how each candidate was made."""
    if told is None:
        return {}
    facts = {name: value for name, value in told.items() if name not in ("candidates", "policy", "smallest")}
    made = ((each["name"], each["recipes"], each["balance"]) for each in told["candidates"])
    ways = {cut(name, 60): _way(recipes) + (f"; balance={_way(by)}" if by else "") for name, recipes, by in made}
    return {**facts, **ways}


def _way(recipes: object) -> str:
    """Return options as text: ``recipe=int8, runtime=onnxruntime; ...``."""
    if isinstance(recipes, dict):
        return ", ".join(f"{name}={value}" for name, value in recipes.items())
    return "; ".join(map(_way, recipes)) if isinstance(recipes, list | tuple) else str(recipes)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State what the record holds, and whether its policy was the one on record before."""
    before, verdict = record.provenance.get("policy", {}).get("sha256", ""), judged.verdict
    same = ""
    if before and verdict is not None:
        same = SAME_POLICY if before == verdict.policy_sha256 else OTHER_POLICY
    return Answer(sentences(ENOUGH, same))


SECTION: Final = Section("provenance", TITLE, (), 1600, provenance, of_studies=True, answer=answer)
