"""Metrics of each group: one part for each feature and crossing."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

from evenhand.keys import Key, group_name
from evenhand.messages import joined, message
from evenhand.metrics import METRICS, describe
from evenhand.metrics.catalogue.lists import stated
from evenhand.report.drawings import MOST_ROWS, Table, table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, told, with_interval
from evenhand.report.sections.answering import STATING, answered, farthest, gaps, others_apart
from evenhand.report.sections.decisions import scores_by_group, whose
from evenhand.report.sections.facts import graded_by, group_key, group_label, group_rows, groupings
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord, Finding, GroupCounts
    from evenhand.report.sections.judged import Judged

MOST_SHOWN: Final = 12
"""Rows of the first figure of a part; where there are more groups, those with the least and the greatest values."""
NO_VALUE: Final = message("Some metric cannot be computed for {groups}; it is said where, and is never taken for 0.")
WITHHELD: Final = message("Withheld in this copy, small groups and those that would give them away: {groups}.")


def group_parts(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return one part for each feature and crossing."""
    return tuple(_part(record, counts, judged, at) for at, counts in enumerate(groupings(record)))


def _part(record: AuditRecord, counts: GroupCounts, judged: Judged, at: int) -> Part:
    name, title = f"groups-{at}", " × ".join(cut(column, 60) for column in counts.columns)
    words = message("Groups by {features}", features=title)
    if not counts.groups:
        return Part(name, words, _sentences(record, counts))
    found = gaps(record, counts, judged)
    answer = answered(judged, found)
    plain = len(counts.columns) > 1 and not judged.of(found)
    if plain:
        blocks, shown = _tables(record, counts, name, title), 1
    else:
        blocks, shown = _figures(record, counts, judged, name, title)
    return Part(
        name, words, _sentences(record, counts), tuple(blocks), answer=answer.sentence, state=answer.state,
        open=answer.opens and not plain, shown=shown,
    )  # fmt: skip


def _tables(record: AuditRecord, counts: GroupCounts, name: str, title: str) -> list[Block]:
    """Return the metrics and disparities of a crossing without a limit, as tables."""
    disparities = _disparities(record, counts)
    table = _group_table(record, counts, name, _metrics(record, counts))
    return [table, *([_disparity_table(disparities, name, title)] if disparities else [])]


def _figures(
    record: AuditRecord, counts: GroupCounts, judged: Judged, name: str, title: str
) -> tuple[list[Block], int]:
    """Draw the groups, and return how many figures show the answer; these come first."""
    metrics = _metrics(record, counts)
    told = dict.fromkeys(f.component or f.key.metric for f in _deciding(judged, gaps(record, counts, judged)))
    first = [block for metric in told for block in _first(record, counts, judged, metric, name)]
    drawn = [metric for metric in _drawn(metrics) if metric not in told]
    blocks: list[Block] = [*first, _group_table(record, counts, name, metrics)]
    blocks += [block for metric in drawn for block in _first(record, counts, judged, metric, name)]
    if len(counts.columns) == 1:
        blocks += [] if graded_by(record) else whose(record, counts, name, title)
        blocks += scores_by_group(record, counts, name, title)
    if disparities := _disparities(record, counts):
        blocks.append(_headline(disparities, judged, name, title))
    return blocks, max(len(first), 1)


def _deciding(judged: Judged, found: list[Finding]) -> list[Finding]:
    """Return the findings that the answer is about: of the worst limit that is not passed, and the farthest gap."""
    limits = [each.finding for each in judged.of(found) if each.status != "passed"]
    passed = {each.key for each in judged.of(found) if each.status == "passed"}
    return [f for f in (*limits[:1], farthest(f for f in found if f.key not in passed)) if f is not None]


