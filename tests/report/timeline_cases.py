"""Timelines with known verdicts, for pages: passing, alarmed, undecided, hostile, and a large one."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.report.conftest import HOSTILE

from evenhand.messages import message
from evenhand.timelines import Alarm, Moment, Point, Series, SeriesKind, Status, Timeline, note_of

DAYS = 40
CHANGED = 22
"""The day on which the model began to refuse women more often."""
ROWS = 500
FACTS = {
    "error": 0.05, "error_of_limits": 0.025, "error_of_drift": 0.025,
    "model": {"name": "loans.onnx", "sha256": "a" * 64}, "baseline": {"rows": 8000, "sha256": "b" * 64},
    "policy": {"name": "policy.toml", "sha256": "c" * 64}, "versions": {"evenhand": "0.0.0", "python": "3.11.0"},
}  # fmt: skip


def moments(days: int, batch: str = "2026-03-{day:02d}.parquet") -> tuple[Moment, ...]:
    """Return days of equal rows; labels are three days late, and only half of the rows get one."""
    return tuple(
        Moment(
            batch.format(day=day + 1), f"2026-{3 + day // 28:02d}-{1 + day % 28:02d}T23:59:00Z", ROWS,
            ROWS * max(day - 2, 0) // 2,
        )
        for day in range(days)
    )  # fmt: skip


def course(
    key: str, kind: SeriesKind, before: float, after: float, days: int, *,
    at_most: float | None = None, baseline: float | None = None, delay: int = 0, width: float = 2.0,
) -> Series:  # fmt: skip
    """Return a value that changes on day `CHANGED`, with a wave, and a sequence of intervals for it."""
    points, total = [], 0.0
    for day in range(delay, days):
        value = (after if day >= CHANGED else before) + 0.01 * math.sin(day)
        total += value
        counted = day + 1 - delay
        estimate, wide = total / counted, width / math.sqrt(ROWS * counted)
        low, high = max(estimate - wide, 0.0), min(estimate + wide, 1.0)
        status: Status | None = None
        if at_most is not None:
            status = "passed" if high <= at_most else "failed" if low > at_most else "undecided"
        points.append(Point(day, estimate, low, high, ROWS * counted, status, value))
    return Series(key, kind, tuple(points), at_most, None, baseline)


def watched(gap: float, shift: float, days: int = DAYS) -> tuple[Series, ...]:
    """Return all kinds of series; `gap` and `shift` are what a limit and an input change to."""
    return (
        course("recall_difference[sex]", "limit", 0.03, gap, days, at_most=0.1, baseline=0.03, delay=3),
        course("selection_rate_difference[race]", "limit", 0.02, 0.02, days, at_most=0.1, baseline=0.02),
        course("accuracy", "performance", 0.82, 0.82 - gap / 5, days, baseline=0.82, delay=3),
        course("estimated_accuracy", "estimate", 0.815, 0.81, days, baseline=0.82),
        course("drift[income]", "input", 0.01, shift, days, at_most=0.05),
        course("drift[age]", "input", 0.012, 0.014, days, at_most=0.05),
        course("drift[score]", "prediction", 0.01, shift / 2, days, at_most=0.05),
        course("share[sex=female]", "share", 0.31, 0.29, days, baseline=0.33),
        course("share[sex=male]", "share", 0.69, 0.71, days, baseline=0.67),
        course("appeals_won[sex=female]", "feedback", 0.2, 0.34, days, width=6),
        course("appeals_won[sex=male]", "feedback", 0.2, 0.2, days, width=6),
    )


def passing() -> Timeline:
    """Nothing changed."""
    return Timeline(moments(DAYS), watched(0.03, 0.01), (), "passed", 0, FACTS)


def alarmed() -> Timeline:
    """A limit failed, and an input changed before."""
    changed = message("{column}: the share of values up to {edge} went from {before} to {now}.", column="income",
                      edge="21,000", before="0.30", now="0.44")  # fmt: skip
    alarms = (
        Alarm("drift[income]", 25, 22, 0.132, 0.061, 0.21, (), 0.0, note_of(changed)),
        Alarm("recall_difference[sex]", 30, 22, 0.181, 0.112, 0.25, ("female", "male"), 0.03),
    )
    unknown = message(
        "Only those who were approved get a label: the recall of those refused cannot be known from these rows."
    )
    series = watched(0.18, 0.13)
    first = replace(series[0], points=tuple(_failed(point) for point in series[0].points))
    return Timeline(moments(DAYS), (first, *series[1:]), alarms, "failed", 1, FACTS, (note_of(unknown),))


def _failed(point: Point) -> Point:
    return replace(point, status="failed") if point.at >= 30 else point


def undecided() -> Timeline:
    """Few days, and no label yet: the limit on errors has no value, and none is shown to hold."""
    days = 4
    series = watched(0.03, 0.01, days)
    empty = tuple(Point(day, None, None, None, 0, "undecided") for day in range(days))
    note = note_of(message("No label has come yet."))
    limit = replace(series[0], points=empty, note=note)
    first = tuple(replace(moment, labelled=0) for moment in moments(days))
    rest = tuple(each for each in series[1:] if each.kind not in ("performance", "feedback"))
    return Timeline(first, (limit, *rest), (), "undecided", 3, FACTS, (note,))


def hostile() -> Timeline:
    """Names that somebody may well have in a table, everywhere."""
    days = CHANGED + 4
    series, alarms = [], []
    for name in HOSTILE:
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        series.append(course(f"recall[{quoted}={quoted}]", "limit", 0.03, 0.2, days, at_most=0.1, baseline=0.03))
        series.append(course(name, "input", 0.01, 0.2, days, at_most=0.05))
        series.append(course(f"share[{quoted}]", "share", 0.3, 0.2, days, baseline=0.3))
        alarms.append(Alarm(name, 25, 22, 0.2, 0.1, None, (name, name), None, {"id": name}))
    named = tuple(replace(each, batch=HOSTILE[at % len(HOSTILE)], time=None) for at, each in enumerate(moments(days)))
    facts = {**FACTS, "model": {"name": HOSTILE[0]}, "versions": {"evenhand": HOSTILE[2]}, HOSTILE[1]: [HOSTILE[8]]}
    notes = ({"id": "{0.__class__} {n!r}"}, *({"id": name} for name in HOSTILE))
    return Timeline(named, tuple(series), tuple(alarms), "failed", 1, facts, notes)


def large() -> Timeline:
    """Return 400 moments, 50 inputs, 60 groups and 40 limits: as much as monitoring keeps."""
    days = 400
    series = [
        *(course(f"recall_difference[g{at}]", "limit", 0.03, 0.12, days, at_most=0.1) for at in range(40)),
        *(course(f"drift[column_{at}]", "input", 0.01, 0.01 + at / 500, days, at_most=0.05) for at in range(50)),
        *(course(f"share[g{at}=x]", "share", 0.02, 0.02, days, baseline=0.02) for at in range(60)),
    ]  # fmt: skip
    made = tuple(Moment(f"b{at}", None, ROWS, ROWS * at // 2, 2) for at in range(days))
    return Timeline(made, tuple(series), (), "undecided", 3, FACTS)


CASES = {"passing": passing, "alarmed": alarmed, "undecided": undecided, "hostile": hostile}
