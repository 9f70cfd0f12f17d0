"""Fairness at a glance: every group on one axis, small groups by name, and which definitions exclude each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import Key, group_name
from evenhand.metrics import METRICS, describe
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.catalogue.names import split_name
from evenhand.report.figures.dots import swarm_figure
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.groups import group_rows, groupings
from evenhand.report.view import Block, Table

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding, GroupCounts
    from evenhand.policy import Verdict

SMALL: Final = 30
"""Groups of fewer rows are named."""
MOST_NAMED: Final = 20
MOST_STRIPS: Final = 12
DEFINITIONS: Final = {
    "selection_rate_difference": ("independence", "selection alike"),
    "equalized_odds_difference": ("separation", "errors alike"),
    "precision_difference": ("sufficiency", "decisions mean alike"),
}
"""One disparity for each of the three families, and its words."""
EXCLUDE: Final = (
    "Where base rates differ, a model that errs cannot have all of these alike in all groups: selection, errors, what "
    "a decision means (Kleinberg et al. 2017; Chouldechova 2017). Which one matters is for people to choose and to say."
)


def small_groups(record: AuditRecord) -> tuple[str, ...]:
    """Name the groups of few rows."""
    found = [
        f"{cut(group_name(zip(counts.columns, group, strict=True)), 80)} ({rows:,})"
        for counts in groupings(record)
        for at, group in enumerate(counts.groups)
        if (rows := group_rows(counts, at)) < SMALL
    ]
    if not found:
        return ()
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return (f"Groups with fewer than {SMALL} rows, none left out: {'; '.join(found[:MOST_NAMED])}{more}.",)


def every_group(record: AuditRecord) -> tuple[Block, ...]:
    """Draw one dot a group, one row of dots a feature or crossing."""
    for metric in stated("strip"):
        strips = [
            (counts, found) for counts in groupings(record)[:MOST_STRIPS] if (found := _values(record, counts, metric))
        ]
        if strips:
            return (_swarm(metric, strips),)
    return ()


def _values(record: AuditRecord, counts: GroupCounts, metric: str) -> list[Finding]:
    keys = (Key.of(metric, dict(zip(counts.columns, group, strict=True))) for group in counts.groups)
    found = (record.get(key) for key in keys)
    return [finding for finding in found if finding is not None and finding.estimate is not None]


def _swarm(metric: str, strips: list[tuple[GroupCounts, list[Finding]]]) -> Block:
    label = describe(metric).label
    title = f"{label}: one dot a group, pale where it has fewer than {SMALL} rows"
    rows, cells = [], []
    for counts, found in strips:
        ordered = sorted(found, key=lambda finding: finding.estimate or 0.0)
        least, greatest = ordered[0], ordered[-1]
        name = cut(" × ".join(counts.columns), 60)
        dots = [(f.estimate or 0.0, 0 if f.support < SMALL else 2) for f in found]
        spread = f"{show(least.estimate, least.unit)} – {show(greatest.estimate, greatest.unit)}"
        rows.append((name, dots, f"{spread} ({len(found):,})"))
        cells.append((name, f"{len(found):,}", _whose(least), _whose(greatest)))
    table = Table("groups-all-table", title, ("", "groups", "least", "greatest"), tuple(cells), frozenset({1}))
    said = "; ".join(f"{name}: {least} – {greatest}" for name, _, least, greatest in cells[:4])
    shares = METRICS[metric].highest == 1
    return swarm_figure("groups-all", title, f"{title}. {said}.", rows, table, shares=shares)


def _whose(finding: Finding) -> str:
    return f"{cut(group_name(finding.key.group), 80)} {show(finding.estimate, finding.unit)} (n={finding.support:,})"


def in_conflict(record: AuditRecord, verdict: Verdict | None) -> tuple[tuple[str, ...], tuple[Block, ...]]:
    """Say which definitions of fairness exclude each other on these rows, and what each comes to here."""
    rows, lead = [], []
    for counts in groupings(record):
        base = record.get(Key.of("base_rate_difference", counts.columns))
        if len(counts.columns) != 1 or base is None or base.estimate is None:
            continue
        found = [record.get(Key.of(metric, counts.columns)) for metric in DEFINITIONS]
        rows.append((cut(counts.columns[0], 60), with_interval(base), *(with_interval(f) for f in found)))
        if _surely(base):
            column = cut(counts.columns[0], 60)
            lead.append(f"Base rates surely differ by {column}, so what stands below cannot all be 0.")
            if asked := _asked(counts.columns[0], verdict):
                lead.append(f"The policy limits for {column}: {asked}; not all of it can be met exactly.")
    if not rows:
        return (), ()
    head = ("feature", "base rates differ by", *(words for _, words in DEFINITIONS.values()))
    title = "Definitions in conflict: how far each is from being met"
    return (EXCLUDE, *lead), (Table("conflicts", title, head, tuple(rows), frozenset(range(1, 5))),)


def _surely(base: Finding) -> bool:
    return base.interval is not None and base.interval.low is not None and base.interval.low > 0


def _asked(column: str, verdict: Verdict | None) -> str:
    """Return the families that a policy limits for a feature, where they are more than one."""
    families = {
        _family(split_name(judgement.key.metric)[0])
        for judgement in (() if verdict is None else verdict.judgements)
        if judgement.key.columns == (column,) and not judgement.key.group
        if judgement.key.metric.endswith(("_difference", "_ratio"))
    }
    told = [words for family, words in DEFINITIONS.values() if family in families]
    return "; ".join(told) if len(told) > 1 else ""


def _family(metric: str) -> str:
    """Return the family of definitions that a metric, or the rates of equalized odds, belong to."""
    other = {"equalized_odds": "separation", "calibration_error": "sufficiency"}
    return other.get(metric) or describe(metric).family
