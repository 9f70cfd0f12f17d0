"""Line figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.report.drawings import Line, Lines
from evenhand.report.figures.scales import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.report.drawings import Table

TALL, TOP, LEFT, WIDE = 180, 26, 44, 280
"""The plot; with its axes it is as wide as a phone."""
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
) -> Lines:
    """Return a line figure; each line is a label and one value per x position.

    The x positions rise; `axes` names both axes; a vertical line marks `marker`, which is what `marked` says; `top` and
    `bottom` are the ends of the y axis.
    """
    across = Scale(places[0], places[-1], LEFT, WIDE)
    every = -(-len(places) // MOST_POINTS)
    shown = sorted({*range(0, len(places), every), len(places) - 1})

    def down(value: float) -> float:
        return round(TOP + TALL * (1 - min(max((value - bottom) / (top - bottom), 0.0), 1.0)), 1)

    drawn = []
    for number, (label, values) in enumerate(lines):
        points = " ".join(f"{across.place(places[at]):g},{down(values[at]):g}" for at in shown)
        drawn.append(Line(label, points, number))
    marks = [bottom + share * (top - bottom) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    upwards = tuple((down(value), f"{value:g}") for value in marks)
    frame = (name, title, description, table, LEFT + WIDE + 16, TOP + TALL + 40)
    drawing = (across.ticks(), upwards, LEFT, across.right, axes)
    return Lines(*frame, *drawing, tuple(drawn), None if marker is None else across.place(marker), marked)
