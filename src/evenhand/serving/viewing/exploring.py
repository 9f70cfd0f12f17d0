"""The page of groups: a metric of every group with its interval, the gaps between them, and who bears them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.findings import Absent, AuditRecord, Finding
from evenhand.keys import group_name
from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.judged import Judged
from evenhand.serving.viewing.choosing import groups_of, key_of
from evenhand.serving.viewing.curves import curves
from evenhand.serving.viewing.gaps import burden, gaps
from evenhand.serving.viewing.shown import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.policy import Verdict
    from evenhand.report.sections.judged import FigureRow
    from evenhand.report.view import Block
    from evenhand.serving.viewing.asking import Asked

MOST_GROUPS: Final = 200
Row = tuple[str, "Finding | Absent", "Finding | Absent | None"]
"""A group's name, its finding, and the finding at the threshold of the audit where another is asked for."""


def explored(record: AuditRecord, asked: Asked, verdict: Verdict | None, audited: AuditRecord) -> tuple[Answer, ...]:
    """Return the answers about one metric of the groups.

    Parameters
    ----------
    record : AuditRecord
        At the thresholds that are asked for.
    asked : Asked
        With a metric.
    verdict : Verdict, optional
        Marks what a limit was judged on.
    audited : AuditRecord
        The record at the threshold of the audit.
    """
    rows = list(_rows(record, asked, None if record is audited else audited))
    parts = gaps(record, asked), burden(record, asked), curves(audited, asked)
    return (_values(rows, asked, Judged(verdict)), *filter(None, parts))


def _rows(record: AuditRecord, asked: Asked, before: AuditRecord | None) -> Iterator[Row]:
    for name, columns, group in named_groups(record if before is None else before, asked):
        key = key_of(asked, columns, group)
        yield name, record.find(key), None if before is None else before.find(key)


def named_groups(record: AuditRecord, asked: Asked) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Yield all rows, then the groups that are asked for: name, columns and values."""
    yield message("all rows"), (), ()
    for group in groups_of(record, asked.by) if asked.by else ():
        name = group_name(zip(asked.by, group, strict=True))
        if not asked.groups or name in asked.groups:
            yield name, asked.by, group


def _values(rows: list[Row], asked: Asked, judged: Judged) -> Answer:
    label = describe(asked.metric).label
    title = message("{metric}, by {features}", metric=label, features=_features(asked)) if asked.by else label
    drawn: list[FigureRow] = [
        judged.row(cut(name, 120), found) for name, found, _ in rows if isinstance(found, Finding)
    ]
    reasons = dict.fromkeys(found.reason for _, found, _ in rows if isinstance(found, Absent))
    lead = tuple(message("Not known of every group: {reason}", reason=reason) for reason in reasons)
    moved = any(before is not None for _, _, before in rows)
    blocks: list[Block] = []
    if any(finding.estimate is not None for _, finding, _, _ in drawn):
        blocks.append(figure("values", title, drawn))
    if moved or not blocks or len(drawn) < len(rows):
        blocks.append(_table(title, rows))
    return Answer("answer", title, lead, tuple(blocks))


def _table(title: str, rows: list[Row]) -> Table:
    compared = any(before is not None for _, _, before in rows)
    head: tuple[str, ...] = (message("group"), message("rows counted"), message("estimate and interval"))
    cells = tuple(
        (
            cut(name, 200),
            f"{found.support:,}" if isinstance(found, Finding) else "–",
            with_interval(found) if isinstance(found, Finding) else message("not known"),
            *((with_interval(before) if isinstance(before, Finding) else "–",) if compared else ()),
        )
        for name, found, before in rows
    )
    if compared:
        head = (*head, message("at the threshold of the audit"))
    return Table("values-groups", title, head, cells, frozenset(range(1, len(head)))).bounded(MOST_GROUPS)


def _features(asked: Asked) -> str:
    return " × ".join(cut(column, 60) for column in asked.by)
