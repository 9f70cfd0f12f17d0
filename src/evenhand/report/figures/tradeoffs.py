"""Trade-off figures: points with intervals on both axes, and a limit on the axis across."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.report.drawings import Mark, Point, Points, Tick
from evenhand.report.figures.points import LABEL, LEFT, TALL, TOP, WIDE, numbers_beside
from evenhand.report.figures.scales import SMALLEST, Scale, nice_step
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.report.drawings import Table

BEYOND: Final = 0.75
"""How far an axis goes beyond the estimates for the ends of intervals, in parts of what these are apart."""
LEAST_ROOM: Final = 0.02
"""What it goes beyond them at least."""

Ends = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Traded:
    """A point of a trade-off: its values on the two axes, each with the ends of its interval."""

    label: str
    mark: Mark
    x: float
    y: float
    x_ends: Ends
    y_ends: Ends
    chosen: bool = False
    """Whether a ring marks it."""


def undominated(points: Sequence[Traded], *, lower: bool = True) -> list[Traded]:
    """Return the points that no other beats on both axes, in the order of x.

    Higher is better upwards; across, `lower` is better, or the other way round. Equal points do not beat each other.

    Examples
    --------
    >>> both = (None, None)
    >>> points = [Traded(name, "plain", x, y, both, both) for name, x, y in (("a", 1, 1), ("b", 2, 1), ("c", 3, 2))]
    >>> [point.label for point in undominated(points)], [point.label for point in undominated(points, lower=False)]
    (['a', 'c'], ['c'])
    """
    sign = 1.0 if lower else -1.0

    def beats(one: Traded, other: Traded) -> bool:
        across, upward = sign * (other.x - one.x), one.y - other.y
        return across >= 0 and upward >= 0 and (across > 0 or upward > 0)

    kept = (point for point in points if not any(beats(other, point) for other in points))
    return sorted(kept, key=lambda point: (point.x, point.y))


def tradeoff_figure(
    name: str,
    title: str,
    description: str,
    points: Sequence[Traded],
    axes: tuple[str, str],
    table: Table,
    *,
    limit: float | None = None,
    said: tuple[str, str, str] = ("", "", ""),
    lower: bool = True,
) -> Points:
    """Return a trade-off figure of one or more points; those that no other beats are joined, the chosen one is ringed.

    `said` is what the line joins, what the ring marks, and what the upright line marks, which is at `limit`.
    """
    across = _axis([p.x for p in points], [p.x_ends for p in points], [] if limit is None else [limit], LEFT, WIDE)
    upward = _axis([p.y for p in points], [p.y_ends for p in points], [], 0, TALL)

    def down(value: float | None, otherwise: float = 0.0) -> float:
        return round(TOP + TALL - upward.place(value, otherwise), 1)

    places = [(across.place(point.x), down(point.y)) for point in points]
    drawn = tuple(
        Point(
            cut(p.label, LABEL), str(at + 1), p.mark, *place, *aside, p.chosen,
            f"M{across.place(p.x_ends[0], across.low):g} {place[1]:g}H{across.place(p.x_ends[1], across.high):g}"
            f"M{place[0]:g} {down(p.y_ends[0], upward.low):g}V{down(p.y_ends[1], upward.high):g}",
        )
        for at, (p, place, aside) in enumerate(zip(points, places, numbers_beside(places), strict=True))
    )  # fmt: skip
    best = undominated(points, lower=lower)
    path = " ".join(f"{across.place(point.x):g},{down(point.y):g}" for point in best) if len(best) > 1 else ""
    upwards = tuple((round(TOP + TALL - tick.x, 1), tick.text) for tick in _ticks(upward))
    line, ring, marked = said
    return Points(
        name, title, description, table, LEFT + WIDE + 16, TOP + TALL + 44, _ticks(across), upwards, LEFT,
        across.right, axes, drawn, path, line if path else "", None if limit is None else across.place(limit), marked,
        ring if any(point.chosen for point in points) else "",
    )  # fmt: skip


def _axis(values: Sequence[float], ends: Sequence[Ends], more: Sequence[float], left: int, wide: int) -> Scale:
    """Return an axis that holds values and limits, and the ends of intervals that are not far from these."""
    inner = [*values, *more]
    low, high = min(inner), max(inner)
    room = max(BEYOND * (high - low), LEAST_ROOM)
    known = [end for pair in ends for end in pair if end is not None]
    low, high = max(min([low, *known]), low - room), min(max([high, *known]), high + room)
    if high - low < SMALLEST:
        low, high = low - LEAST_ROOM, high + LEAST_ROOM
    edge = (high - low) * 0.04
    return Scale(low - edge if low != 0 else 0.0, high + edge, left, wide)


def _ticks(scale: Scale) -> tuple[Tick, ...]:
    """Return at most six round marks."""
    step = nice_step((scale.high - scale.low) / 5)
    return scale.ticks() if step > SMALLEST else ()
