"""Gaps compared with those expected by chance."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final, TypeGuard

from evenhand.keys import Key
from evenhand.messages import Message, lowered, message
from evenhand.metrics import METRICS, describe
from evenhand.report.drawings import table
from evenhand.report.numbers import ROUNDING, cut, named, p_value, show
from evenhand.report.sections.answering import Answer, others_apart
from evenhand.report.sections.facts import whom
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.drawings import Table
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("What chance alone would show")


LEAD: Final = message(
    "No limit is judged by these. A small p-value does not make a gap matter, nor a large one absent."
)
WIDEST: Final = message(
    "The p-value is that of the widest gap as counted. Groups of few rows widen it by chance, so it may be large where "
    "two groups of many rows surely differ; “Groups” names those."
)
DRAWN: Final = message(
    "The gap without chance is that of values drawn towards their mean, those of few rows most: an estimate, and not "
    "the difference of the two numbers before it."
)
UNKNOWN: Final = message(
    "Of {metrics} no gap by chance is known: of some group, such as one of a single row, the error is unknown."
)
MOST_NAMED: Final = 12
MOST_TESTS: Final = 100
"""Rows of a table of tests; the cells of others are not made."""
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
        message("p-value of the widest gap"),
    )  # fmt: skip
    both = message("Gaps and those of equal groups, where features cross")
    blocks = (
        *table("chance-gaps", message("Gaps and those of equal groups"), head, gaps, range(2, 6)),
        *table("chance-crossed", both, head, crossed, range(2, 6), folded=True),
        *_tests("chance-groups", message("Each group against all other rows"), found, None),
        *_tests("chance-highest", message("Each group against the group with the highest rate"), found, "highest"),
    )
    return (Part("chance", TITLE, (LEAD, *_explained(record, found)), blocks),)


def _explained(record: AuditRecord, found: Sequence[Finding]) -> Iterator[str]:
    """Yield what each number of the first table is, where it can be misread, and which gaps are not in it."""
    tested = (f.key for f in found if f.key.metric == "p_value" and not f.key.group)
    gaps = (record.get(Key.of(f"{key.qualifier('rate')}_difference", key.columns)) for key in tested)
    if any(gap is not None and others_apart(gap) for gap in gaps):
        yield WIDEST
    if any(f.key.metric == "shrunken_difference" for f in found):
        yield DRAWN
    unknown = [f for f in found if f.key.metric == "noise_floor" and f.estimate is None and not f.withheld]
    if unknown:
        rates = dict.fromkeys(lowered(describe(f.key.qualifier("rate") or "").label) for f in unknown)
        yield message(UNKNOWN, metrics=named(list(rates), MOST_NAMED))


def _tests(name: str, title: str, found: Iterable[Finding], vs: str | None) -> tuple[Table, ...]:
    tests = [f for f in found if f.key.metric == "p_value" and f.key.group and f.key.qualifier("vs") == vs]
    rows = (
        (
            cut(whom(f), 80), describe(f.key.qualifier("rate") or "").label, f"{f.support:,}",
            p_value(f), _test(f.note),
        )
        for f in tests[:MOST_TESTS]
    )  # fmt: skip
    head = (message("group"), message("rate"), message("rows"), _adjusted(tests), message("test"))
    left = max(len(tests) - MOST_TESTS, 0)
    return tuple(replace(made, cut=left) for made in table(name, title, head, rows, {2, 3}, folded=True))


def _adjusted(tests: Iterable[Finding]) -> str:
    """Return what the p-values are, with the method that adjusts them for the number of groups."""
    methods = {f.note.places.get("method") for f in tests if isinstance(f.note, Message)} - {None}
    if len(methods) != 1:
        return message("p-value")
    return message("p-value, adjusted ({method})", method=str(methods.pop()))


def _test(note: str) -> str:
    """Return the name of the test; for an older record the whole note."""
    test = note.places.get("test") if isinstance(note, Message) else None
    return test if isinstance(test, str) else note


def _gap_rows(record: AuditRecord, found: list[Finding]) -> list[tuple[str, ...]]:
    rows = []
    for finding in found:
        if finding.key.metric != "noise_floor" or (finding.estimate is None and not finding.withheld):
            continue
        rate, columns = finding.key.qualifier("rate") or "", finding.key.columns
        shrunken, test = (record.get(finding.key.renamed(name)) for name in ("shrunken_difference", "p_value"))
        gap = record.get(Key.of(f"{rate}_difference", columns))
        shown = [show(f.estimate, f.unit) if _is_possible(f, rate) else "–" for f in (gap, finding, shrunken)]
        tested = "" if test is None else p_value(test)
        rows.append((cut(", ".join(columns), 60), describe(rate).label, *shown, tested))
    return rows


def _is_possible(gap: Finding | None, rate: str) -> TypeGuard[Finding]:
    """Whether a gap is one that the metric can have; one that is drawn from errors may be beyond that."""
    if gap is None or gap.estimate is None:
        return gap is not None
    low, high = METRICS[rate].range if rate in METRICS else (0.0, inf)
    return gap.estimate <= high - low + ROUNDING


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
