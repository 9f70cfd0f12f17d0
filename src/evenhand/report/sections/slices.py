"""How subgroups that nobody named narrow each other down, as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.report.drawings import Table
from evenhand.report.figures.trees import Branch, tree_figure
from evenhand.report.numbers import cut, with_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evenhand.findings import Finding
    from evenhand.report.sections.judged import FigureRow
    from evenhand.report.view import Block

Conditions = frozenset[tuple[str, str]]
FEWEST: Final = 2
"""Subgroups below which there is nothing to narrow."""


def narrowing(rows: Sequence[FigureRow]) -> tuple[Block, ...]:
    """Draw each subgroup below the widest one that it is a part of, with what it adds."""
    found = {frozenset(finding.key.group): row for row in rows if (finding := row[1]).key.group}
    if len(found) < FEWEST:
        return ()
    parents = {conditions: _parent(conditions, found) for conditions in found}
    root = Branch(message("all rows"), "", "plain", _below(frozenset(), parents, found))
    title = message("How the subgroups narrow each other down")
    head = (message("subgroup"), message("is a part of"), message("difference"))
    cells = tuple(
        (_name(conditions), _name(parents[conditions]), with_interval(found[conditions][1])) for conditions in found
    )
    return (tree_figure("slices-tree", title, root, Table("slices-tree-table", title, head, cells, frozenset({2}))),)


def by_other_metrics(found: Iterable[Finding]) -> tuple[Block, ...]:
    """Return the table of subgroups that were searched for by another metric than the error rate, or by a gap."""
    rows = tuple(
        (cut(group_name(f.key.group), 120), describe(f.key.metric).label, f"{f.support:,}", with_interval(f), f.note)
        for f in found
    )
    title = message("By other metrics")
    head = (message("subgroup"), message("metric"), message("rows"), message("difference"), "")
    return (Table("slices-others", title, head, rows, frozenset({2, 3})).bounded(100),) if rows else ()


def _parent(conditions: Conditions, found: dict[Conditions, FigureRow]) -> Conditions:
    """Return the narrowest of the others that holds all of these rows; no condition stands for all rows."""
    wider = [other for other in found if other < conditions]
    return max(wider, key=lambda other: (len(other), sorted(other)), default=frozenset())


def _below(
    place: Conditions, parents: dict[Conditions, Conditions], found: dict[Conditions, FigureRow]
) -> tuple[Branch, ...]:
    children = sorted((c for c, parent in parents.items() if parent == place), key=lambda c: -_size(found[c][1]))
    return tuple(
        Branch(_name(c - place), with_interval(found[c][1]), found[c][2], _below(c, parents, found)) for c in children
    )


def _size(finding: Finding) -> float:
    return finding.estimate or 0.0


def _name(conditions: Conditions) -> str:
    return cut(group_name(sorted(conditions)), 120) if conditions else message("all rows")