def _first(record: AuditRecord, counts: GroupCounts, judged: Judged, metric: str, name: str) -> list[Block]:
    """Draw a metric; where there are many groups, those shown to be lowest and highest."""
    known = [
        (-inf if interval.low is None else interval.low, inf if interval.high is None else interval.high, group)
        for group in range(len(counts.groups))
        if (f := record.get(group_key(metric, counts, group))) is not None and (interval := f.interval) is not None
    ]
    if len(known) < MOST_SHOWN:
        return _rates(record, counts, judged, metric, name)
    low = sorted(known, key=lambda each: each[1])[: MOST_SHOWN // 2]
    high = sorted((each for each in known if each not in low), key=lambda each: each[0])[-(MOST_SHOWN // 2) :]
    title = message(
        "{metric}: the {shown} of {groups} groups that are shown to be lowest and highest",
        metric=describe(metric).label, shown=len(low) + len(high), groups=len(counts.groups),
    )  # fmt: skip
    return _rates(record, counts, judged, metric, f"{name}-ends", title, [group for *_, group in (*low, *high)])


def _drawn(metrics: list[str]) -> list[str]:
    """Return the metrics with a figure each."""
    usual = [metric for metric in stated("figure") if metric in metrics]
    return usual or [metric for metric in metrics if METRICS[metric].highest == 1][:3]


def _rates(
    record: AuditRecord, counts: GroupCounts, judged: Judged, metric: str, name: str, title: str = "",
    chosen: Sequence[int] | None = None,
) -> list[Block]:  # fmt: skip
    """Draw a metric of every group, or of some, below that of all rows, each against its limit where it has one."""
    every = record.get(metric)
    rows = [judged.row(message("all rows"), every)] if every is not None else []
    found = [
        judged.row(group_label(counts, group), finding)
        for group in (range(len(counts.groups)) if chosen is None else chosen)
        if (finding := record.get(group_key(metric, counts, group))) is not None
    ]
    features = " × ".join(cut(column, 60) for column in counts.columns)
    words = title or message("{metric}, by {features}", metric=describe(metric).label, features=features)
    if not found:
        return []
    drawn = figure(f"{name}-{metric}", words, rows + found)
    whole = name.removesuffix("-ends")
    return [replace(drawn, table=replace(drawn.table, within=f"{whole}-table"))]


def _headline(found: list[Finding], judged: Judged, name: str, title: str) -> Block:
    """Draw the best-known disparities, and those with a limit; the table has all of them."""
    shown = [
        f
        for f in found
        if (f.key.metric in stated("headline") or judged.holds(f))
        and f.unit in ("share", "ratio", "score")
        and f.estimate is not None
    ]
    table = _disparity_table([*shown, *(f for f in found if f not in shown)], name, title)
    if not shown:
        return table
    rows = [judged.row(describe(f.key.metric).label, f) for f in shown]
    drawn = figure(f"{name}-disparities", message("Disparities by {features}", features=title), rows)
    return replace(drawn, table=table)


def _metrics(record: AuditRecord, counts: GroupCounts) -> list[str]:
    """Return the metrics of the table of groups: the usual ones, or for other tasks the first measured."""
    if graded_by(record):
        return list(stated("column", graded=graded_by(record)))
    usual = [metric for metric in stated("column") if record.get(group_key(metric, counts, 0)) is not None]
    if "selection_rate" in usual:
        return list(stated("column"))
    mine = {key.metric: None for f in record.findings if _is_of(key := f.key, counts) and key.metric in METRICS}
    return list(mine)[:7]


def _is_of(key: Key, counts: GroupCounts) -> bool:
    return not key.qualifiers and tuple(group for _, group in key.group) == counts.groups[0] != ()


def _group_table(record: AuditRecord, counts: GroupCounts, name: str, metrics: list[str]) -> Table:
    of_all = [record.get(metric) for metric in metrics]
    support = max((finding.support for finding in of_all if finding is not None), default=0)
    rows = [(message("all rows"), f"{support:,}", *(with_interval(finding) for finding in of_all))]
    for group in range(min(len(counts.groups), MOST_ROWS - 1)):
        cells = [with_interval(record.get(group_key(metric, counts, group))) for metric in metrics]
        rows.append((group_label(counts, group, 200), f"{group_rows(counts, group):,}", *cells))
    head = (message("group"), message("rows"), *(describe(metric).label for metric in metrics))
    title = message("Every group: {features}", features=cut(" × ".join(counts.columns), 60))
    left = 1 + len(counts.groups) - len(rows)
    return Table(f"{name}-table", title, head, tuple(rows), frozenset(range(1, len(head))), cut=left)


def _disparities(record: AuditRecord, counts: GroupCounts) -> list[Finding]:
    found = (f for f in record.findings if f.audit in STATING and f.key.columns == tuple(counts.columns))
    return [f for f in found if not f.key.group and not f.key.qualifiers]


def _disparity_table(found: list[Finding], name: str, title: str) -> Table:
    rows = ((describe(f.key.metric).label, with_interval(f), _ends(f), _absent(f)) for f in found)
    head = (
        message("disparity"), message("estimate and interval"), message("least and greatest"),
        message("groups without a value"),
    )  # fmt: skip
    (made,) = table(f"{name}-gaps", message("Disparities by {features}: numbers", features=title), head, rows, {1})
    return replace(made, folded=message("The {disparities} disparities as a table", disparities=len(found)))


def _absent(finding: Finding) -> str:
    """Return the groups without a value, for which the interval allows any; of what is undefined, why."""
    return finding.undefined or joined("; ", (cut(group, 60) for group in finding.undefined_groups))


def _ends(finding: Finding) -> str:
    """Return the groups with the extreme values; of a ratio these are in the unit of what it compares."""
    unit = finding.unit
    if unit == "ratio":
        unit = "share" if describe(finding.component).range[1] <= 1 else "number"
    return joined("; ", (told(cut(part.group, 60), part.estimate, part.support, unit) for part in finding.groups))


def _sentences(record: AuditRecord, counts: GroupCounts) -> tuple[str, ...]:
    """State the gap in selection that is shown to be widest, and the groups without a value of a metric."""
    sentences: list[str] = []
    gap = record.get(Key.of("selection_rate_difference", counts.columns))
    if gap is not None and gap.estimate is not None and len(gap.furthest) > 1 and gap.audit == "fairness":
        least, greatest = gap.furthest
        sentences.append(
            message(
                "{most}: predicted positive in {most_share} of {most_rows:,} rows; {least}: in {least_share} of "
                "{least_rows:,}.",
                most=_named(greatest.group, counts), most_share=_percent(greatest.estimate), most_rows=greatest.rows,
                least=_named(least.group, counts), least_share=_percent(least.estimate), least_rows=least.rows,
            )
        )  # fmt: skip
        sentences.append(_greatest(gap, counts))
    undefined = sorted({group for f in _disparities(record, counts) for group in f.undefined_groups})
    if undefined:
        named = joined("; ", (cut(group, 60) for group in undefined[:8]))
        sentences.append(message(NO_VALUE, groups=named))
    if withheld := _withheld(record, counts):
        sentences.append(message(WITHHELD, groups=withheld))
    return tuple(sentences)


def _greatest(gap: Finding, counts: GroupCounts) -> str:
    """State the greatest difference, and whose it is where others are shown to be furthest apart."""
    difference, chance = with_interval(gap), _against_chance(gap)
    if not others_apart(gap):
        return message(
            "The greatest difference between groups is {difference}, {chance}.", difference=difference, chance=chance
        )
    least, greatest = (
        message("{group} (n={rows:,})", group=_named(part.group, counts), rows=part.rows) for part in gap.groups
    )
    return message(
        "The greatest difference as counted, between {most} and {least}, is {difference}, {chance}.",
        most=greatest, least=least, difference=difference, chance=chance,
    )  # fmt: skip


def _withheld(record: AuditRecord, counts: GroupCounts) -> str:
    """Return the groups of this grouping that a copy for publication withholds."""
    cells = record.provenance.get("withheld_groups", [])
    mine = [cell for cell in cells if tuple(sorted(cell)) == tuple(sorted(counts.columns))]
    return joined("; ", (cut(group_name(cell.items()), 60) for cell in mine))


def _named(group: str, counts: GroupCounts) -> str:
    return cut(f"{counts.columns[0]}={group}" if len(counts.columns) == 1 else group, 80)


def _against_chance(gap: Finding) -> str:
    low = None if gap.interval is None else gap.interval.low
    if low is None:
        return message("without an interval")
    if low > 0:
        return message("more than chance alone would make of equal groups")
    return message("which equal groups of these sizes could show by chance")


def _percent(value: float | None) -> str:
    return message("an unknown share") if value is None else f"{100 * value:.1f} %"


SECTION: Final = Section("groups", message("Groups"), STATING, 410, group_parts, within="fairness", theme=GROUPS)
