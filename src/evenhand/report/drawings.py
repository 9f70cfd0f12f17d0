"""The blocks of a page as plain data: tables, and figures with computed positions for the templates.

Figures of rows are tables: each row is a name, a drawing whose positions are percent of the axis, and its numbers. So
they are as wide as the page is, their labels wrap, and on a phone the drawing goes below the name. Plots over two axes
of numbers have positions in units of a drawing as wide as a phone, and are enlarged where there is room.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeAlias
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterable

Mark: TypeAlias = Literal["passed", "failed", "undecided", "plain"]
"""The shape and colour of a value: judged, or merely stated."""
Kind: TypeAlias = Literal["forest", "bars", "waterfall"]
SENTENCE: Final = 30
"""Letters of a cell that is no name and no number."""
LABEL: Final = 120
"""Characters of a row's label."""
MOST_ROWS: Final = 200
"""Rows of a table; the others are in audit.json."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text."""

    kind: ClassVar[str] = "table"
    name: str
    """An identifier, unique on the page."""
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    """Right-aligned columns."""
    cut: int = 0
    """How many rows were left out of the page; they are in audit.json."""
    folded: str = ""
    """The label that unfolds it; empty for a table that is open, or a figure's twin."""
    within: str = ""
    """The name of a larger table of the same part that contains these numbers; the page then points there."""
    silent: bool = False
    """Whether a figure does not offer it below itself, since it is folded with the rest of the part."""

    @property
    def quantities(self) -> bool:
        """Whether all columns but the first are right-aligned; set once for the table, not in every cell."""
        return self.numeric == frozenset(range(1, len(self.head)))

    @property
    def wordy(self) -> bool:
        """Whether it has sentences next to its numbers: a phone shows each row as a paragraph."""
        said = (text for row in self.rows for at, text in enumerate(row) if at and at not in self.numeric)
        return any(width_of(text) > SENTENCE for text in said)

    def bounded(self, most: int = MOST_ROWS) -> Table:
        """Return the table with at most `most` rows, with a mark where cut."""
        left = len(self.rows) - most
        return self if left <= 0 else replace(self, rows=self.rows[:most], cut=self.cut + left)


def table(
    name: str,
    title: str,
    head: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    numeric: Iterable[int] | None = None,
    most: int | None = None,
    *,
    folded: bool = False,
) -> tuple[Table, ...]:
    """Return a table of at most `most` rows, optionally folded; nothing without rows.

    By default all columns but the first are numeric. Columns at the end that are empty in all rows are left out.
    """
    cells, columns = tuple(rows), range(1, len(head)) if numeric is None else numeric
    used = max((at for row in cells for at, cell in enumerate(row, 1) if cell), default=0)
    head, cells = head[:used], tuple(row[:used] for row in cells)
    made = Table(name, title, head, cells, frozenset(columns), folded=title if folded else "")
    return () if not cells else (made if most is None else made.bounded(most),)


@dataclass(frozen=True, slots=True)
class Drawing:
    """The base of every figure: identifier, title, and the same numbers as text."""

    name: str
    title: str
    description: str
    """The text alternative of a figure that is not a table."""
    table: Table
    """The same numbers as text."""

    @property
    def whole(self) -> bool:
        """Whether it writes all that its table does."""
        return False


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis: its position and label."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Rows(Drawing):
    """A figure of rows with one axis across."""

    ticks: tuple[str, ...]
    """Labels at equal distances along the axis; none where there is nothing to draw, so that rows are numbers alone."""
    axis: str
    """The name or unit of the axis."""
    key: tuple[tuple[str, str], ...]
    """What colours and signs mean: the class of each, and its meaning."""
    zero: float
    """The position of zero."""

    @property
    def grid(self) -> str:
        """The classes that draw the grid: how many parts the axis has, and where a line marks zero."""
        inside = 0 < self.zero < 100 or getattr(self, "kind", "") in ("bars", "waterfall")
        return f"g{len(self.ticks) - 1}{f' z{self.zero:.0f}' if inside else ''}"


@dataclass(frozen=True, slots=True)
class Dot:
    """One row of a figure: its name and numbers, shape, and positions."""

    label: str
    text: str
    """The numbers, as text."""
    mark: Mark
    x: float | None
    """The position of the estimate; None when it is undefined."""
    low: float
    high: float
    limit: float | None = None
    start: float | None = None
    """Where its bar begins, in a waterfall; at zero elsewhere."""
    rows: str = ""
    """How many rows it rests on, as text."""
    opens: tuple[bool, bool] = (False, False)
    """Whether its interval goes on beyond the left and the right end of the axis."""


@dataclass(frozen=True, slots=True)
class Figure(Rows):
    """Rows on one axis."""

    kind: Kind
    """Dots with intervals, bars from zero with intervals, or bars from where the one before ended."""
    dots: tuple[Dot, ...]
    """Rows."""
    left: int = 0
    """How many rows are in the table only."""

    @property
    def whole(self) -> bool:
        """Whether the figure shows all that its table does."""
        columns = 2 + any(dot.rows for dot in self.dots)
        return len(self.table.rows) <= len(self.dots) and not self.table.cut and len(self.table.head) <= columns


