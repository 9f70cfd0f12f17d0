"""The blocks of a page as plain data: tables, and figures whose places come ready; templates only draw them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeAlias
from unicodedata import east_asian_width

from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Iterable

Mark: TypeAlias = Literal["passed", "failed", "undecided", "plain"]
"""The shape and colour of a value: judged, or merely stated."""
LETTER: Final = 6.7
"""Width of a letter of a label, on the wide side."""
LABEL: Final = 42
"""Characters of a row's label."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text."""

    kind: ClassVar[str] = "table"
    name: str
    """An identifier, unique on the page."""
    title: str
    """What it shows."""
    head: tuple[str, ...]
    """Column labels."""
    rows: tuple[tuple[str, ...], ...]
    """Cells."""
    numeric: frozenset[int] = frozenset()
    """Columns set flush right."""
    cut: int = 0
    """How many rows were left out of the page; they stand in audit.json."""
    folded: str = ""
    """What is to be clicked to see it; empty for a table that stands open, or is a figure's twin."""
    within: str = ""
    """The name of a greater table of the same part that holds these numbers, too; the page then points there."""

    @property
    def quantities(self) -> bool:
        """Whether every column but the first is set flush right, which the page says once and not for every cell."""
        return self.numeric == frozenset(range(1, len(self.head)))

    def bounded(self, most: int = 200) -> Table:
        """Return the table with at most `most` rows, visibly cut."""
        left = len(self.rows) - most
        return self if left <= 0 else replace(self, rows=self.rows[:most], cut=self.cut + left)


@dataclass(frozen=True, slots=True)
class Drawing:
    """What every figure has."""

    name: str
    """An identifier, unique on the page."""
    title: str
    """What it shows."""
    description: str
    """The same for people who do not see it."""
    width: int
    """The figure's width."""
    height: int
    """The figure's height."""
    table: Table
    """The same numbers as text."""

    @property
    def outside(self) -> int:
        """How far labels reach beyond the left edge: the room is that of the English ones."""
        reach = (math.ceil(LETTER * width_of(label) + 10 - end) for label, end in self._labels())
        return max([0, *reach])

    def _labels(self) -> Iterable[tuple[str, float]]:
        """Return the labels at the left with their right ends."""
        return ()


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis."""

    x: float
    """Its place."""
    text: str
    """Its label."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One row of a figure."""

    full: str
    """The row's whole name."""
    text: str
    """The numbers, as text."""
    mark: Mark
    """Its shape."""
    y: int
    """Its place downwards."""
    x: float | None
    """The place of the estimate; None when it is undefined."""
    low: float
    """The place of the low end."""
    high: float
    """The place of the high end."""
    limit: float | None = None
    """The place of the limit."""
    start: float | None = None
    """Where its bar begins, in a waterfall; at zero elsewhere."""

    @property
    def label(self) -> str:
        """The row's name, short enough for the figure."""
        return cut(self.full, LABEL)


@dataclass(frozen=True, slots=True)
class Figure(Drawing):
    """Rows on one axis."""

    kind: Literal["forest", "bars", "waterfall"]
    """Dots with intervals, bars from zero with intervals, or bars from where the one before ended."""
    dots: tuple[Dot, ...]
    """Rows."""
    ticks: tuple[Tick, ...]
    """Marks on the axis."""
    zero: float
    """The place of zero."""
    left: int
    """Where the plot begins; labels end before it."""
    right: int
    """Where the plot ends; numbers begin behind it."""

    def _labels(self) -> Iterable[tuple[str, float]]:
        return ((dot.label, self.left - 8) for dot in self.dots)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a figure of lines."""

    label: str
    """What it shows."""
    points: str
    """Its places, ready for a polyline."""
    number: int
    """Its place among the lines: it decides dash and colour."""
    y: int
    """The place of its label downwards."""


@dataclass(frozen=True, slots=True)
class Plot(Drawing):
    """A figure over two axes of numbers."""

    across: tuple[Tick, ...]
    """Marks on the axis across."""
    upwards: tuple[tuple[float, str], ...]
    """Marks on the axis upwards: place and label."""
    left: int
    """Where the plot begins."""
    right: int
    """Where the plot ends."""


@dataclass(frozen=True, slots=True)
class Lines(Plot):
    """Lines over an axis of numbers."""

    kind: ClassVar[str] = "lines"
    lines: tuple[Line, ...]
    """The lines."""
    marker: float | None
    """The place of an upright line; None without one."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a figure of points."""

    label: str
    """What it is."""
    number: str
    """Its number in the list at the side."""
    mark: Mark
    """Its shape."""
    x: float
    """Its place across."""
    y: float
    """Its place downwards."""
    side: int
    """The place of its name in the list."""


