"""Line figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.report.drawings import Line, Lines
from evenhand.report.figures.scales import Scale, label_room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.report.drawings import Table

TALL, TOP, LEFT = 220, 20, 60
ROOM = 60
"""Between the lines and their labels, for a piece of each line."""
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
    marker: float | None = None,
    top: float = 1.0,
    bottom: float = 0.0,
) -> Lines:
    """Return a line figure; each line is a label and one value per x position.

    The x positions rise; a vertical line marks `marker`; `top` and `bottom` are the ends of the y axis.
    """
    across = Scale(places[0], places[-1], LEFT)
    every = -(-len(places) // MOST_POINTS)
    shown = sorted({*range(0, len(places), every), len(places) - 1})

    def down(value: float) -> float:
        return round(TOP + TALL * (1 - min(max((value - bottom) / (top - bottom), 0.0), 1.0)), 1)

    drawn = []
    for number, (label, values) in enumerate(lines):
        points = " ".join(f"{across.place(places[at]):g},{down(values[at]):g}" for at in shown)
        drawn.append(Line(label, points, number, TOP + 14 + 18 * number))
    marks = [bottom + share * (top - bottom) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    upwards = tuple((down(value), f"{value:g}") for value in marks)
    size = (across.right + ROOM + label_room([label for label, _ in lines]), TOP + TALL + 40)
    frame, axes = (name, title, description, *size, table), (across.ticks(), upwards, LEFT, across.right)
    return Lines(*frame, *axes, tuple(drawn), None if marker is None else across.place(marker))
