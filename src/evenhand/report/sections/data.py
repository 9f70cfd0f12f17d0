"""Which rows a model was audited on: where they come from, who is in them, and what the label says of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import Key
from evenhand.messages import joined, message
from evenhand.metrics import describe
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.declarations import DATASHEET, said
from evenhand.report.sections.facts import group_rows, groupings, listed, text
from evenhand.report.sections.section import Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Data")
MOST_GROUPS: Final = 100


def data_part(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Tell which rows it was audited on."""
    data = record.provenance.get("data", {})
    dropped, because = data.get("rows_dropped"), text(data.get("rows_dropped_because"))
    rows = [
        (TITLE, text(data.get("name"))),
        *([(message("Source"), text(data["source"]))] if data.get("source") else []),
        (message("Rows"), show(data.get("rows", 0), "number")),
        *([(message("Rows left out"), joined(": ", (str(dropped), because)))] if dropped else []),
        (message("Label"), text(data.get("label"))),
        (message("Columns with missing values"), listed(data.get("missing_values", ()))),
        (
            message("Missing sensitive values"),
            message("a group of their own") if data.get("missing") == "group" else message("refused"),
        ),
        (
            message("Evaluation rows with an equal row among the fitted"),
            _seen(record.provenance.get("rows_seen_in_training")),
        ),
    ]
    told = said(record, DATASHEET, "data-declared")
    blocks: list[Block] = [Table("data-facts", message("The rows"), ("", ""), tuple(rows)), *_people(record), told]
    return (Part("data", TITLE, (), tuple(blocks)),)


def _people(record: AuditRecord) -> list[Block]:
    """Say for each feature how many rows each group has, and how often its label is positive."""
    found = [
        (counts, group, record.get(Key.of("base_rate", dict(zip(counts.columns, group, strict=True)))))
        for counts in groupings(record)
        if len(counts.columns) == 1
        for group in counts.groups
    ]
    sizes = {id(counts): [group_rows(counts, at) for at in range(len(counts.groups))] for counts, _, _ in found}
    rows = []
    for counts, group, base in found:
        size = sizes[id(counts)][counts.groups.index(group)]
        share = size / max(sum(sizes[id(counts)]), 1)
        rows.append(
            (
                cut(f"{counts.columns[0]}={group[0]}", 200),
                f"{size:,}",
                f"{100 * share:.1f} %",
                with_interval(base),
            )
        )
    if not rows:
        return []
    head = (message("group"), message("rows"), message("share of rows"), describe("base_rate").label)
    columns = 4 if any(base is not None for _, _, base in found) else 3
    cells = tuple(row[:columns] for row in rows)
    table = Table("data-groups", message("Who is in the rows"), head[:columns], cells, frozenset(range(1, columns)))
    return [table.bounded(MOST_GROUPS)]


def _seen(rows: int | None) -> str:
    return message("unknown") if rows is None else show(rows, "number")


SECTION: Final = Section("data", TITLE, (), 200, data_part)
