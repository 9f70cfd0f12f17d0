"""The figure of limits: how far each is kept or missed, on one scale for ratios, errors, R2 and bytes alike.

The scale is that of `evenhand.policy.severity`: 0 is the limit, -1 the best possible value, 1 twice as far from the
best value as the limit allows. It is drawn twice, wide and narrow; a page shows the one that it has room for.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message
from evenhand.policy.evidence import decided_end
from evenhand.policy.naming import named
from evenhand.policy.severity import beyond
from evenhand.policy.wording import measured
from evenhand.report.drawings import Tick, fit
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.policy import Judgement
    from evenhand.report.drawings import Mark

MOST_ROWS: Final = 12
"""Limits that are drawn; all are in the table."""
LEAST_ROWS: Final = 6
"""Limits that are drawn however much is said before."""
INSIDE: Final = -1.0
OUTSIDE: Final = 3.0
"""The ends of the scale; what is beyond them is drawn as an arrow."""
MOST_KEY: Final = 80
LETTER: Final = 6.4
"""Width of a letter of a label of 12 px, which is not capitals all along."""
KEY_LETTER: Final = 6.7
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
    """Whether the status is written in the line of the label."""

    @property
    def label(self) -> str:
        """The label, as much of it as has room."""
        room = self.room - (8 + LETTER * len(self.span.badge) if self.shares_line else 0)
        return fit(self.span.label, math.floor(room / LETTER))

    @property
    def key(self) -> str:
        """The key, as much of it as has room."""
        return fit(self.span.key, math.floor(self.room / KEY_LETTER))


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


def distances(judgements: Sequence[Judgement], words: int = 1000) -> Distances | None:
    """Return the figure of the worst limits; None without any. What is met and has no value needs no place on it.

    Parameters
    ----------
    judgements : sequence of Judgement
        Worst first.
    words : int
        How many words the rows may take together; a few rows are drawn in any case.
    """
    placed = (span_of(judgement) for judgement in judgements)
    drawn = [span for span in placed if span.at is not None or span.mark != "passed"]
    spans = _fitting(drawn[:MOST_ROWS], words)
    if not spans:
        return None
    reach = max(
        (end for span in spans for end in (span.at, span.high) if end is not None and math.isfinite(end)), default=1
    )
    end = float(min(max(math.ceil(reach), 1), OUTSIDE))
    title = message("How far each limit is kept or missed")
    told = joined("; ", (message("{limit}: {status}", limit=span.label, status=span.badge) for span in spans))
    sheets = _sheet("wide", spans, end), _sheet("narrow", spans, end)
    description = message("{title}, worst first. {limits}.", title=title, limits=told)
    return Distances("limits-figure", title, description, sheets, len(drawn) - len(spans))


def _fitting(spans: Sequence[Span], words: int) -> list[Span]:
    """Return as many rows as have the words together, and at least a few."""
    taken = list(accumulate(len(f"{span.label} {span.key} {span.badge}".split()) for span in spans))
    return list(spans[: max(LEAST_ROWS, bisect_right(taken, words))])


def span_of(judgement: Judgement) -> Span:
    """Return a judged limit on the scale; the end that decided is at the judgement's severity."""
    limit, finding = judgement.limit, judgement.finding
    key, label = cut(str(judgement.key), MOST_KEY), named(judgement.key)
    said = (label, key, judgement.status, judgement.badge)
    if finding is None or finding.estimate is None:
        return Span(*said, None, 0.0, 0.0, cut(measured(finding, limit), 40))
    at = beyond(finding.estimate, limit)
    if finding.interval is None:
        return Span(*said, at, at, at)
    ends = {
        "low": finding.interval.low if finding.interval.low is not None else -math.inf,
        "high": finding.interval.high if finding.interval.high is not None else math.inf,
    }
    better, worse = ("low", "high") if limit.at_most is not None else ("high", "low")
    low, high = beyond(ends[better], limit), beyond(ends[worse], limit)
    if finding.uncovered:
        return Span(*said, at, low, high)
    if decided_end(limit, judgement.status) == better:
        return Span(*said, at, judgement.severity, high)
    return Span(*said, at, low, judgement.severity)


def _sheet(name: str, spans: Sequence[Span], end: float) -> Sheet:
    wide = name == "wide"
    width, left, right = (856, 304, 700) if wide else (334, 6, 328)
    top, row = 38, 36 if wide else 58
    room = float(left - 16) if wide else float(width)

    def place(value: float) -> float:
        share = (min(max(value, INSIDE), end) - INSIDE) / (end - INSIDE)
        return round(left + share * (right - left), 1)

    bars = []
    for at, span in enumerate(spans):
        y = top + row * at + (row // 2 if wide else row - 14)
        opens = span.low < INSIDE, span.high > end
        x = None if span.at is None else place(span.at)
        label_y = y - 3 if wide else y - 30
        bars.append(Bar(span, y, place(span.low), place(span.high), x, opens, label_y, room, not wide))
    marks = [(INSIDE, message("best")), (0.0, message("limit"))]
    marks += [(float(times), f"{times + 1}×") for times in range(1, int(end) + 1)]
    ticks = tuple(Tick(place(value), text) for value, text in marks)
    height = top + row * len(spans) + 4
    bands = ((top, height),) if wide else tuple((bar.y - 11, bar.y + 11) for bar in bars)
    return Sheet(name, width, height, left, right, top, place(0.0), ticks, tuple(bars), bands)
