"""The features and crossings of a record, and the rows of their groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, GroupCounts, Plain


def groupings(record: AuditRecord) -> list[GroupCounts]:
    """Return the features and crossings, in the order in which the features were declared, crossings last."""
    order = {name: at for at, name in enumerate(record.provenance.get("data", {}).get("sensitive_features", []))}
    found = [counts for counts in record.tallies if counts.model == "subject" and counts.columns]
    return sorted(found, key=lambda c: (len(c.columns), sorted(order.get(column, len(order)) for column in c.columns)))


def group_rows(counts: GroupCounts, group: int) -> int:
    """Return the number of rows of a group."""

    def total(cells: Plain) -> int:
        return sum(total(cell) for cell in cells) if isinstance(cells, list) else int(cast("int", cells))

    return total(cast("list[Plain]", counts.counts)[group])
