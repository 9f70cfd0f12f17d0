"""Line figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evenhand.report.drawings import Line, Lines, Tick
from evenhand.report.figures.scales import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.report.drawings import Table

TALL, TOP, LEFT, WIDE = 180, 26, 44, 280
"""The plot; with its axes it is as wide as a phone."""
APART = 3.5
"""Between two intervals of one position."""
MOST_POINTS = 60
"""Of a line; of more places every so many is drawn, and the last."""


def line_figure(
    name: str,
    title: str,
    description: str,
    places: Sequence[float],
    lines: Sequence[tuple[str, Sequence[float]]],
    table: Table,
    *,
    axes: tuple[str, str],
    marker: float | None = None,
    marked: str = "",
    top: float = 1.0,
    bottom: float = 0.0,
    named: Sequence[str] = (),
    ends: Sequence[Sequence[tuple[float, float]]] = (),
) -> Lines:
    """Return a line figure; each line is a label and one value per x position.

    The x positions rise; `axes` names both axes; a vertical line marks `marker`, which is what `marked` says; `top` and
    `bottom` are the ends of the y axis. Where positions are `named`, the axis is marked with the names alone. With
    `ends`, the low and high end of each value, intervals are drawn upright, those of one position side by side.
    """
    beside = math.ceil(APART * (len(lines) + 1) / 2) if ends else 0
    across = Scale(places[0], places[-1], LEFT + beside, WIDE - 2 * beside)
    every = -(-len(places) // MOST_POINTS)
    shown = sorted({*range(0, len(places), every), len(places) - 1})

    def down(value: float) -> float:
        return round(TOP + TALL * (1 - min(max((value - bottom) / (top - bottom), 0.0), 1.0)), 1)

    drawn = []
    for number, (label, values) in enumerate(lines):
        aside = APART * (number - (len(lines) - 1) / 2) if ends else 0.0
        across_to = {at: round(across.place(places[at]) + aside, 1) for at in shown}
        points = " ".join(f"{across_to[at]:g},{down(values[at]):g}" for at in shown)
        bars = ""
        if ends:
            bars = "".join(
                f"M{across_to[at]:g} {down(ends[number][at][0]):g}V{down(ends[number][at][1]):g}" for at in shown
            )
        drawn.append(Line(label, points, number, bars))
    marks = [round(bottom + share * (top - bottom), 12) + 0.0 for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    upwards = tuple((down(value), f"{value:g}") for value in marks)
    frame = (name, title, description, table, LEFT + WIDE + 16, TOP + TALL + 40)
    ticks = tuple(Tick(across.place(place), text) for place, text in zip(places, named, strict=True)) if named else ()
    drawing = (ticks or across.ticks(), upwards, LEFT, LEFT + WIDE, axes)
    return Lines(*frame, *drawing, tuple(drawn), None if marker is None else across.place(marker), marked)
