"""Groups looked at in other ways: among rows alike in something, beside what chance would show, and by probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.keys import group_name
from evenhand.messages import Message, message
from evenhand.metrics import describe
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut, p_value, show, with_interval
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
    columns = (message("groups by"), message("among rows alike in"), message("disparity"))
    head = (*columns, message("estimate and interval"), "")
    title = message("Disparities among rows that are alike")
    table = Table("strata-table", title, head, rows, frozenset({3})).bounded(120)
    lead = (
        message(
            "Groups compared within each value of a control feature. Without a value stands the worst of all its "
            "values, with an interval that allows for having looked at each."
        ),
        message("A control feature that itself carries discrimination explains a gap away."),
    )
    return (Part("strata", message("Among rows that are alike"), lead, (table,)),)


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
    head = (
        message("feature"), message("rate"), message("gap"), message("gap by chance"), message("gap without chance"),
        message("p-value of any gap"),
    )  # fmt: skip
    first = Table("chance-gaps", message("Gaps beside those of equal groups"), head, gaps, frozenset({2, 3, 4, 5}))
    both = message("Gaps beside those of equal groups, where features cross")
    between = Table("chance-crossed", both, head, crossed, frozenset({2, 3, 4, 5}), folded=both)
    columns = (message("group"), message("rate"), message("rows"), message("p-value"), message("test"))
    title = message("Each group against all other rows")
    second = Table("chance-groups", title, columns, rows, frozenset({2, 3}), folded=title).bounded(100)
    other = message("Each group against the group with the highest rate")
    third = Table("chance-highest", other, columns, beside, frozenset({2, 3}), folded=other).bounded(100)
    lead = (
        message("No limit is judged by these. A small p-value does not make a gap matter, nor a large one absent."),
    )
    tables = (first, *(table for table in (between, second, third) if table.rows))
    return (Part("chance", message("What chance alone would show"), lead, tables),)


def _tests(found: list[Finding], vs: str | None) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            cut(group_name(f.key.group), 80),
            describe(f.key.qualifier("rate") or "").label,
            f"{f.support:,}",
            p_value(f),
            _test(f.note),
        )
        for f in found
        if f.key.qualifier("vs") == vs
    )


def _test(note: str) -> str:
    """Return which test it was; of an older record the whole note."""
    test = note.places.get("test") if isinstance(note, Message) else None
    return test if isinstance(test, str) else note


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
        message("Each group beside the one with the highest rate"),
        message("Shares of each group"),
        message("All groups at once"),
    )
    group, value = message("group"), message("value")
    head = (group, message("rate"), message("ratio and interval"), "")
    wide = (message("feature"), "", value, "")
    tables = (
        Table("impact-ratios", first, head, ratios, frozenset({2})).bounded(100),
        Table("impact-shares", second, (group, "", value), shares, frozenset({2}), folded=second).bounded(100),
        Table("impact-whole", third, wide, whole, frozenset({2}), folded=third).bounded(100),
    )
    lead = (
        message(
            "Under four fifths of the highest rate is evidence of adverse impact (29 CFR 1607.4(D)), and no verdict."
        ),
    )
    return (Part("impact", message("Who gets the selections"), lead, tuple(table for table in tables if table.rows)),)


def _gap_rows(record: AuditRecord, found: list[Finding]) -> list[tuple[str, ...]]:
    rows = []
    for finding in found:
        if finding.key.metric != "noise_floor":
            continue
        rate, columns = finding.key.qualifier("rate") or "", finding.key.columns
        shrunken, test = (record.get(finding.key.renamed(name)) for name in ("shrunken_difference", "p_value"))
        gap = record.get(type(finding.key).of(f"{rate}_difference", columns))
        shown = [show(f.estimate) if f is not None else "–" for f in (gap, finding, shrunken)]
        rows.append((cut(", ".join(columns), 60), describe(rate).label, *shown, p_value(test)))
    return rows


def by_probability(record: AuditRecord) -> tuple[Part, ...]:
    """Return the part about groups that are known by probability only; nothing without them."""
    found = [f for f in record.findings if f.audit == "unobserved_groups"]
    if not found:
        return ()
    rows = tuple((cut(f.name, 120), with_interval(f), f"{f.support:,}") for f in found)
    head = ("", message("estimate and bounds"), message("expected rows"))
    caption, title = message("Rates of groups that no row names"), message("Groups known by probability")
    table = Table("unobserved_groups-table", caption, head, rows, frozenset({1, 2})).bounded()
    return (Part("unobserved_groups", title, reasons(record, "unobserved_groups"), (table,)),)
