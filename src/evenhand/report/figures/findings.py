"""Figures of findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from evenhand.messages import joined, message
from evenhand.report.drawings import LABEL, Dot, Figure, Table
from evenhand.report.figures.scales import SHARES, Scale, all_zero, axis_of, fitting, scale_of, values_of
from evenhand.report.numbers import cut, ends_of, with_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import Finding
    from evenhand.report.drawings import Kind, Mark

Row: TypeAlias = "tuple[str, Finding, Mark, float | None]"
"""Label, finding, mark and limit."""
MOST_ROWS = 40
ROW_BYTES = 400
"""Bytes that the marks of a row take."""


def figure(
    name: str,
    title: str,
    rows: list[Row],
    *,
    kind: Kind = "forest",
    digits: int = 2,
    texts: list[str] | None = None,
    axis: str = "",
    origin: float = 0.0,
) -> Figure:
    """Return a figure of findings, one row (label, finding, mark, limit) each, with its table twin.

    A limit is drawn where it is not None. Rows that do not fit a small figure are in the table only. `texts` are
    the numbers as text, for rounding away from a limit; `axis` names the axis where the findings do not; a line marks
    `origin`, what there is without an effect.
    """
    numbers = texts or [with_interval(finding, digits) for _, finding, _, _ in rows]
    said = [(cut(label, LABEL), text) for (label, *_), text in zip(rows[:MOST_ROWS], numbers, strict=False)]
    shown = rows[: fitting(said, ROW_BYTES)]
    name_of_axis, unit = axis_of([finding for _, finding, _, _ in shown])
    values = values_of([finding for _, finding, _, _ in shown], [limit for *_, limit in shown])
    scale = scale_of(values, shares=kind != "bars" and unit in SHARES)
    dots = [_dot(row, numbers[index], scale) for index, row in enumerate(shown)]
    told = [(cut(label, 60), with_interval(finding, digits)) for label, finding, _, _ in shown[:4]]
    empty = all_zero(values, digits) and unit in SHARES
    key = (("limit", message("limit")),) if any(dot.limit is not None for dot in dots) else ()
    said_in_full = described(title, told, len(shown) - 4)
    ticks = () if empty else scale.labels(unit)
    twin, axis = _twin(name, title, rows, numbers), axis or name_of_axis
    frame = (name, title, said_in_full, twin, ticks, axis, key, scale.place(origin))
    return Figure(*frame, kind, tuple(dots), len(rows) - len(shown))


def _dot(row: Row, text: str, scale: Scale) -> Dot:
    """Return a row's place on the axis; what is beyond the axis goes to its end, with an arrow."""
    label, finding, mark, limit = row
    estimate = finding.estimate
    low, high = ends_of(finding)
    known = estimate is not None
    opens = known and (low is None or low < scale.low), known and (high is None or high > scale.high)
    inside = estimate if estimate is not None and scale.low <= estimate <= scale.high else None
    place, bound = (None if value is None else scale.place(value) for value in (inside, limit))
    ends = scale.place(low, scale.low), scale.place(high, scale.high)
    return Dot(cut(label, LABEL), text, mark, place, *ends, bound, rows=f"{finding.support:,}", opens=opens)


def described(title: str, rows: Sequence[tuple[str, str]], more: int = 0) -> str:
    """Return the title of a figure, its first rows, and the number of further ones."""
    few = joined("; ", (joined(": ", row) for row in rows))
    if more > 0:
        return message("{title}. {few}; and {more} more in the table below.", title=title, few=few, more=more)
    return message("{title}. {few}.", title=title, few=few)


def _twin(name: str, title: str, rows: list[Row], numbers: list[str]) -> Table:
    cells = tuple(
        (cut(label, 200), text, f"{finding.support:,}")
        for (label, finding, _, _), text in zip(rows, numbers, strict=True)
    )
    head = ("", message("estimate and interval"), message("rows"))
    return Table(f"{name}-table", title, head, cells, frozenset({1, 2}))
