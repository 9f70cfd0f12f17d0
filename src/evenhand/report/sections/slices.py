"""Slices in which the model errs more than elsewhere, as a tree from wide to narrow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.messages import lowered, message
from evenhand.metrics import describe
from evenhand.report.drawings import Table, table
from evenhand.report.figures.findings import figure
from evenhand.report.figures.trees import Branch, tree_figure
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.facts import paired, whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import FigureRow, Judged
    from evenhand.report.view import Block

TITLE: Final = message("Subgroups nobody named")
EMPTY: Final = message("No subgroups were searched.")
NONE: Final = message("No subgroup that was searched errs more than the rest beyond chance.")
KNOWN: Final = message(
    "Subgroups worse than the rest beyond chance: {n}. The worst is {group}: {metric} higher by {value}, corrected "
    "for the search."
)
BARELY: Final = message(
    "Subgroups worse than the rest beyond chance: {n}. The worst is {group}: {metric} {there} there, {elsewhere} "
    "elsewhere, as counted. It was found so narrowly that after correction for the search the difference may be close "
    "to nothing, and is {high} at most."
)
"""What is said of a subgroup whose corrected difference shows as a number, and as nothing."""
LEAST: Final = 0.0005
"""The least difference that is shown as other than 0."""
Conditions = frozenset[tuple[str, str]]
MOST_DRAWN: Final = 12
FEWEST: Final = 2
"""Subgroups below which there is nothing to narrow."""


def sliced(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Draw the slices in which the model errs more than elsewhere."""
    # findings withheld for publication have no groups
    stated = [f for f in record.findings if f.audit == "slices" and len(f.groups) > 1]
    found = [f for f in stated if f.key.metric == "error_rate"]
    more = by_other_metrics(f for f in stated if f.key.metric != "error_rate")
    told = reasons(record, "slices")
    if not found:
        ran = any(section.audit == "slices" and section.ran for section in record.sections)
        return (Part("slices", TITLE, told, more, answer="" if more else NONE),) if more or ran else ()
    rows = [judged.row(whom(f), f) for f in found]
    title = message("How much more often the model errs there than elsewhere")
    head = (
        message("subgroup"), message("rows"), message("errs there"), message("errs elsewhere"), message("difference"),
    )  # fmt: skip
    cells = (
        (label, f"{f.groups[1].support:,}", show(f.groups[1].estimate), show(f.groups[0].estimate), with_interval(f, 3))
        for label, f, _, _ in rows
    )
    caption = message("Rates as counted; differences corrected for the search")
    blocks = (*narrowing(rows), *table("slices-table", caption, head, cells, most=200), *more)
    return (Part("slices", TITLE, told, (_drawn(title, rows), *blocks)),)


def _drawn(title: str, rows: Sequence[FigureRow]) -> Block:
    """Draw the differences, each with the rows of its subgroup; the table of subgroups has them all."""
    inside = [(label, replace(f, support=f.groups[1].support), mark, limit) for label, f, mark, limit in rows]
    drawn = figure("slices-figure", title, inside[:MOST_DRAWN], digits=3)
    return replace(drawn, table=replace(drawn.table, within="slices-table"), left=max(len(rows) - len(drawn.dots), 0))


def narrowing(rows: Sequence[FigureRow]) -> tuple[Block, ...]:
    """Draw the tree of slices, each with the condition that it adds."""
    found = {frozenset(finding.key.group): row for row in rows if (finding := row[1]).key.group}
    if len(found) < FEWEST:
        return ()
    parents = {conditions: _parent(conditions, found) for conditions in found}
    if not any(parents.values()):  # none is a part of another: the figure of differences shows them all
        return ()
    root = Branch(message("all rows"), "", "plain", _below(frozenset(), parents, found))
    title = message("How the subgroups narrow each other down")
    head = (message("subgroup"), message("is a part of"), message("difference"))
    cells = ((_name(part), _name(parents[part]), with_interval(found[part][1], 3)) for part in found)
    twin = Table("slices-tree-table", title, head, tuple(cells), frozenset({2}))
    return (tree_figure("slices-tree", title, root, twin),)


def by_other_metrics(found: Iterable[Finding]) -> tuple[Block, ...]:
    """Return the table of slices found by another metric than the error rate, or by a gap."""
    rows = (
        (cut(whom(f), 120), describe(f.key.metric).label, f"{f.support:,}", with_interval(f, 3), f.note) for f in found
    )
    head = (message("subgroup"), message("metric"), message("rows"), message("difference"), message("note"))
    return table("slices-others", message("By other metrics"), head, rows, {2, 3}, 100)


def _parent(conditions: Conditions, found: dict[Conditions, FigureRow]) -> Conditions:
    """Return the narrowest other slice that contains all of these rows; no condition means all rows."""
    wider = [other for other in found if other < conditions]
    return max(wider, key=lambda other: (len(other), sorted(other)), default=frozenset())


def _below(
    place: Conditions, parents: dict[Conditions, Conditions], found: dict[Conditions, FigureRow]
) -> tuple[Branch, ...]:
    inside = (conditions for conditions, parent in parents.items() if parent == place)
    children = sorted(inside, key=lambda conditions: -(found[conditions][1].estimate or 0.0))
    return tuple(
        Branch(_name(c - place), with_interval(found[c][1], 3), found[c][2], _below(c, parents, found))
        for c in children
    )


def _name(conditions: Conditions) -> str:
    return cut(paired(sorted(conditions)), 120) if conditions else message("all rows")


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name the subgroup with the greatest difference."""
    stated = [f for f in record.findings if f.audit == "slices" and len(f.groups) > 1]
    if not stated:
        return Answer(NONE)
    worst = max(stated, key=lambda f: abs(f.estimate or 0.0))
    value, surely = with_interval(worst, 3), abs(worst.estimate or 0.0) >= LEAST
    said = message(
        KNOWN if surely else BARELY, n=len(stated), group=cut(whom(worst), 120), value=value,
        metric=lowered(describe(worst.key.metric).label), there=show(worst.groups[1].estimate),
        elsewhere=show(worst.groups[0].estimate), high=show(None if worst.interval is None else worst.interval.high),
    )  # fmt: skip
    return Answer(said, "notable")


SECTION: Final = Section("slices", TITLE, ("slices",), 600, sliced, EMPTY, theme=GROUPS, answer=answer)
