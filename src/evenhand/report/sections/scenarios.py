"""Situations with an outcome that was written down: how often it is another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Situations")
BROKEN: Final = message("Rules are broken in {situations}.")
KEPT: Final = message("Every rule was kept in every case.")


def tested(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about situations; nothing where none were given."""
    found = record.of_audit("scenarios")
    if not found:
        return ()
    blocks: list[Block] = []
    single = [f for f in found if f.key.columns in ((), ("situation",))]
    title = message("Cases decided against the rules, by situation")
    blocks.append(figure("situations", title, [judged.row(_name(f), f) for f in _worst_first(single)]))
    for column in dict.fromkeys(_other(f) for f in found if len(f.key.columns) > 1):
        rows = [judged.row(_name(f), f) for f in _worst_first(found) if _other(f) == column]
        title = message("Cases decided against the rules, by situation and {column}", column=cut(column, 40))
        blocks.append(figure(f"situations-by-{len(blocks)}", title, rows))
    return (Part("scenarios", TITLE, reasons(record, "scenarios"), tuple(blocks)),)


def _worst_first(found: tuple[Finding, ...] | list[Finding]) -> list[Finding]:
    return sorted(found, key=lambda f: -(f.estimate or 0.0))


def _other(finding: Finding) -> str:
    return next((column for column in finding.key.columns if column != "situation"), "")


def _name(finding: Finding) -> str:
    """Return the situation, with the group where there is one."""
    said = dict(finding.key.group)
    situation = said.pop("situation", None)
    if situation is None:
        return message("all situations")
    return joined(", ", (situation, *said.values()))


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name the situations whose rules are broken."""
    found = record.of_audit("scenarios")
    broken = [f for f in _worst_first(found) if f.key.columns == ("situation",) and f.estimate]
    told = joined("; ", (joined(" ", (cut(_name(f), 60), with_interval(f, 2))) for f in broken[:4]))
    made = answered(judged, found, "")
    words = message(BROKEN, situations=told) if broken else KEPT
    return Answer(sentences(made.sentence, words), "notable" if broken and made.state not in OPENING else made.state)


SECTION: Final = Section("scenarios", TITLE, ("scenarios",), 650, tested, theme=GROUPS, answer=answer)
