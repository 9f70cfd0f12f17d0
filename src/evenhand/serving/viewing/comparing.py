"""Two records side by side: differences with intervals, and which of them are no more than noise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.findings import Absent, Finding
from evenhand.messages import lowered, message
from evenhand.metrics import describe
from evenhand.policy.baseline import became
from evenhand.policy.changes import by_chance, changes, strongest
from evenhand.policy.headline import headline
from evenhand.policy.regression_limits import independent_change
from evenhand.policy.verdict import WORDS
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.serving.viewing.choosing import key_of
from evenhand.serving.viewing.exploring import named_groups
from evenhand.serving.viewing.shown import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.policy.changes import Change
    from evenhand.report.sections.judged import FigureRow
    from evenhand.serving.viewing.asking import Asked

MOST_CHANGES: Final = 20


def change(now: Finding, before: Finding) -> Finding | None:
    """Return new minus old, with the interval of two independent audits; None where either has no value.

    Rows that both share make the interval wider than it need be, never narrower.
    """
    if now.estimate is None or before.estimate is None:
        return None
    estimate, interval = independent_change(now, before)
    groups = {"groups": (), "deciding": None, "unadjusted": None, "critical": None}
    return replace(now, estimate=estimate, interval=interval, direction="neutral", **groups)  # type: ignore[arg-type]


def beyond_noise(found: Finding | None) -> bool:
    """Return whether the interval of a change excludes 0; a change without an interval is not told from noise."""
    interval = None if found is None else found.interval
    if interval is None:
        return False
    return (interval.low is not None and interval.low > 0) or (interval.high is not None and interval.high < 0)


def side_by_side(record: AuditRecord, earlier: AuditRecord, asked: Asked) -> Answer:
    """Return one metric of every group in both records."""
    label = describe(asked.metric).label
    title = message("{metric}, earlier and now", metric=label)
    rows: list[tuple[str, ...]] = []
    drawn: list[FigureRow] = []
    for name, columns, group in named_groups(record, asked):
        key = key_of(asked, columns, group)
        now, then = record.find(key), earlier.find(key)
        moved = change(now, then) if isinstance(now, Finding) and isinstance(then, Finding) else None
        rows.append(
            (cut(name, 120), _shown(then), _shown(now), "–" if moved is None else with_interval(moved), _word(moved))
        )
        if moved is not None:
            drawn.append((cut(name, 120), moved, "plain", None))
    head = ("", message("earlier"), message("now"), message("change"), message("noise"))
    table = Table("compare-table", title, head, tuple(rows), frozenset({1, 2, 3})).bounded(200)
    if not drawn:
        return Answer("compare", title, (), (table,))
    drawing = figure("changes", message("{metric}: now minus earlier", metric=label), drawn)
    return Answer("compare", title, (), (replace(drawing, table=replace(drawing.table, within="compare-table")), table))


def _shown(found: Finding | Absent | None) -> str:
    return with_interval(found) if isinstance(found, Finding) else message("not known")


def _word(found: Finding | None) -> str:
    if found is None:
        return message("not known")
    return message("more than noise") if beyond_noise(found) else message("may be noise")


def changed(record: AuditRecord, earlier: AuditRecord) -> Answer:
    """Return the findings that changed by more than noise, the least likely by chance first, and how many did not."""
    found = changes(earlier, record)
    beyond, compared = strongest(found), sum(one.interval is not None for one in found)
    lead = [
        message(
            "Of {compared:,} findings that can be compared, {changed:,} changed beyond noise: of so many called "
            "changed, at most 5 % are none, on average. {alone:,} more exclude 0 on their own, as some do by chance.",
            compared=compared, changed=len(beyond), alone=by_chance(found),
        )
    ]  # fmt: skip
    cells = tuple(
        (cut(str(one.key), 120), _shown(one.before), _shown(one.now), _moved(one)) for one in beyond[:MOST_CHANGES]
    )
    head = (message("finding"), message("earlier"), message("now"), message("change"))
    title = message("What changed beyond noise")
    if len(beyond) > MOST_CHANGES:
        lead.append(message("The {shown} least likely by chance:", shown=MOST_CHANGES))
    table = Table("changed-table", title, head, cells, frozenset({1, 2, 3}))
    return Answer("changed", title, tuple(lead), (table,) if cells else ())


def _moved(one: Change) -> str:
    now = one.now
    assert now is not None  # it is there where it changed
    return with_interval(replace(now, estimate=one.estimate, interval=one.interval))


def limits(now: Verdict, then: Verdict) -> Answer:
    """Return what became of each limit that changed, and how many did not."""
    before = {str(judgement.key): judgement.status for judgement in then.judgements}
    rows, every = [], len(now.judgements)
    for judgement in now.judgements:
        was = before.get(str(judgement.key))
        if was != judgement.status:
            old = message("absent") if was is None else lowered(WORDS[was])
            word = became(was, judgement.status)
            rows.append((cut(str(judgement.key), 120), old, lowered(WORDS[judgement.status]), word))
    head = (message("limit"), message("earlier"), message("now"), message("became"))
    title = message("What became of each limit")
    lead = (
        message("Earlier: {headline}.", headline=headline(then).text),
        message("Now: {headline}.", headline=headline(now).text),
        message("{same:,} of {limits:,} limits are as before.", same=every - len(rows), limits=every),
    )  # fmt: skip
    return Answer("limits-changed", title, lead, (Table("became-table", title, head, tuple(rows)),) if rows else ())


def same_rows(records: Iterable[AuditRecord]) -> bool:
    """Return whether two records are of the same rows, by the hash of their data."""
    hashes = [record.provenance.get("data", {}).get("content_hash") for record in records]
    return hashes[0] is not None and len(set(hashes)) == 1