@dataclass(frozen=True, slots=True)
class Plot(Drawing):
    """A figure over two axes of numbers."""

    width: int
    height: int
    across: tuple[Tick, ...]
    """Marks on the x axis."""
    upwards: tuple[tuple[float, str], ...]
    """Marks on the y axis: position and label."""
    left: int
    right: int
    axes: tuple[str, str]
    """The names of the axes: x and y."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a figure of lines."""

    label: str
    points: str
    """Its positions, ready for a polyline."""
    number: int
    """Its place among the lines: it decides dash and colour."""
    bars: str = ""
    """Its intervals, upright at its positions, ready for a path; empty without any."""


@dataclass(frozen=True, slots=True)
class Lines(Plot):
    """Lines over an axis of numbers."""

    kind: ClassVar[str] = "lines"
    lines: tuple[Line, ...]
    marker: float | None
    """The place of an upright line; None without one."""
    marked: str
    """What the upright line marks."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a scatter figure: its name, shape and position, and where its number is."""

    label: str
    number: str
    """Its number in the list of names."""
    mark: Mark
    x: float
    y: float
    number_x: float
    number_y: float
    ringed: bool = False
    """Whether it is marked by a ring: one of those that are joined, since the line may pass others, or the chosen."""
    bars: str = ""
    """Its intervals, across and upright, ready for a path; empty without any."""


@dataclass(frozen=True, slots=True)
class Points(Plot):
    """Points over two axes, some of them joined."""

    kind: ClassVar[str] = "points"
    points: tuple[Point, ...]
    joined: str
    """Positions of the joined points, ready for a polyline; empty for none."""
    line: str
    """What the line joins."""
    marker: float | None = None
    """The place of an upright line; None without one."""
    marked: str = ""
    """What the upright line marks."""
    ring: str = ""
    """What a ring marks, where that is not what the line joins."""


@dataclass(frozen=True, slots=True)
class Heat(Drawing):
    """A grid of values, darker where they are greater; each cell also shows its value."""

    kind: ClassVar[str] = "heat"
    columns: tuple[str, ...]
    """Labels of the columns, the first of them of the labels of the rows."""
    rows: tuple[tuple[str, tuple[tuple[int, str], ...]], ...]
    """Each a label and its cells: how dark (0 to 5), and the value."""

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """The rows as text."""
        return tuple((label, *(text for _, text in cells)) for label, cells in self.rows)


@dataclass(frozen=True, slots=True)
class Passages(Drawing):
    """Texts whose words are shaded by what they add: raised ones underlined throughout, lowered ones with dots."""

    kind: ClassVar[str] = "passages"
    texts: tuple[tuple[str, tuple[tuple[int, str], ...]], ...]
    """Each a heading and its words: how much (-5 to 5), and the word; blanks are words of their own."""
    key: tuple[tuple[int, str], ...]
    """What the marks mean: a shade and its meaning."""


@dataclass(frozen=True, slots=True)
class Outline:
    """One of two histograms."""

    label: str
    path: str
    """Its outline, ready for a path."""
    number: int
    """0 above the axis, 1 below."""


@dataclass(frozen=True, slots=True)
class HistogramPair(Plot):
    """Two histograms on one axis, one above it and one below."""

    kind: ClassVar[str] = "histograms"
    outlines: tuple[Outline, ...]
    axis: float
    """The y position of the axis."""
    marker: float | None
    """The place of an upright line; None without one."""
    marked: str
    """What the upright line marks."""


@dataclass(frozen=True, slots=True)
class Strip:
    """The dots of one row of a swarm, by shade."""

    label: str
    text: str
    """The text after the plot."""
    paths: tuple[tuple[int, str], ...]
    """Shade (0 low, 2 high) and the dots, ready for a path with round caps."""


@dataclass(frozen=True, slots=True)
class Swarm(Rows):
    """Dots on one axis, stacked where they coincide; never more than `dots.MOST_DOTS`."""

    kind: ClassVar[str] = "swarm"
    strips: tuple[Strip, ...]
    heading: str
    """What the texts after the plots are; empty where there are none."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a tree: its name and depth, numbers, and shape."""

    label: str
    depth: int
    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Tree(Drawing):
    """A tree that grows to the right and downwards, one node per row."""

    kind: ClassVar[str] = "tree"
    nodes: tuple[Node, ...]
    """Nodes, each below its parent."""


def width_of(text: str) -> int:
    """Return how many letters wide a text is; characters of double width count twice.

    Examples
    --------
    >>> width_of("race"), width_of("种族")
    (4, 4)
    """
    return len(text) + sum(east_asian_width(char) in "WF" for char in text)


def fit(text: str, letters: int) -> str:
    """Return as much of a text as is that many letters wide, with a mark where cut.

    Examples
    --------
    >>> fit("selection rate", 10), fit("选择率之比", 6)
    ('selection…', '选择…')
    """
    if width_of(text) <= letters:
        return text
    kept = text
    while kept and width_of(kept) > letters - 1:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def fit_between(text: str, letters: int) -> str:
    """Return both ends of a text that is too wide, with a mark between: names of one kind differ at their ends.

    Examples
    --------
    >>> fit_between("scenario_violation_rate[situation=rain,skin=dark]", 30)
    'scenario_violat…ain,skin=dark]'
    """
    if width_of(text) <= letters:
        return text
    start, end = fit(text, letters - letters // 2 + 1).removesuffix("…"), text
    while end and width_of(start) + width_of(end) > letters - 1:
        end = end[1:]
    return f"{start.rstrip()}…{end.lstrip()}"
