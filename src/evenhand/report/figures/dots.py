"""Dot figures: every value of a row on one axis, stacked where they coincide."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.drawings import Strip, Swarm
from evenhand.report.figures.scales import FRAME_BYTES, MOST_BYTES, Scale, bytes_of, scale_of
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.report.drawings import Table

MOST_DOTS: Final = 300
"""Dots of a figure: enough to see a shape, few enough to stay small."""
STEP: Final = 4
"""The size of a position, and the distance between stacked dots."""
SPREAD: Final = 14
"""How far dots are set from the middle of their row."""
TALL, WIDE = 36, 400
"""The drawing of a row, which is stretched to the width of the figure."""
ROW_BYTES: Final = 300
"""Bytes that a row takes, apart from its texts and dots."""
DOT_BYTES: Final = 11
"""Bytes that a dot takes."""
LABEL: Final = 60
RANGE: Final = message("from – to")


def swarm_figure(
    name: str,
    title: str,
    description: str,
    rows: Sequence[tuple[str, Sequence[tuple[float, int]], str]],
    table: Table,
    heading: str = RANGE,
    *,
    axis: str = "",
    key: Sequence[tuple[int, str]] = (),
    shares: bool = True,
    zero: float | None = None,
    most: int = MOST_DOTS,
) -> Swarm:
    """Return a dot figure with its table twin; a vertical line marks `zero`.

    A row is a label, dots, and a text after them; a dot is a value and a shade: 0 for low, 1 for middle, 2 for high.
    `heading` heads the texts, empty where they are not shown; `axis` names the axis; `key` says what the shades mean.
    `shares` have an axis from 0 to 1. Of the whole figure at most `most` dots are drawn, or fewer that fit.
    """
    each = dots_each(rows, most)
    kept = [evenly(dots, each) for _, dots, _ in rows]
    values: list[float | None] = [value for dots in kept for value, _ in dots]
    scale = scale_of([*values, zero] if zero is not None else values, shares=shares)
    strips = tuple(
        Strip(cut(label, LABEL), text, _paths(dots, scale)) for (label, _, text), dots in zip(rows, kept, strict=True)
    )
    shades = tuple((f"d{shade}", meaning) for shade, meaning in key)
    frame = (name, title, description, table, scale.labels(), axis, shades, 0.0 if zero is None else scale.place(zero))
    return Swarm(*frame, strips, heading)


def dots_each(rows: Sequence[tuple[str, Sequence[tuple[float, int]], str]], most: int = MOST_DOTS) -> int:
    """Return how many dots of each row are drawn at most, of a figure of `most` dots that fits its size.

    Examples
    --------
    >>> dots_each([("age", [], ""), ("sex", [], "")], 100), dots_each([("<" * 60, [], "")] * 20, 300)
    (50, 0)
    """
    first = [cut(label, LABEL) for label, _, _ in rows[:1]]
    room = MOST_BYTES - FRAME_BYTES - sum(ROW_BYTES + bytes_of(label, *first, text) for label, _, text in rows)
    return min(most, max(room, 0) // DOT_BYTES) // max(len(rows), 1)


def evenly(dots: Sequence[tuple[float, int]], most: int) -> list[tuple[float, int]]:
    """Return at most `most` dots by rising value, the least and the greatest among them.

    Examples
    --------
    >>> evenly([(0.3, 0), (0.1, 0), (0.2, 0), (0.5, 1)], 3)
    [(0.1, 0), (0.3, 0), (0.5, 1)]
    """
    ordered = sorted(dots)
    if len(ordered) <= most:
        return ordered
    if most < 2:
        return ordered[:most]
    return [ordered[round(at * (len(ordered) - 1) / (most - 1))] for at in range(most)]


def _paths(dots: list[tuple[float, int]], scale: Scale) -> tuple[tuple[int, str], ...]:
    """Return the dots of each shade as one path: a dot is a line of no length, drawn with a round cap.

    Where a position is full, further dots would cover those at the edge, so they are left out.
    """
    taken: Counter[int] = Counter()
    parts: dict[int, dict[str, None]] = {}
    for value, shade in dots:
        place = round(scale.place(value) / 100 * WIDE / STEP)
        rank = taken[place]
        taken[place] += 1
        away = (rank + 1) // 2 * STEP * (1 if rank % 2 else -1)
        y = TALL / 2 + max(-SPREAD, min(SPREAD, away))
        parts.setdefault(shade, {})[f"M{place * STEP} {y:g}h0"] = None
    return tuple((shade, "".join(parts[shade])) for shade in sorted(parts))
