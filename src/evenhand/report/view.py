"""The page as plain data: what every format says, before any of them says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from evenhand.report.drawings import Heat, HistogramPair, Swarm, Tree

if TYPE_CHECKING:
    from evenhand.report.figures.scales import Tick

Mark: TypeAlias = Literal["passed", "failed", "undecided", "plain"]
"""The shape and colour of a value: judged, or merely stated."""


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
class Dot:
    """One row of a figure."""

    label: str
    """The row's name, short enough for the figure."""
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


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its table twin."""

    name: str
    """An identifier, unique on the page."""
    kind: Literal["forest", "bars", "waterfall"]
    """Dots with intervals, bars from zero with intervals, or bars from where the one before ended."""
    title: str
    """What it shows."""
    description: str
    """The same for people who do not see it."""
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
    width: int
    """The figure's width."""
    height: int
    """The figure's height."""
    table: Table
    """The same numbers as text."""


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
    """Where its label stands."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over an axis of numbers, with their table twin."""

    kind: ClassVar[str] = "lines"
    name: str
    """An identifier, unique on the page."""
    title: str
    """What it shows."""
    description: str
    """The same for people who do not see it."""
    lines: tuple[Line, ...]
    """The lines."""
    across: tuple[Tick, ...]
    """Marks on the axis across."""
    upwards: tuple[tuple[float, str], ...]
    """Marks on the axis upwards: place and label."""
    marker: float | None
    """The place of an upright line; None without one."""
    left: int
    """Where the plot begins."""
    right: int
    """Where the plot ends."""
    width: int
    """The figure's width."""
    height: int
    """The figure's height."""
    table: Table
    """The same numbers as text."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a figure of points."""

    label: str
    """What it is."""
    number: str
    """The number beside it, which the list at the side explains."""
    mark: Mark
    """Its shape."""
    x: float
    """Its place across."""
    y: float
    """Its place downwards."""
    side: int
    """Where its name stands in the list."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points over two axes, some of them joined, with their table twin."""

    kind: ClassVar[str] = "points"
    name: str
    """An identifier, unique on the page."""
    title: str
    """What it shows."""
    description: str
    """The same for people who do not see it."""
    points: tuple[Point, ...]
    """The points."""
    joined: str
    """Places of those that are joined, ready for a polyline; empty for none."""
    across: tuple[Tick, ...]
    """Marks on the axis across."""
    upwards: tuple[tuple[float, str], ...]
    """Marks on the axis upwards: place and label."""
    axes: tuple[str, str]
    """What the axes are: across, and upwards."""
    left: int
    """Where the plot begins."""
    right: int
    """Where the plot ends."""
    width: int
    """The figure's width."""
    height: int
    """The figure's height."""
    table: Table
    """The same numbers as text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One metric of the glossary."""

    name: str
    """The key's metric."""
    label: str
    """Its name for people."""
    meaning: str
    """What it says."""
    formula: str
    """How it is computed."""
    misleads: str
    """When it misleads."""
    source: str
    """Where it is defined."""
    example: str = ""
    """The formula with figures."""
    here: str = ""
    """A value of this audit, where there is no example."""


Block: TypeAlias = Table | Figure | Lines | Points | Heat | HistogramPair | Swarm | Tree


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page."""

    name: str
    """Its anchor."""
    title: str
    """Its heading."""
    lead: tuple[str, ...]
    """Plain sentences before anything else."""
    blocks: tuple[Block, ...] = ()
    """Figures and tables."""
    within: str = ""
    """The anchor of the part that it belongs to; empty for a part of its own."""


@dataclass(frozen=True, slots=True)
class Risk:
    """One key risk."""

    sentence: str
    """What is at stake, and for how many."""
    evidence: str
    """The anchor of what shows it."""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One judged limit."""

    anchor: str
    """An identifier, unique on the page."""
    status: Literal["passed", "failed", "undecided"]
    """The judgement."""
    badge: str
    """The judgement in words, with "advisory" or "waived" where it is."""
    key: str
    """The finding."""
    label: str
    """The finding in words."""
    measured: str
    """Estimate and interval."""
    limit: str
    """The limit."""
    who: str
    """The groups that make it, each with its value and its rows."""
    sentence: str
    """Why, or what would decide it."""
    note: str
    """Where the limit comes from."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything a report says."""

    title: str
    """The title."""
    subtitle: str
    """The model, the data and the number of rows."""
    status: Literal["passed", "failed", "undecided", "none"]
    """The verdict; ``none`` without a policy."""
    headline: str
    """The verdict in one word."""
    sentence: str
    """The verdict in one sentence."""
    remarks: tuple[str, ...]
    """What is to be said beside the verdict."""
    limits: tuple[LimitRow, ...]
    """All judged limits, worst first."""
    glance: Figure | None
    """The judged limits on one axis."""
    risks: tuple[Risk, ...]
    """At most five, worst first."""
    parts: tuple[Part, ...]
    """The rest, in reading order."""
    glossary: tuple[Entry, ...]
    """Each metric that the page uses."""
    version: str
    """The version of evenhand that audited."""
    last: tuple[Part, ...] = ()
    """What stands behind the glossary."""
    lang: str = "en"
    """The language of its sentences."""
