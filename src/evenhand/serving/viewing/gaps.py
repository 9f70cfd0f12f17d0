"""The gaps between groups in one metric, with their intervals, and how many people bear them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evenhand.findings import Absent, AuditRecord, Finding, GroupCounts
from evenhand.keys import Key, group_name
from evenhand.messages import joined, lowered, message
from evenhand.metrics import describe
from evenhand.metrics.answers.compared import Behind
from evenhand.policy.burden import burden_of
from evenhand.policy.grounds import Evidence
from evenhand.policy.limits import Limit
from evenhand.policy.telling import labelled
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut, show, told, with_interval
from evenhand.serving.viewing.choosing import key_of
from evenhand.serving.viewing.shown import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.serving.viewing.asking import Asked


def gaps(record: AuditRecord, asked: Asked) -> Answer | None:
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
    head = (
        message("comparison"),
        message("estimate and interval"),
        message("groups furthest apart"),
        message("chance"),
    )
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
    tallies = tuple(_chosen(part, asked.groups) if part.columns == asked.by else part for part in record.tallies)
    return replace(record, findings=(), tallies=tallies)


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


def burden(record: AuditRecord, asked: Asked) -> Answer | None:
    """Return how many more people of each group are harmed than at the rate they are compared with."""
    if not asked.by or not record.tallies:
        return None
    record = only(record, asked) if asked.groups and not asked.vs else record
    key = key_of(asked, asked.by, (), f"{asked.metric}_difference", asked.vs)
    evidence = Evidence(key, asked.metric, "high", ())
    found = burden_of(evidence, Limit(key, at_most=0.0), record, Behind(record, record.level), record.level)
    chosen = {labelled(asked.by, group) for group in asked.groups}
    found = tuple(part for part in found if not chosen or part.group in chosen)
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
        "How many more {people} of a group are harmed than at the rate of the group it is compared with, in the rows "
        "of this audit; the interval holds for all groups at once.",
        people=people,
    )
    return Answer("burden", title, (lead,), (Table("burden-table", title, head, cells, frozenset({1, 2})),))
