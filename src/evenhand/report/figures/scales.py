"""Compute positions on a figure from values, so that templates have no arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from evenhand.report.drawings import LETTER, Tick, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

PLOT: Final = 400
"""Width of the plot, in units of the figure."""
NUMBERS: Final = 170
"""Width of the numbers after it."""
TOP: Final = 26
ROW: Final = 24
SMALLEST: Final = 1e-9
"""The shortest axis."""
MOST_BYTES: Final = 12_000
"""The largest size of a figure."""
FRAME_BYTES: Final = 2_500
"""What title, description and axis take of that."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis from the value `low` at the left end to `high` at the right one."""

    low: float
    high: float
    left: int = 100
    """The position of the left end."""

    @property
    def right(self) -> int:
        """The position of the right end."""
        return self.left + PLOT

    def place(self, value: float | None, otherwise: float | None = None) -> float:
        """Return the position of a value, clipped to the axis; an unbounded end (None) is at `otherwise`."""
        if value is None or not math.isfinite(value):
            value = self.low if otherwise is None else otherwise
        share = (value - self.low) / (self.high - self.low)
        return round(self.left + min(max(share, 0.0), 1.0) * PLOT, 1)

    def ends(self) -> tuple[tuple[Tick, ...], int, int]:
        """Return the axis of a figure of rows: its marks, start and end."""
        return self.ticks(), self.left, self.right

    def ticks(self) -> tuple[Tick, ...]:
        """Return about five round marks."""
        step = nice_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        values = ((first + index) * step for index in range(count))
        return tuple(Tick(self.place(value), f"{value + 0.0:.{digits}f}") for value in values)


def nice_step(rough: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at or above `rough`.

    Examples
    --------
    >>> nice_step(0.25), nice_step(0.07), nice_step(3)
    (0.5, 0.1, 5.0)
    """
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * (1 - 1e-9))


def scale_of(values: list[float | None], left: int = 100, *, shares: bool = True) -> Scale:
    """Return an axis that holds all values, from 0 to 1 where they are shares and may be."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    if shares and low >= 0 and high <= 1 and high > 0.3:
        return Scale(0.0, 1.0, left)
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < SMALLEST:  # all are zero
        return Scale(0.0, 1.0, left)
    step = nice_step((high - low) / 4)
    first = math.floor(low / step)
    return Scale(first * step, max(math.ceil(high / step), first + 1) * step, left)


def label_room(labels: list[str]) -> int:
    """Return the width that labels need; characters of double width count twice."""
    return math.ceil(LETTER * max((width_of(label) for label in labels), default=0)) + 18


def bytes_of(*texts: str) -> int:
    """Return how many bytes texts take on the page, with markup escaped."""
    return sum(len(escape(text).encode("utf-8", "replace")) for text in texts)


def fitting(rows: Sequence[Sequence[str]], each: int) -> int:
    """Return how many rows of texts, each with marks of `each` bytes, a figure of `MOST_BYTES` can have.

    Examples
    --------
    >>> fitting([["a"]] * 100, 1000), fitting([["<" * 1000]] * 100, 1000)
    (9, 1)
    """
    used = FRAME_BYTES
    for at, texts in enumerate(rows):
        used += each + bytes_of(*texts)
        if used > MOST_BYTES:
            return at
    return len(rows)


def height(rows: int) -> int:
    """Return the height of a figure with that many rows."""
    return TOP + ROW * rows + 30


def row_y(index: int) -> int:
    """Return the middle of a row."""
    return TOP + ROW * index + ROW // 2
