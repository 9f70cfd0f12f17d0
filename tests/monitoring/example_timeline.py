"""A timeline as `evenhand monitor` makes them, for tests of what reads and draws one."""

from __future__ import annotations

import math

from evenhand.messages import message
from evenhand.timelines import Alarm, Moment, Point, Series, Status, Timeline, note_of

DAYS = 24
CHANGED = 12
"""The day on which the model began to refuse women more often, and incomes shifted."""
ROWS = 400


def example_timeline() -> Timeline:
    """Return a timeline of 24 days with an alarm of a limit and one of an input."""
    moments = tuple(
        Moment(f"2026-03-{day + 1:02d}.parquet", f"2026-03-{day + 1:02d}T23:59:00Z", ROWS, ROWS * max(day - 2, 0) // 2)
        for day in range(DAYS)
    )
    gaps = [0.02 + 0.13 * (day >= CHANGED) for day in range(DAYS)]
    shifts = [0.015 + 0.12 * (day >= CHANGED) for day in range(DAYS)]
    series = (
        _series("recall_difference[sex]", "limit", gaps, 0.1, 0.03, delay=3),
        _series("accuracy", "performance", [0.81 - gap / 4 for gap in gaps], None, 0.82, delay=3),
        _series("drift[income]", "input", shifts, 0.05, None),
        _series("drift[score]", "prediction", [shift / 2 for shift in shifts], 0.05, None),
        _series("share[sex=female]", "share", [0.31] * DAYS, None, 0.33),
        _series("estimated_accuracy", "estimate", [0.805] * DAYS, None, 0.82),
        _series("appeals_won[sex=female]", "feedback", [0.4 + gap for gap in gaps], None, None),
    )
    changed = message("{column}: the share of values up to {edge} went from {before} to {now}.", column="income",
                      edge="21000", before="0.30", now="0.44")  # fmt: skip
    alarms = (
        Alarm("drift[income]", 15, 12, 0.135, 0.061, 0.21, (), 0.0, note_of(changed)),
        Alarm("recall_difference[sex]", 19, 12, 0.151, 0.102, 0.2, ("female", "male"), 0.03),
    )
    estimated = message("An estimate without labels: it assumes that what the score says of the label has not changed.")
    provenance = {"error": 0.05, "policy": {"name": "policy.toml", "sha256": "0" * 64}}
    return Timeline(moments, series, alarms, "failed", 1, provenance, (note_of(estimated),))


def _series(
    key: str, kind: str, values: list[float], at_most: float | None, baseline: float | None, delay: int = 0
) -> Series:
    points, total = [], 0.0
    for day, value in enumerate(values):
        total += value
        if day < delay:
            continue
        rows = ROWS * (day + 1 - delay) + 1
        estimate, wide = total / (day + 1), min(1.5 / math.sqrt(rows), 0.5)
        low, high = max(estimate - wide, 0.0), min(estimate + wide, 1.0)
        points.append(Point(day, estimate, low, high, rows, _status(high, value, at_most, day), value))
    return Series(key, kind, tuple(points), at_most, None, baseline)  # type: ignore[arg-type]


def _status(high: float, value: float, at_most: float | None, day: int) -> Status | None:
    if at_most is None:
        return None
    if high <= at_most:
        return "passed"
    return "failed" if value > at_most and day >= CHANGED + 4 else "undecided"
