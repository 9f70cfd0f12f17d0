"""Figures of values over time as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evenhand.report.drawings import Drawing, Plot


@dataclass(frozen=True, slots=True)
class Bands(Plot):
    """A value over time: a line, the band of its intervals, its limits, the value before, and the first alarm."""

    kind: ClassVar[str] = "bands"
    line: str
    """The line, ready for a path."""
    band: str
    """The band, ready for a path; empty without intervals."""
    dots: str
    """The values of each moment alone, ready for a path with round caps."""
    limits: tuple[float, ...]
    """The places of level lines that the value must not cross."""
    baseline: float | None
    """The place of a level line: the value before; None without one."""
    alarm: tuple[float, float] | None
    """Where the first alarm was; None without one."""
    shown: str
    """The value of the rows that show it, from where they begin, and its interval, ready for a path."""
    floor: int
    """The place of the lower end of the plot."""
    guess: bool = False
    """Whether it is estimated, not measured: line and band are dashed."""
    small: bool = False
    """Whether it is one of many small ones."""
    instead: str = ""
    """What is written where there is no value at all."""


@dataclass(frozen=True, slots=True)
class Multiples(Drawing):
    """Figures over the same time, side by side, with one key and one table of where each of them ends."""

    kind: ClassVar[str] = "multiples"
    figures: tuple[Bands, ...]
    """Those that matter most first."""
    key: tuple[tuple[str, str], ...]
    """What lines and signs mean: the class of each, and its meaning."""

    @property
    def small(self) -> bool:
        """Whether its figures are small."""
        return self.figures[0].small
