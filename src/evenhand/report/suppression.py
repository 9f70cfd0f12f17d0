"""Suppress small cells for publication, with complementary suppression of what would reveal them.

A group with fewer rows than the limit is withheld. Of a group with enough rows, but too few of one true class or one
decision, only the rates over all its rows are shown, because the others could be solved from any third. A group alone
withheld among groups that add up to a shown total could be subtracted; so another is withheld with it, in every line of
every table (complementary suppression; Willenborg & de Waal 2001, section 5.4), until no line gives one away. Counts
leave the copy; only the sizes of shown groups stay. Every rate that is shown rests on enough rows; its numerator may
still be small.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from evenhand.errors import InputError
from evenhand.findings import AuditRecord, GroupCounts
from evenhand.keys import group_name
from evenhand.messages import message
from evenhand.metrics.catalogue.lists import stated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import Finding
    from evenhand.messages import Message
    from evenhand.policy import Judgement, Verdict
    from evenhand.provenance import Provenance

__all__ = ["suppressed"]

SIZES: Final = ("rows_per_group",)
"""The requirement whose judgement tells the rows of groups."""

PERSONAL: Final = ("word_contribution",)
"""Metrics whose keys have words of people: what is withheld leaves the copy, key and all."""

Cell: TypeAlias = "tuple[tuple[str, str], ...]"
"""A group of any grouping: pairs of column and value; empty for all rows."""


def suppressed(record: AuditRecord, below: int) -> AuditRecord:
    """Return a copy without what rests on fewer than `below` rows.

    Withheld findings are marked and have neither estimate nor interval; the gate refuses the copy.

    Parameters
    ----------
    record : AuditRecord
        The record; it stays as it is.
    below : int
        The fewest rows that a number may rest on, 2 or more.

    Raises
    ------
    InputError
        When `below` is less than 2, or all rows together are fewer.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 0] * 60, [1, 0] * 60, sensitive_features={"sex": ["f"] * 6 + ["m"] * 114})
    >>> copy = suppressed(record, 5)
    >>> record["recall[sex=f]"].estimate, copy["recall[sex=f]"].withheld
    (1.0, True)
    """
    if below < 2:
        raise InputError(f"Suppression below {below} rows withholds nothing; say 5 or 10.")
    tables = _Tables.of(record)
    if tables.rows.get((), below) < below:
        raise InputError(f"All rows together are fewer than {below}; nothing could be shown.")
    small = {cell for cell, rows in tables.rows.items() if rows < below}
    hidden = _closed(small, tables.rows, tables.lines, below)
    thin = {cell for cell, least in tables.least.items() if least < below}
    halved = _closed(hidden | thin, tables.least, tables.lines, below)
    strata = any(_least(f) < below for f in record.findings if f.key.qualifier("given"))
    withheld: list[Mapping[str, str]] = [dict(cell) for cell in sorted(hidden)]
    provenance: Provenance = {**record.provenance, "suppressed_below": below, "withheld_groups": withheld}
    provenance.pop("score_edges", None)
    provenance.pop("attribution_reach", None)
    provenance.pop("attribution_means", None)
    shown = (_shown(f, hidden if _over_all_rows(f) else halved, below, strata) for f in record.findings)
    findings = tuple(f for f in shown if not (f.withheld and f.key.metric in PERSONAL))
    # why an audit did not run stays; what limits one that ran may name groups and their sizes
    sections = tuple(replace(part, reason="" if part.ran else part.reason) for part in record.sections)
    tallies = tuple(_sizes(counts, hidden) for counts in record.tallies if counts.model == "subject")
    return AuditRecord(findings, sections, tallies, provenance, record.measurements)


def suppressed_verdict(verdict: Verdict, copy: AuditRecord) -> Verdict:
    """Return the verdict for a suppressed copy: every status, and only the figures that are shown."""
    below = copy.provenance["suppressed_below"]
    judgements = tuple(_judgement(judgement, copy) for judgement in verdict.judgements)
    return replace(verdict, judgements=judgements, sentence=verdict.tally, remarks=(withheld_words(below),))


def withheld_words(below: int) -> Message:
    """Return the notice of a copy for publication."""
    return message(
        "Figures that rest on fewer than {below} rows are withheld, and others that would give them away. "
        "This copy is for publication; the gate judges the full record.",
        below=below,
    )


@dataclass(frozen=True, slots=True)
class _Tables:
    """The sizes of all groups of all groupings."""

    rows: dict[Cell, int] = field(default_factory=dict)
    """Rows of a group; all rows under the empty cell."""
    least: dict[Cell, int] = field(default_factory=dict)
    """The smallest margin of a group that is not empty: rows, true classes, decisions."""
    lines: list[tuple[Cell, tuple[Cell, ...]]] = field(default_factory=list)
    """A total, and the cells that add up to it."""

    @classmethod
    def of(cls, record: AuditRecord) -> _Tables:
        tables = cls()
        for counts in record.tallies:
            if counts.model == "subject":
                tables._add(counts)
        for cell in list(tables.rows):
            for column, _ in cell:
                total = tuple(pair for pair in cell if pair[0] != column)
                if total in tables.rows:
                    tables._line(total, cell, column)
        return tables

    def _add(self, counts: GroupCounts) -> None:
        import numpy as np

        cells = np.asarray(counts.counts, dtype=float)
        for at, group in enumerate(counts.groups):
            table = cells[at]
            margins = [table.sum(axis=tuple(a for a in range(table.ndim) if a != axis)) for axis in range(table.ndim)]
            sizes = [int(size) for margin in margins for size in np.ravel(margin) if size > 0] or [int(table.sum())]
            cell = tuple(zip(counts.columns, group, strict=True))
            self.rows[cell], self.least[cell] = int(table.sum()), min(sizes)

    def _line(self, total: Cell, cell: Cell, column: str) -> None:
        others = tuple(
            other
            for other in self.rows
            if len(other) == len(cell) and {*other} >= {*total} and column in (name for name, _ in other)
        )
        if (total, others) not in self.lines:
            self.lines.append((total, others))


def _closed(
    seed: set[Cell], sizes: Mapping[Cell, int], lines: list[tuple[Cell, tuple[Cell, ...]]], below: int
) -> set[Cell]:
    """Return the groups of a seed and those that protect them from subtraction; never all rows."""
    hidden = {cell for cell in seed if cell and sizes[cell]}
    grown = True
    while grown:
        found = {_protecting(total, cells, hidden, sizes, below) for total, cells in lines} - {None}
        grown = bool(found - hidden)
        hidden |= cast("set[Cell]", found)
    return hidden


def _protecting(
    total: Cell, cells: tuple[Cell, ...], hidden: set[Cell], sizes: Mapping[Cell, int], below: int
) -> Cell | None:
    """Return one more group to withhold, where subtraction in this line would reveal a withheld one."""
    away = [cell for cell in cells if cell in hidden]
    enough = len(away) > 1 and sum(sizes[cell] for cell in away) >= below
    if (away and (enough or total in hidden)) or (not away and total not in hidden):
        return None
    shown = [cell for cell in cells if cell not in hidden and sizes[cell]]
    if shown:
        return min(shown, key=lambda cell: (sizes[cell], cell))
    return total if total and total not in hidden else None


def _over_all_rows(finding: Finding) -> bool:
    return (finding.key.qualifier("rate") or finding.component or finding.key.metric) in stated("all rows")


def _shown(finding: Finding, hidden: set[Cell], below: int, strata: bool) -> Finding:
    cell: Cell = tuple(sorted(finding.key.group))
    withheld = cell in hidden or _least(finding) < below or _names_hidden(finding, hidden)
    if not withheld and not (strata and finding.key.qualifier("given")):
        return finding
    why = message("withheld: it, or what it would give away, rests on fewer than {below} rows", below=below)
    return replace(
        finding, estimate=None, interval=None, unadjusted=None, critical=None, support=0, groups=(), undefined=why,
        withheld=True, undefined_groups=(), note="", deciding=None, uncovered="",
    )  # fmt: skip


def _least(finding: Finding) -> float:
    """Return the smallest number of people behind a finding; findings about no rows are not cells."""
    sizes = [finding.support, *(size for part in finding.all_groups for size in (part.support, part.rows))]
    return min((size for size in sizes if size > 0), default=float("inf"))


def _names_hidden(finding: Finding, hidden: set[Cell]) -> bool:
    columns = finding.key.columns
    cells = [cell for cell in hidden if tuple(column for column, _ in cell) == columns]
    names = {group_name(cell) for cell in cells} | {", ".join(value for _, value in cell) for cell in cells}
    against = finding.key.qualifier("vs")
    return against in names or any(part.group in names for part in finding.all_groups)


def _sizes(counts: GroupCounts, hidden: set[Cell]) -> GroupCounts:
    """Return the rows of the groups that are shown, and no other counts."""
    import numpy as np

    named = (tuple(zip(counts.columns, group, strict=True)) for group in counts.groups)
    kept = [at for at, cell in enumerate(named) if cell not in hidden]
    cells, groups = np.asarray(counts.counts, dtype=float), tuple(counts.groups[at] for at in kept)
    return GroupCounts("subject", counts.columns, groups, ("group",), [int(cells[at].sum()) for at in kept])


def _judgement(judgement: Judgement, copy: AuditRecord) -> Judgement:
    if judgement.limit.required and judgement.key.columns != SIZES:
        return judgement
    finding = judgement.finding and copy.get(judgement.finding.key)
    if finding is not None and finding.estimate is not None:
        return judgement
    below = copy.provenance["suppressed_below"]
    words = message("Its figures are withheld: they rest on fewer than {below} rows.", below=below)
    return replace(judgement, finding=finding, reason=words, advice=None, evidence=None, burden=())
