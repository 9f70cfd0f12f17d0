"""The figure of limits as plain data: each limit as a span on one scale, placed for a wide and for a narrow page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.report.drawings import fit_between

if TYPE_CHECKING:
    from evenhand.report.drawings import Mark, Tick

LETTER: Final = 6.4
"""Width of a letter of a label of 12 px, which is not capitals all along."""
KEY_LETTER: Final = 6.65
"""Width of a letter of a key of 11 px, all letters being as wide."""


@dataclass(frozen=True, slots=True)
class Span:
    """A judged limit on the scale."""

    label: str
    """The finding in words."""
    key: str
    mark: Mark
    """Its status, as a shape."""
    badge: str
    """Its status in words."""
    at: float | None
    """The estimate; None where there is none."""
    low: float
    """The end of the interval that is better; -inf where it is open."""
    high: float
    """The end that is worse; inf where it is open."""
    instead: str = ""
    """What is there instead of an estimate."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A limit at its place in a drawing."""

    span: Span
    y: int
    """The middle of its bar."""
    low: float
    high: float
    x: float | None
    opens: tuple[bool, bool]
    """Whether the bar goes on beyond the left and the right end of the scale."""
    label_y: int
    room: float
    """The width that its label has."""
    shares_line: bool
    """Whether the status is written in the line of the key."""

    @property
    def label(self) -> str:
        """The label, as much of it as has room."""
        return fit_between(self.span.label, math.floor(self.room / LETTER))

    @property
    def key(self) -> str:
        """The key, as much of it as has room."""
        room = self.room - (8 + LETTER * len(self.span.badge) if self.shares_line else 0)
        return fit_between(self.span.key, math.floor(room / KEY_LETTER))


@dataclass(frozen=True, slots=True)
class Sheet:
    """The figure drawn for one width."""

    name: str
    """``wide`` or ``narrow``."""
    width: int
    height: int
    left: int
    right: int
    top: int
    limit: float
    """The position of the limit."""
    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    bands: tuple[tuple[int, int], ...]
    """Where the scale is drawn: all along a wide figure, between the labels of a narrow one."""


@dataclass(frozen=True, slots=True)
class Distances:
    """The figure, once for a wide page and once for a narrow one."""

    name: str
    title: str
    description: str
    """What a screen reader says instead."""
    sheets: tuple[Sheet, ...]
    more: int
    """How many limits are not drawn."""
