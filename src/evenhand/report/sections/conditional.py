"""Groups looked at in other ways: among rows alike in something, beside what chance would show, and by probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.keys import group_name
from evenhand.metrics import describe
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.reasons import reasons
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding


def within(record: AuditRecord) -> tuple[Part, ...]:
    """Return the part about rows that are alike in a control feature; nothing without one."""
    found = [f for f in record.findings if f.audit == "strata"]
    if not found:
        return ()
    rows = tuple(
        (
            cut(", ".join(f.key.columns), 60),
            cut(f.key.qualifier("given") or "", 80),
            describe(f.key.metric).label,
            with_interval(f),
            f.undefined or f.note,
        )
        for f in found
    )
    head = ("groups by", "among rows alike in", "disparity", "estimate and interval", "")
    table = Table("strata-table", "Disparities among rows that are alike", head, rows, frozenset({3})).bounded(120)
    lead = (
        "Groups compared within each value of a control feature. Without a value stands the worst of all its values, "
        "with an interval that allows for having looked at each.",
        "A control feature that itself carries discrimination explains a gap away.",
    )
    return (Part("strata", "Among rows that are alike", lead, (table,)),)


def by_chance(record: AuditRecord) -> tuple[Part, ...]:
    """Return the part about p-values, noise floors and shrunken gaps; nothing where they were not computed."""
    found = [f for f in record.findings if f.audit == "chance"]
    if not found:
        return ()
    gaps, crossed = (
        tuple(_gap_rows(record, [f for f in found if (len(f.key.columns) > 1) is several])) for several in (False, True)
    )
    single = [f for f in found if f.key.metric == "p_value" and f.key.group]
    rows, beside = (_tests(single, vs) for vs in (None, "highest"))
    head = ("feature", "rate", "gap", "gap by chance", "gap without chance", "p-value of any gap")
    first = Table("chance-gaps", "Gaps beside those of equal groups", head, gaps, frozenset({2, 3, 4, 5}))
    both = "Gaps beside those of equal groups, where features cross"
    between = Table("chance-crossed", both, head, crossed, frozenset({2, 3, 4, 5}), folded=both)
    columns = ("group", "rate", "rows", "p-value", "test")
    title = "Each group against all other rows"
    second = Table("chance-groups", title, columns, rows, frozenset({2, 3}), folded=title).bounded(100)
    other = "Each group against the group with the highest rate"
    third = Table("chance-highest", other, columns, beside, frozenset({2, 3}), folded=other).bounded(100)
    lead = ("No limit is judged by these. A small p-value does not make a gap matter, nor a large one absent.",)
    tables = (first, *(table for table in (between, second, third) if table.rows))
    return (Part("chance", "What chance alone would show", lead, tables),)


def _tests(found: list[Finding], vs: str | None) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            cut(group_name(f.key.group), 80),
            describe(f.key.qualifier("rate") or "").label,
            f"{f.support:,}",
            _chance(f),
            f.note.partition(" test")[0],
        )
        for f in found
        if f.key.qualifier("vs") == vs
    )


def of_impact(record: AuditRecord) -> tuple[Part, ...]:
    """Return the part about impact and scoring ratios, shares, and inequality between groups; nothing without them."""
    found = [f for f in record.findings if f.audit == "impact"]
    if not found:
        return ()
    ratios = tuple(
        (cut(group_name(f.key.group), 80), describe(f.component).label, with_interval(f), f.undefined)
        for f in found
        if f.key.qualifier("vs") == "highest"
    )
    shares = tuple(
        (cut(group_name(f.key.group), 80), describe(f.key.metric).label, with_interval(f))
        for f in found
        if f.key.group and f.key.qualifier("vs") is None
    )
    whole = tuple(
        (cut(", ".join(f.key.columns), 60), describe(f.key.metric).label, with_interval(f), f.undefined or f.note)
        for f in found
        if not f.key.group
    )
    first, second, third = (
        "Each group beside the one with the highest rate",
        "Shares of each group",
        "All groups at once",
    )
    tables = (
        Table("impact-ratios", first, ("group", "rate", "ratio and interval", ""), ratios, frozenset({2})).bounded(100),
        Table("impact-shares", second, ("group", "", "value"), shares, frozenset({2}), folded=second).bounded(100),
        Table("impact-whole", third, ("feature", "", "value", ""), whole, frozenset({2}), folded=third).bounded(100),
    )
    lead = ("Under four fifths of the highest rate is evidence of adverse impact (29 CFR 1607.4(D)), and no verdict.",)
    return (Part("impact", "Who gets the selections", lead, tuple(table for table in tables if table.rows)),)


def _gap_rows(record: AuditRecord, found: list[Finding]) -> list[tuple[str, ...]]:
    rows = []
    for finding in found:
        if finding.key.metric != "noise_floor":
            continue
        rate, columns = finding.key.qualifier("rate") or "", finding.key.columns
        shrunken, test = (record.get(finding.key.renamed(name)) for name in ("shrunken_difference", "p_value"))
        gap = record.get(type(finding.key).of(f"{rate}_difference", columns))
        shown = [show(f.estimate) if f is not None else "–" for f in (gap, finding, shrunken)]
        chance = "–" if test is None else _chance(test)
        rows.append((cut(", ".join(columns), 60), describe(rate).label, *shown, chance))
    return rows


def _chance(finding: Finding) -> str:
    value = finding.estimate
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def by_probability(record: AuditRecord) -> tuple[Part, ...]:
    """Return the part about groups that are known by probability only; nothing without them."""
    found = [f for f in record.findings if f.audit == "unobserved_groups"]
    if not found:
        return ()
    rows = tuple((cut(f.name, 120), with_interval(f), f"{f.support:,}") for f in found)
    head = ("", "estimate and bounds", "expected rows")
    table = Table(
        "unobserved_groups-table", "Rates of groups that no row names", head, rows, frozenset({1, 2})
    ).bounded()
    return (Part("unobserved_groups", "Groups known by probability", reasons(record, "unobserved_groups"), (table,)),)
