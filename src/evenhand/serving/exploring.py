"""The page of groups: a metric of every group with its interval, the gaps between them, and who bears them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.findings import Absent, AuditRecord, Finding, GroupCounts
from evenhand.keys import Key, group_name
from evenhand.messages import joined, lowered, message
from evenhand.metrics import METRICS, describe, measure
from evenhand.metrics.answers.compared import Behind
from evenhand.metrics.answers.questions import is_paired
from evenhand.metrics.values.thresholds import tallies
from evenhand.policy.burden import burden_of
from evenhand.policy.grounds import Evidence
from evenhand.policy.limits import Limit
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import figure
from evenhand.report.figures.lines import line_figure
from evenhand.report.numbers import cut, show, told, with_interval
from evenhand.report.sections.judged import Judged
from evenhand.serving.choosing import groups_of, key_of
from evenhand.serving.shown import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.metrics import Metric
    from evenhand.policy import Verdict
    from evenhand.report.drawings import Lines
    from evenhand.report.sections.judged import FigureRow
    from evenhand.report.view import Block
    from evenhand.serving.asking import Asked

MOST_GROUPS: Final = 200
MOST_LINES: Final = 5
MOST_ROWS: Final = 16
FEWEST: Final = 3
"""Thresholds of which a line is drawn."""
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
    before = None if record is audited else audited
    rows = list(_rows(record, asked, before))
    found = [
        part for part in (_values(rows, asked, Judged(verdict)), _gaps(record, asked), _burden(record, asked)) if part
    ]
    lines = _lines(audited, asked)
    return (*found, *([lines] if lines else []))


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
    blocks: tuple[Block, ...] = (_table(title, rows),)
    if any(finding.estimate is not None for _, finding, _, _ in drawn):
        drawing = figure("values", title, drawn)
        blocks = (replace(drawing, table=replace(drawing.table, within="values-table")), *blocks)
    return Answer("answer", title, lead, blocks)


def _table(title: str, rows: list[Row]) -> Table:
    compared = any(before is not None for _, _, before in rows)
    head = (message("group"), message("rows counted"), message("estimate and interval"))
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
    return Table("values-table", title, head, cells, frozenset(range(1, len(head)))).bounded(MOST_GROUPS)


def _features(asked: Asked) -> str:
    return " × ".join(cut(column, 60) for column in asked.by)


def _gaps(record: AuditRecord, asked: Asked) -> Answer | None:
    """Return the comparisons of the groups, each with its interval and the groups that are furthest apart."""
    if not asked.by:
        return None
    found = [
        (name, record.find(key)) if among is None else (name, among.find(key))
        for name, key, among in _asked_gaps(record, asked)
    ]
    cells = tuple(_gap(name, finding) for name, finding in found)
    first = found[0][1]
    lead = [_summary(asked, first)] if isinstance(first, Finding) and first.estimate is not None else []
    if asked.groups:
        lead.append(message("Groups were chosen after looking, so these intervals are surer than the data allow."))
    head = (message("comparison"), message("estimate and interval"), message("groups"), message("chance"))
    title = message("Gaps in {metric}", metric=lowered(describe(asked.metric).label))
    return Answer("gaps", title, tuple(lead), (Table("gaps-table", title, head, cells, frozenset({1})),))


def _asked_gaps(record: AuditRecord, asked: Asked) -> Iterator[tuple[str, Key, AuditRecord | None]]:
    """Yield each comparison: its name, its key, and the record of the chosen groups alone where it is among them."""
    among = only(record, asked) if asked.groups else None
    words = {"difference": message("greatest difference"), "ratio": message("least ratio")}
    against = {"rest": message("the other groups"), "overall": message("all rows")}
    for how, name in words.items():
        yield name, key_of(asked, asked.by, (), f"{asked.metric}_{how}"), among
    for vs in dict.fromkeys(("rest", "overall", *([asked.vs] if asked.vs else []))):
        key = key_of(asked, asked.by, (), f"{asked.metric}_difference", vs)
        yield message("greatest difference from {reference}", reference=against.get(vs, cut(vs, 60))), key, None
    if asked.vs:
        key = key_of(asked, asked.by, (), f"{asked.metric}_ratio", asked.vs)
        yield message("least ratio to {reference}", reference=against.get(asked.vs, cut(asked.vs, 60))), key, None


def only(record: AuditRecord, asked: Asked) -> AuditRecord:
    """Return the record with the counts of the chosen groups alone, and without findings, which are of all groups."""
    tallies_ = tuple(_chosen(part, asked.groups) if part.columns == asked.by else part for part in record.tallies)
    return replace(record, findings=(), tallies=tallies_)


def _chosen(part: GroupCounts, wanted: tuple[str, ...]) -> GroupCounts:
    kept = [at for at, group in enumerate(part.groups) if group_name(zip(part.columns, group, strict=True)) in wanted]

    def of_kept(cells: object) -> object:
        return [cells[at] for at in kept] if isinstance(cells, list) else cells

    names = ("counts", "weights", "squared_weights", "moments", "clusters")
    parts = {name: of_kept(getattr(part, name)) for name in names}
    return replace(part, groups=tuple(part.groups[at] for at in kept), **parts)  # type: ignore[arg-type]  # lists of lists


def _gap(name: str, finding: Finding | Absent) -> tuple[str, ...]:
    if isinstance(finding, Absent):
        return name, message("not known"), finding.reason, ""
    if finding.estimate is None:
        return name, finding.absence, finding.undefined, ""
    ends = joined("; ", (told(cut(part.group, 60), part.estimate, part.support) for part in finding.furthest))
    return name, with_interval(finding), ends, beyond_chance(finding)


def beyond_chance(finding: Finding) -> str:
    """Return whether a gap is more than chance alone makes of groups that are alike."""
    interval = finding.interval
    if interval is None:
        return message("no interval")
    if finding.unit == "ratio":
        return message("more than chance") if (interval.high or 1) < 1 else message("may be chance")
    return message("more than chance") if (interval.low or 0) > 0 else message("may be chance")


def _summary(asked: Asked, gap: Finding) -> str:
    chance, label = beyond_chance(gap), describe(asked.metric).label
    if len(gap.furthest) < 2:
        return message(
            "{metric}: the greatest difference between groups is {difference}.",
            metric=label,
            difference=with_interval(gap),
        )
    least, most = gap.furthest
    return message(
        "{metric}: {least} {least_value}, {most} {most_value}. The greatest difference between groups is {difference}: "
        "{chance}.", metric=label, least=cut(least.group, 80), least_value=show(least.estimate, "share"),
        most=cut(most.group, 80), most_value=show(most.estimate, "share"), difference=with_interval(gap), chance=chance,
    )  # fmt: skip


def _burden(record: AuditRecord, asked: Asked) -> Answer | None:
    """Return how many more people of each group are harmed than at the rate they are compared with."""
    if not asked.by or not record.tallies:
        return None
    key = key_of(asked, asked.by, (), f"{asked.metric}_difference", asked.vs)
    evidence = Evidence(key, asked.metric, "high", ())
    found = burden_of(evidence, Limit(key, at_most=0.0), record, Behind(record, record.level), record.level)
    if not found:
        return None
    title = message("Who bears it")
    head = (message("group"), message("more harmed"), message("of"), message("compared with"), message("shown"))
    cells = tuple(
        (
            cut(part.group, 80), f"{part.excess:,.1f} [{part.low:,.1f}, {part.high:,.1f}]", f"{part.rows:,}",
            cut(part.reference, 80), message("yes") if part.shown else message("no"),
        )
        for part in found
    )  # fmt: skip
    people = message("rows, of which a person may have several") if found[0].clustered else message("people")
    lead = message(
        "How many more {people} of a group are harmed than at the rate of the group it is compared with, in the rows of "
        "this audit; the interval holds for all groups at once.", people=people,
    )  # fmt: skip
    return Answer("burden", title, (lead,), (Table("burden-table", title, head, cells, frozenset({1, 2})),))


def _lines(record: AuditRecord, asked: Asked) -> Answer | None:
    """Return the metric of the largest groups at every threshold at which it is defined in all of them."""
    entry, places = METRICS.get(asked.metric), np.asarray(record.provenance.get("score_edges", []))
    part = next((p for p in record.tallies if (p.model, p.columns) == ("scores", asked.by)), None)
    if part is None or entry is None or not entry.counted or is_paired(asked.metric):
        return None
    counts = np.asarray(part.counts, dtype=np.int64)
    values = measure(asked.metric, tallies(counts)).estimate.reshape(-1, len(counts))
    names = [group_name(zip(part.columns, group, strict=True)) for group in part.groups]
    chosen = [at for at, name in enumerate(names) if not asked.groups or name in asked.groups]
    largest = sorted(sorted(chosen, key=lambda at: -int(counts[at].sum()))[:MOST_LINES])
    defined = ~np.isnan(values[:, largest]).any(axis=1)
    if not largest or defined.sum() < FEWEST:
        return None
    lead = [message("Without intervals; the upright line is the threshold that is shown above.")]
    if len(chosen) > len(largest):
        lead.append(message("Of {n} groups, the {shown} largest.", n=len(chosen), shown=len(largest)))
    if not defined.all():
        lead.append(message("Left out are the thresholds at which a group has no value."))
    lines = [(cut(names[at], 30) or message("all rows"), values[defined, at].tolist()) for at in largest]
    marker = asked.threshold if asked.threshold is not None else record.provenance.get("subject", {}).get("threshold")
    title = message("{metric} at every threshold", metric=describe(asked.metric).label)
    return Answer("thresholds", title, tuple(lead), (_drawn(title, places[defined].tolist(), lines, entry, marker),))


def _drawn(
    title: str, places: list[float], lines: list[tuple[str, list[float]]], entry: Metric, marker: float | None
) -> Lines:
    head = (message("threshold"), *(name for name, _ in lines))
    every = range(0, len(places), max(1, len(places) // MOST_ROWS))
    cells = tuple((f"{places[at]:.4g}", *(f"{each[at]:.3f}" for _, each in lines)) for at in every)
    twin = Table("lines-table", title, head, cells, frozenset(range(1, len(head))))
    ends = (
        message("{line} from {first:.2f} to {last:.2f}", line=name, first=values[0], last=values[-1])
        for name, values in lines
    )
    low, high, said = places[0], places[-1], joined("; ", ends)
    told_ = message("Thresholds from {low:.3g} to {high:.3g}: {lines}.", low=low, high=high, lines=said)
    top = max(max(values) for _, values in lines) if entry.highest is None else entry.highest
    bottom = min(min(values) for _, values in lines) if entry.lowest is None else entry.lowest
    return line_figure("lines", title, told_, places, lines, twin, marker=marker, top=top, bottom=bottom)
