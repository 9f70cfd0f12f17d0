"""Lists of a ranking or a recommender: how good the first items are for each group of users, and what is in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.metrics import METRICS, describe
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, named, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.drawings import Table
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("The first items of lists")
QUALITY: Final = ("ndcg", "recall_at_k", "precision_at_k", "hit_rate_at_k")
PAST: Final = ("popularity_lift", "miscalibration")
ITEMS: Final = ("exposure", "exposure_to_merit")
CHANGES: Final = ("ndcg_change", "recall_at_k_change")
AT: Final = "at"
MOST: Final = 24
"""Groups of a figure, or named in a sentence."""
SMALL: Final = 30
"""Groups of fewer lists are named."""


def first_items(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about the first items of lists; nothing where none were looked at."""
    found = _found(record)
    if not found:
        return ()
    blocks: list[Block] = []
    for at in sorted({f.key.qualifier(AT) or "" for f in found}, key=lambda text: (len(text), text)):
        mine = [f for f in found if f.key.qualifier(AT) == at]
        blocks += [*_figures(mine, judged, at), *_tables(mine, at), *_between(mine, at)]
    blocks.sort(key=lambda block: not any(judged.holds(f) for f in found if block.name == _name(f)))
    return (Part("lists", TITLE, (*reasons(record, "rankings"), *_small(found)), tuple(blocks)),)


def _small(found: Sequence[Finding]) -> tuple[str, ...]:
    """Name the groups of few lists, however many rows these have."""
    known = [f for f in found if f.key.metric == "ndcg" and f.key.group and not f.withheld]
    few = {whom(f): f.support for f in known if f.support < SMALL}
    if not few:
        return ()
    told = [message("{group} ({rows:,})", group=cut(group, 60), rows=lists) for group, lists in few.items()]
    return (message("Groups with fewer than {n} lists: {groups}.", n=SMALL, groups=named(told, MOST)),)


def _found(record: AuditRecord) -> list[Finding]:
    audits = ("rankings", "compression")
    return [f for audit in audits for f in record.of_audit(audit) if f.key.qualifier(AT) is not None]


def _values(found: Sequence[Finding], metric: str) -> list[Finding]:
    """Return a metric over all lists and of each group, a feature after the other."""
    return [f for f in found if f.key.metric == metric and len(f.key.columns) == len(f.key.group) < 2]


def _name(finding: Finding) -> str:
    return f"lists-{finding.key.metric}-{finding.key.qualifier(AT)}"


def _figures(found: Sequence[Finding], judged: Judged, at: str) -> list[Block]:
    """Draw NDCG, and each metric that a limit is on, of every group."""
    chosen = [
        m for m in (*QUALITY, *PAST, *ITEMS, *CHANGES) if m == "ndcg" or any(map(judged.holds, _values(found, m)))
    ]
    blocks: list[Block] = []
    for metric in chosen:
        rows = _values(found, metric)
        limited = [f for f in rows if judged.holds(f)]
        shown = [*limited, *(f for f in rows if f not in limited)][:MOST]
        title = message("{metric}, first {at} items", metric=describe(metric).label, at=at)
        if drawn := [judged.row(whom(f), f) for f in rows if f in shown and f.estimate is not None]:
            made = figure(_name(rows[0]), title, drawn, digits=3)
            within = f"lists-{'items' if metric in ITEMS else 'users'}-{at}"
            blocks.append(replace(made, table=replace(made.table, within=within)))
    return blocks


def _tables(found: Sequence[Finding], at: str) -> list[Table]:
    """Return a table of the groups of users, and one of the groups of items."""
    users = _grid(
        f"lists-users-{at}", message("Whom lists are for: the first {at} items", at=at), found,
        (*QUALITY, *PAST, *CHANGES), message("lists"),
    )  # fmt: skip
    items = _grid(
        f"lists-items-{at}", message("What is in lists: the first {at} items", at=at), found, ITEMS, message("items")
    )
    return [*users, *items]


def _grid(name: str, title: str, found: Sequence[Finding], metrics: Sequence[str], counted: str) -> tuple[Table, ...]:
    cells: dict[str, dict[str, Finding]] = {}
    for metric in metrics:
        for finding in _values(found, metric):
            cells.setdefault(whom(finding), {})[metric] = finding
    shown = [metric for metric in metrics if any(metric in by for by in cells.values())]
    rows = (
        (cut(who, 120), _counted(next(iter(by.values()))), *(with_interval(by.get(m), 3) for m in shown))
        for who, by in cells.items()
    )
    return table(name, title, (message("group"), counted, *(describe(metric).label for metric in shown)), rows, most=80)


def _counted(finding: Finding) -> str:
    """Return how many lists or items a finding is of; nothing where that is withheld."""
    return "" if finding.withheld else f"{finding.support:,}"


def _between(found: Sequence[Finding], at: str) -> tuple[Table, ...]:
    """Return the table of comparisons between groups."""
    rows = (
        (
            cut(", ".join(f.key.columns), 60), describe(f.key.metric).label, with_interval(f, 3),
            " / ".join(cut(part.group, 40) for part in f.groups) or "–", f.undefined,
        )
        for f in found
        if f.key.columns and not f.key.group and f.key.metric not in METRICS
    )  # fmt: skip
    head = (
        message("groups by"), message("metric"), message("estimate and interval"), message("least / greatest"),
        message("note"),
    )  # fmt: skip
    title = message("Between groups: the first {at} items", at=at)
    return table(f"lists-between-{at}", title, head, rows, {2}, 100, folded=True)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State the worst limit on the first items, else the gap between groups of users that is farthest beyond chance."""
    found = _found(record)
    users = [f for f in found if not f.key.metric.startswith("exposure") or judged.holds(f)]
    return answered(judged, users or found)


SECTION: Final = Section("lists", TITLE, ("rankings",), 415, first_items, theme=GROUPS, answer=answer)
