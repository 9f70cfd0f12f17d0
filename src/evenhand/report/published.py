"""What an earlier copy for publication shows, as what readers of a later one know already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from evenhand.errors import InputError
from evenhand.findings import AuditRecord
from evenhand.keys import Key
from evenhand.records import digest
from evenhand.report.withholding import Cell, Counts, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import Finding


@dataclass(frozen=True)
class Published:
    """An earlier copy for publication."""

    record: AuditRecord
    """The copy."""

    @classmethod
    def of(cls, record: AuditRecord) -> Published:
        """Return what a copy shows.

        Raises
        ------
        InputError
            When the record is none for publication.
        """
        if "suppressed_below" not in record.provenance:
            raise InputError(
                "The earlier record is no copy for publication. Give the record that was published: the JSON that "
                "'evenhand report audit.json --profile public -f json=public.json' wrote."
            )
        return cls(record)

    @cached_property
    def sizes(self) -> dict[Cell, int]:
        """The rows of the groups that it shows."""
        return {
            tuple(zip(counts.columns, group, strict=True)): int(rows)
            for counts in self.record.tallies
            for group, rows in zip(counts.groups, cast("list[int]", counts.counts), strict=True)
        }

    @cached_property
    def groups(self) -> set[Cell]:
        """All groups that it names, those that are withheld too."""
        away = self.record.provenance.get("withheld_groups", [])
        return {*self.sizes, *(tuple(sorted(group.items())) for group in away)}

    def most(self, cell: Cell) -> int:
        """Return the most rows that readers can know a group of it to have had."""
        if cell in self.sizes:
            return self.sizes[cell]
        bounds = [self.sizes[()]]
        for total, cells in lines_of(dict.fromkeys(self.groups)):
            if cell in cells and total in self.sizes:
                bounds.append(self.sizes[total] - sum(self.sizes.get(part, 0) for part in cells))
        return min(bounds)

    def shown(self, key: Key) -> Finding | None:
        """Return a finding that it shows."""
        found = self.record.stated(key)
        return None if found is None or found.estimate is None else found

    def withheld(self, key: Key) -> bool:
        """Return whether it holds a finding back."""
        found = self.record.stated(key)
        return found is not None and found.withheld

    def decisions(self, cell: Cell) -> Counts | None:
        """Return the counts of truth and decision (TN, FP, FN, TP) of a group, where its rates give them."""
        found = [self.shown(Key.of(metric, dict(cell))) for metric in ("recall", "false_positive_rate")]
        if found[0] is None or found[1] is None:
            return None
        (hit, positives), (raised, negatives) = ((round(f.estimate * f.support), f.support) for f in found if f)  # type: ignore[operator]
        return (negatives - raised, raised, positives - hit, hit)

    def halved(self, cell: Cell) -> bool:
        """Return whether it shows no more of a group than rates over all its rows."""
        rates = ("recall", "false_positive_rate", "precision", "accuracy")
        return cell not in self.sizes or any(self.withheld(Key.of(metric, dict(cell))) for metric in rates)


def chained(since: AuditRecord | Sequence[AuditRecord] | None) -> tuple[Published, ...]:
    """Return the copies that were published before, and refuse them where one that they were made with is missing.

    Raises
    ------
    InputError
        When a record is none for publication, or a copy is missing.
    """
    records = () if since is None else (since,) if isinstance(since, AuditRecord) else tuple(since)
    found = tuple(Published.of(record) for record in records)
    known = {digest(record) for record in records}
    for record in records:
        named = (record.provenance.get("published_before"), *record.provenance.get("published_earlier", ()))
        missing = [name for name in named if name and name not in known]
        if missing:
            raise InputError(
                f"A copy that was published before was itself made with an earlier one (digest {missing[0][:16]}), "
                "which readers know, too. Give all of them, the earliest first: --since public-1.json --since "
                "public-2.json."
            )
    return found
