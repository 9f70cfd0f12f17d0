"""Further figures as plain data: places come ready, templates only draw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from evenhand.report.figures.scales import Tick
    from evenhand.report.view import Mark, Table


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


@dataclass(frozen=True, slots=True)
class Spot:
    """A text at a place."""

    x: float
    """Its place across."""
    y: float
    """Its place downwards."""
    label: str
    """What it says, short enough for the figure."""
    full: str = ""
    """What it says in full; empty where the label is all."""


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
