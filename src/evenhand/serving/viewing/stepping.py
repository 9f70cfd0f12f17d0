"""What a record holds one after the other: the slices that were found, and the explanations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.messages import message
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.catalogue import SECTIONS
from evenhand.report.sections.facts import whom
from evenhand.report.sections.judged import Judged
from evenhand.serving.viewing.shown import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord, Finding

EXPLANATIONS: Final = ("explanations", "dependence", "explanation_checks", "reliance")
"""The sections of the report about what the model uses."""
NEAREST: Final = 6
"""Slices that are shown as wider or narrower."""


def slices(record: AuditRecord) -> tuple[Step, ...]:
    """Return one step for each slice in which the model errs more than elsewhere, the figure of all first."""
    found = [f for f in record.findings if f.audit == "slices" and len(f.groups) > 1]
    parts = SECTIONS["slices"].parts(record, Judged(None))
    first = tuple(Step(part.title, part.blocks, part.lead) for part in parts if part.blocks)
    return (*first, *(_slice(finding, found) for finding in found))


def _slice(finding: Finding, every: list[Finding]) -> Step:
    name = cut(group_name(finding.key.group) if len(finding.key.group) > 1 else whom(finding), 160)
    elsewhere, there = finding.groups[0], finding.groups[1]
    title = message("Subgroup: {name}", name=name)
    head = ("", message("rows"), message("errs"))
    cells = tuple(
        (word, f"{part.support:,}", show(part.estimate))
        for word, part in ((message("there"), there), (message("elsewhere"), elsewhere))
    )
    table = Table("slice-table", message("There and elsewhere"), head, cells, frozenset({1, 2}))
    drawn = figure(
        "slice-figure", message("How much more often the model errs there"), [(name, finding, "plain", None)]
    )
    near, caption = tuple(_near(finding, every)), message("Wider and narrower subgroups")
    more = Table("slice-near", caption, ("", message("subgroup"), message("difference")), near, frozenset({2}))
    blocks = (drawn, table, more) if near else (drawn, table)
    lead = (finding.note,) if finding.note else ()
    return Step(title, blocks, lead)


def _near(finding: Finding, every: list[Finding]) -> Iterator[tuple[str, ...]]:
    mine = frozenset(finding.key.group)
    found = [(frozenset(other.key.group), other) for other in every]
    wider = [(message("wider"), other) for conditions, other in found if conditions < mine]
    narrower = [(message("narrower"), other) for conditions, other in found if conditions > mine]
    for word, other in (*wider[:NEAREST], *narrower[:NEAREST]):
        yield word, cut(group_name(other.key.group), 120), with_interval(other)


def explanations(record: AuditRecord) -> tuple[Step, ...]:
    """Return one step for each figure and table about what the model uses."""
    steps: list[Step] = []
    for name in EXPLANATIONS:
        for part in SECTIONS[name].parts(record, Judged(None)):
            steps += [Step(block.title, (block,), part.lead if at == 0 else ()) for at, block in enumerate(part.blocks)]
    return tuple(steps)