@dataclass(frozen=True, slots=True)
class Points(Plot):
    """Points over two axes, some of them joined."""

    kind: ClassVar[str] = "points"
    points: tuple[Point, ...]
    """The points."""
    joined: str
    """Places of those that are joined, ready for a polyline; empty for none."""
    axes: tuple[str, str]
    """What the axes are: across, and upwards."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A text at a place."""

    x: float
    """Its place across."""
    y: float
    """Its place downwards."""
    full: str
    """What it says in full."""
    most: int = 60
    """Characters that the figure has room for."""

    @property
    def label(self) -> str:
        """What it says, short enough for the figure."""
        return cut(self.full, self.most)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a heat grid."""

    x: float
    """Its left edge."""
    y: float
    """Its upper edge."""
    shade: int
    """How dark it is, 0 to 5."""
    text: str
    """Its value."""


@dataclass(frozen=True, slots=True)
class Heat(Drawing):
    """A grid of values, darker where they are greater; each value also stands in its cell."""

    kind: ClassVar[str] = "heat"
    columns: tuple[Spot, ...]
    """Labels of the columns."""
    rows: tuple[Spot, ...]
    """Labels of the rows."""
    cells: tuple[Cell, ...]
    """Cells."""
    cell_width: int
    """The width of a cell."""
    cell_height: int
    """The height of a cell."""

    def _labels(self) -> Iterable[tuple[str, float]]:
        return ((spot.label, spot.x) for spot in self.rows)


@dataclass(frozen=True, slots=True)
class Outline:
    """One of two histograms."""

    label: str
    """Whose values it shows."""
    path: str
    """Its outline, ready for a path."""
    number: int
    """0 above the axis, 1 below."""
    y: float
    """Where its label stands."""


@dataclass(frozen=True, slots=True)
class HistogramPair(Drawing):
    """Two histograms on one axis, one above it and one below."""

    kind: ClassVar[str] = "histograms"
    outlines: tuple[Outline, ...]
    """Both."""
    ticks: tuple[Tick, ...]
    """Marks on the axis."""
    axis: float
    """The place of the axis downwards."""
    marker: float | None
    """The place of an upright line; None without one."""
    left: int
    """Where the plot begins."""
    right: int
    """Where the plot ends."""


@dataclass(frozen=True, slots=True)
class Strip:
    """The dots of one row of a swarm, by shade."""

    label: Spot
    """Whose dots they are."""
    text: str
    """What is said of them behind the plot."""
    paths: tuple[tuple[int, str], ...]
    """Shade (0 low, 2 high) and the dots, ready for a path with round caps."""


@dataclass(frozen=True, slots=True)
class Swarm(Drawing):
    """Dots on one axis, those at one place beside each other; never more than `scales.MOST_DOTS`."""

    kind: ClassVar[str] = "swarm"
    strips: tuple[Strip, ...]
    """Rows."""
    ticks: tuple[Tick, ...]
    """Marks on the axis."""
    zero: float | None
    """The place of an upright line; None without one."""
    left: int
    """Where the plot begins."""
    right: int
    """Where the plot ends."""

    def _labels(self) -> Iterable[tuple[str, float]]:
        return ((strip.label.label, strip.label.x) for strip in self.strips)


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a tree."""

    label: Spot
    """Its name, and where that stands."""
    text: str
    """Its numbers."""
    mark: Mark
    """Its shape."""


@dataclass(frozen=True, slots=True)
class Tree(Drawing):
    """A tree that grows to the right and downwards, one node a row."""

    kind: ClassVar[str] = "tree"
    nodes: tuple[Node, ...]
    """Nodes, each below its parent."""
    links: str
    """The lines between them, ready for a path."""
    right: int
    """Where the numbers begin."""


def width_of(text: str) -> int:
    """Return how many letters wide a text is; characters of double width count twice.

    Examples
    --------
    >>> width_of("race"), width_of("种族")
    (4, 4)
    """
    return len(text) + sum(east_asian_width(char) in "WF" for char in text)
