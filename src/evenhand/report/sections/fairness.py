"""Fairness at a glance: every group on one axis, small groups by name, and which definitions exclude each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import Key, group_name
from evenhand.messages import joined, message
from evenhand.metrics import METRICS, describe
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.catalogue.names import split_name
from evenhand.policy.telling import labelled
from evenhand.report.drawings import Table, table
from evenhand.report.figures.dots import swarm_figure
from evenhand.report.figures.findings import described
from evenhand.report.numbers import cut, named, show, told, with_interval
from evenhand.report.sections.answering import Answer, answered, farthest, gaps
from evenhand.report.sections.facts import graded_by, group_key, group_label, group_rows, groupings
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import OPENING, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding, GroupCounts
    from evenhand.policy import Verdict
    from evenhand.report.sections.judged import Judged
    from evenhand.report.view import Block, State

TITLE: Final = message("Fairness")
EMPTY: Final = message("No sensitive feature was named.")
SMALL: Final = 30
"""Groups of fewer rows are named."""
KEY: Final = (
    (0, message("fewer than {rows} rows", rows=SMALL)), (2, message("{rows} rows or more", rows=SMALL)),
)  # fmt: skip
MOST_NAMED: Final = 20
MOST_STRIPS: Final = 12
DEFINITIONS: Final = {
    "selection_rate_difference": ("independence", message("selection alike")),
    "equalized_odds_difference": ("separation", message("errors alike")),
    "precision_difference": ("sufficiency", message("decisions mean alike")),
}
"""One disparity for each of the three families, and its words."""
SURELY: Final = message("Base rates surely differ by {feature}, so the gaps below cannot all be 0.")
LIMITED: Final = message("The policy limits for {feature}: {families}; not all of it can be met exactly.")
EXCLUDE: Final = message(
    "Where base rates differ, a model that errs cannot have all of these alike in all groups: selection, errors, what "
    "a decision means (Kleinberg et al. 2017; Chouldechova 2017). Which one matters is for people to choose and to say."
)


def fairness(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Draw every group at a glance; nothing when no group was named."""
    if not groupings(record):
        return ()
    lead, table = in_conflict(record, judged.verdict)
    return (Part("fairness", TITLE, (*small_groups(record), *lead), (*every_group(record), *table)),)


def small_groups(record: AuditRecord) -> tuple[str, ...]:
    """Name the groups of few rows."""
    found = [
        message("{group} ({rows:,})", group=labelled(counts.columns, group_label(counts, at)), rows=rows)
        for counts in groupings(record)
        for at in range(len(counts.groups))
        if (rows := group_rows(counts, at)) < SMALL
    ]
    if not found:
        return ()
    named, more = joined("; ", found[:MOST_NAMED]), len(found) - MOST_NAMED
    if more > 0:
        named = message("{groups}; and {more} more", groups=named, more=more)
    return (message("Groups with fewer than {rows} rows, all of them counted: {groups}.", rows=SMALL, groups=named),)


def every_group(record: AuditRecord) -> tuple[Block, ...]:
    """Draw one dot per group, one row of dots per feature or crossing."""
    for metric in stated("strip", graded=graded_by(record)):
        known = ((counts, _values(record, counts, metric)) for counts in groupings(record)[:MOST_STRIPS])
        if strips := [(counts, found) for counts, found in known if found]:
            return (_swarm(metric, strips),)
    return ()


def _values(record: AuditRecord, counts: GroupCounts, metric: str) -> list[Finding]:
    found = (record.get(group_key(metric, counts, at)) for at in range(len(counts.groups)))
    return [finding for finding in found if finding is not None and finding.estimate is not None]


def _swarm(metric: str, strips: list[tuple[GroupCounts, list[Finding]]]) -> Block:
    label = describe(metric).label
    title = message("{metric}: one dot a group", metric=label)
    rows, cells = [], []
    for counts, found in strips:
        ordered = sorted(found, key=lambda finding: finding.estimate or 0.0)
        least, greatest = ordered[0], ordered[-1]
        name = cut(" × ".join(counts.columns), 60)
        dots = [(f.estimate or 0.0, 0 if f.support < SMALL else 2) for f in found]
        spread = f"{show(least.estimate, least.unit)} – {show(greatest.estimate, greatest.unit)}"
        rows.append((name, dots, f"{spread} ({len(found):,})"))
        cells.append((name, f"{len(found):,}", _whose(least), _whose(greatest)))
    head = ("", message("groups"), message("least"), message("greatest"))
    twin = Table("groups-all-table", title, head, tuple(cells), frozenset({1}))
    said = described(title, [(name, joined(" – ", (least, greatest))) for name, _, least, greatest in cells[:4]])
    return swarm_figure("groups-all", title, said, rows, twin, axis=label, key=KEY, shares=METRICS[metric].highest == 1)


def _whose(finding: Finding) -> str:
    return told(group_name(finding.key.group), finding.estimate, finding.support, finding.unit)


def in_conflict(record: AuditRecord, verdict: Verdict | None) -> tuple[tuple[str, ...], tuple[Block, ...]]:
    """State which definitions of fairness exclude each other on these rows, and their values."""
    rows, lead = [], []
    for counts in () if graded_by(record) else groupings(record):
        base = record.get(Key.of("base_rate_difference", counts.columns))
        if len(counts.columns) != 1 or base is None or base.estimate is None:
            continue
        found, column = (
            [record.get(Key.of(metric, counts.columns)) for metric in DEFINITIONS],
            cut(counts.columns[0], 60),
        )
        rows.append((column, with_interval(base), *(with_interval(f) for f in found)))
        if base.interval is not None and (base.interval.low or 0) > 0:
            lead.append(message(SURELY, feature=column))
            if asked := _asked(counts.columns[0], verdict):
                lead.append(message(LIMITED, feature=column, families=asked))
    if not rows:
        return (), ()
    head = (message("feature"), message("base rates differ by"), *(words for _, words in DEFINITIONS.values()))
    title = message("Definitions in conflict: how far each is from being met")
    return (EXCLUDE, *lead), table("conflicts", title, head, rows)


def _asked(column: str, verdict: Verdict | None) -> str:
    """Return the families that a policy limits for a feature, where they are more than one."""
    families = {
        _family(split_name(judgement.key.metric)[0])
        for judgement in (() if verdict is None else verdict.judgements)
        if judgement.key.columns == (column,) and not judgement.key.group
        if judgement.key.metric.endswith(("_difference", "_ratio"))
    }
    told = [words for family, words in DEFINITIONS.values() if family in families]
    return joined("; ", told) if len(told) > 1 else ""


def _family(metric: str) -> str:
    """Return the family of definitions that a metric, or the rates of equalized odds, belong to."""
    other = {"equalized_odds": "separation", "calibration_error": "sufficiency"}
    return other.get(metric) or describe(metric).family


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State for which features a gap is beyond chance."""
    found = {counts.columns: gaps(record, counts, judged) for counts in groupings(record)}
    states = [answered(judged, each).state for each in found.values()]
    apart = [cut(" × ".join(columns), 60) for columns, each in found.items() if farthest(each) is not None]
    order: tuple[State, ...] = (*OPENING, "passed")
    state: State = next((state for state in order if state in states), "plain")
    if not apart:
        return Answer(message("No gap between groups is beyond what chance shows."), state)
    said = message("Groups differ beyond chance by {features}.", features=named(apart, MOST_NAMED))
    return Answer(said, state)


SECTION: Final = Section("fairness", TITLE, ("fairness", "counts"), 400, fairness, EMPTY, theme=GROUPS, answer=answer)
