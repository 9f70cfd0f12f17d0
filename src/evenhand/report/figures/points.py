"""Scatter figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evenhand.report.drawings import Mark, Point, Points, Tick
from evenhand.report.figures.scales import SMALLEST, Scale, nice_step
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.report.drawings import Table

TALL, TOP, LEFT, WIDE, LABEL = 220, 26, 54, 270, 60
ASIDE = ((8.0, -5.0), (-16.0, -5.0), (8.0, 13.0), (-16.0, 13.0), (18.0, 4.0), (-26.0, 4.0))
"""Where the number of a point may be, the best place first."""


def point_figure(
    name: str,
    title: str,
    description: str,
    points: Sequence[tuple[str, float, float, Mark]],
    axes: tuple[str, str],
    table: Table,
    joined: Sequence[str] = (),
    line: str = "",
    unit: float = 1.0,
) -> Points:
    """Return a scatter figure of one or more points (label, x, y, mark), where x is 0 or above.

    Those whose labels are in `joined` are ringed, and joined in the order of x; `line` says what they are. Labels
    of the x axis are divided by `unit`.
    """
    across = _axis([0.0, *(x for _, x, _, _ in points)], LEFT, WIDE)
    upward = _axis([0.0, *(y for _, _, y, _ in points)])

    def down(value: float) -> float:
        share = (value - upward.low) / (upward.high - upward.low)
        return round(TOP + TALL * (1 - share), 1)

    places = [(across.place(x), down(y)) for _, x, y, _ in points]
    drawn = tuple(
        Point(cut(label, LABEL), str(at + 1), mark, *place, *aside, label in joined)
        for at, ((label, _, _, mark), place, aside) in enumerate(
            zip(points, places, numbers_beside(places), strict=True)
        )
    )
    chain = sorted((x, y) for label, x, y, _ in points if label in joined)
    path = " ".join(f"{across.place(x):g},{down(y):g}" for x, y in chain) if len(chain) > 1 else ""
    marks = tuple(_in_units(across, tick, unit) for tick in across.ticks())
    upwards = tuple(
        (down(upward.low + tick.x / 100 * (upward.high - upward.low)), tick.text) for tick in upward.ticks()
    )
    frame = (name, title, description, table, LEFT + WIDE + 16, TOP + TALL + 44)
    return Points(*frame, marks, upwards, LEFT, across.right, axes, drawn, path, line if path else "")


def numbers_beside(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return where the number of each point is: clear of other points and numbers, where there is room."""
    taken: list[tuple[float, float]] = []
    for x, y in places:
        free = ((x + right, y + down) for right, down in ASIDE)
        others = [*taken, *((px - 4, py + 4) for px, py in places if (px, py) != (x, y))]
        clear = (place for place in free if all(abs(place[0] - a) > 11 or abs(place[1] - b) > 10 for a, b in others))
        taken.append(next(clear, (x + ASIDE[0][0], y + ASIDE[0][1])))
    return [(round(x, 1), round(y, 1)) for x, y in taken]


def _axis(values: Sequence[float], left: int = 0, wide: int = 100) -> Scale:
    low, high = min(values), max(values)
    if high - low < SMALLEST:  # one value, in the middle of the axis
        room = max(abs(low), 1.0) / 2
        low, high = low - room, high + room
    step = nice_step((high - low) / 4)
    return Scale(math.floor(low / step) * step, math.ceil(high / step + 1e-9) * step, left, wide)


def _in_units(scale: Scale, tick: Tick, unit: float) -> Tick:
    value = scale.low + (tick.x - scale.left) / scale.width * (scale.high - scale.low)
    return Tick(tick.x, f"{value / unit:,.0f}")
