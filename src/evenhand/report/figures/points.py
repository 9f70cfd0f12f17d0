"""Scatter figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evenhand.report.drawings import Mark, Point, Points, Tick
from evenhand.report.figures.scales import SMALLEST, Scale, label_room, nice_step
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.report.drawings import Table

TALL, TOP, LEFT, LABEL = 260, 26, 64, 40


def point_figure(
    name: str,
    title: str,
    description: str,
    points: Sequence[tuple[str, float, float, Mark]],
    axes: tuple[str, str],
    table: Table,
    joined: Sequence[str] = (),
    unit: float = 1.0,
) -> Points:
    """Return a scatter figure of one or more points (label, x, y, mark), where x is 0 or above.

    Those whose labels are in `joined` are joined in the order of x; labels of the x axis are divided by `unit`.
    """
    across = _axis([0.0, *(x for _, x, _, _ in points)], LEFT)
    upward = _axis([0.0, *(y for _, _, y, _ in points)], 0)

    def down(value: float) -> float:
        share = (value - upward.low) / (upward.high - upward.low)
        return round(TOP + TALL * (1 - share), 1)

    drawn = tuple(
        Point(cut(label, LABEL), str(at + 1), mark, across.place(x), down(y), TOP + 12 + 18 * at)
        for at, (label, x, y, mark) in enumerate(points)
    )
    chain = sorted((x, y) for label, x, y, _ in points if label in joined)
    room = label_room([f"{point.number} {point.label}" for point in drawn])
    line = " ".join(f"{across.place(x):g},{down(y):g}" for x, y in chain) if len(chain) > 1 else ""
    marks = tuple(_in_units(across, tick, unit) for tick in across.ticks())
    upwards = tuple(
        (down(upward.low + (tick.x / 400) * (upward.high - upward.low)), tick.text) for tick in upward.ticks()
    )
    size = (across.right + room + 20, max(TOP + TALL + 44, TOP + 18 * len(drawn) + 30))
    return Points(name, title, description, *size, table, marks, upwards, LEFT, across.right, drawn, line, axes)


def _axis(values: Sequence[float], left: int) -> Scale:
    low, high = min(values), max(values)
    if high - low < SMALLEST:  # one value, in the middle of the axis
        room = max(abs(low), 1.0) / 2
        low, high = low - room, high + room
    step = nice_step((high - low) / 4)
    return Scale(math.floor(low / step) * step, math.ceil(high / step + 1e-9) * step, left)


def _in_units(scale: Scale, tick: Tick, unit: float) -> Tick:
    value = scale.low + (tick.x - scale.left) / 400 * (scale.high - scale.low)
    return Tick(tick.x, f"{value / unit:,.0f}")
