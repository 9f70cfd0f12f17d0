"""Gaps compared with those expected by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import Message, message
from evenhand.metrics import describe
from evenhand.report.drawings import Table, table
from evenhand.report.numbers import cut, p_value, show
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.facts import whom
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("What chance alone would show")


LEVEL: Final = 0.05
"""Below this p-value a gap is counted."""


def by_chance(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the part about p-values, noise floors and shrunken gaps; nothing where they were not computed."""
    found = record.of_audit("chance")
    if not found:
        return ()
    gaps, crossed = (
        _gap_rows(record, [f for f in found if (len(f.key.columns) > 1) is several]) for several in (False, True)
    )
    head = (
        message("feature"), message("rate"), message("gap"), message("gap by chance"), message("gap without chance"),
        message("p-value of any gap"),
    )  # fmt: skip
    numbers = frozenset(range(2, 6))
    first = Table("chance-gaps", message("Gaps and those of equal groups"), head, tuple(gaps), numbers)
    both = message("Gaps and those of equal groups, where features cross")
    lead = message("No limit is judged by these. A small p-value does not make a gap matter, nor a large one absent.")
    blocks = (
        first,
        *table("chance-crossed", both, head, crossed, numbers, folded=True),
        *_tests("chance-groups", message("Each group against all other rows"), found, None),
        *_tests("chance-highest", message("Each group against the group with the highest rate"), found, "highest"),
    )
    return (Part("chance", TITLE, (lead,), blocks),)


def _tests(name: str, title: str, found: Iterable[Finding], vs: str | None) -> tuple[Table, ...]:
    rows = (
        (
            cut(whom(f), 80), describe(f.key.qualifier("rate") or "").label, f"{f.support:,}",
            p_value(f), _test(f.note),
        )
        for f in found
        if f.key.metric == "p_value" and f.key.group and f.key.qualifier("vs") == vs
    )  # fmt: skip
    head = (message("group"), message("rate"), message("rows"), message("p-value"), message("test"))
    return table(name, title, head, rows, {2, 3}, 100, folded=True)


def _test(note: str) -> str:
    """Return the name of the test; for an older record the whole note."""
    test = note.places.get("test") if isinstance(note, Message) else None
    return test if isinstance(test, str) else note


def _gap_rows(record: AuditRecord, found: list[Finding]) -> list[tuple[str, ...]]:
    rows = []
    for finding in found:
        if finding.key.metric != "noise_floor":
            continue
        rate, columns = finding.key.qualifier("rate") or "", finding.key.columns
        shrunken, test = (record.get(finding.key.renamed(name)) for name in ("shrunken_difference", "p_value"))
        gap = record.get(type(finding.key).of(f"{rate}_difference", columns))
        shown = [show(f.estimate) if f is not None else "–" for f in (gap, finding, shrunken)]
        rows.append((cut(", ".join(columns), 60), describe(rate).label, *shown, p_value(test)))
    return rows


def answer(record: AuditRecord, _: Judged) -> Answer:
    """Count the gaps of single features that equal groups would hardly show."""
    tests = [
        f
        for f in record.of_audit("chance")
        if f.key.metric == "p_value" and not f.key.group and len(f.key.columns) == 1 and f.estimate is not None
    ]
    if not tests:
        return Answer(message("The gaps that equal groups of these sizes would show."))
    few = sum((f.estimate or 0.0) < LEVEL for f in tests)
    words = message(
        "Of {gaps} gaps by one feature {few} have a p-value below {level:g}; "
        "of equal groups about {chance:.1g} would.",
        gaps=len(tests), few=few, level=LEVEL, chance=LEVEL * len(tests),
    )  # fmt: skip
    return Answer(words)


SECTION: Final = Section("chance", TITLE, ("chance",), 450, by_chance, within="fairness", theme=GROUPS, answer=answer)
