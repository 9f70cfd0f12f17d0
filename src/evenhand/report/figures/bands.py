"""Figures of a value over time, with the band of its intervals and its limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.drawings import Tick, fit
from evenhand.report.figures.scales import SMALLEST, Scale, nice_step
from evenhand.report.over_time import Bands, Multiples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from evenhand.report.drawings import Table

MOST_POINTS: Final = 60
"""Of a line; of more every so many is drawn, and those that matter."""
MOST_DOTS: Final = 40
BEYOND: Final = 1.5
"""How far an axis goes beyond values and limits for the ends of intervals, in parts of what these are apart."""
LEAST_ROOM: Final = 0.01
LETTERS: Final = 10
"""Of the name of a time, so that two of them have room."""
NO_VALUE: Final = message("no value yet")
WORDS: Final = {
    "line": message("all rows so far"), "guess": message("estimate without labels"),
    "band": message("its interval, for all times together"), "dots": message("one batch alone"),
    "limit": message("limit"), "floor": message("floor: less alarms nobody"), "baseline": message("at the audit"),
    "alarm": message("first alarm, and the rows that show it"),
}  # fmt: skip
"""What lines and signs mean."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a figure: its plot, and what is around it."""

    left: int
    wide: int
    top: int
    tall: int
    width: int
    height: int
    parts: int
    """Into about how many parts its marks divide the axis upwards."""


LARGE: Final = Frame(44, 262, 10, 150, 344, 182, 5)
SMALL: Final = Frame(40, 164, 10, 70, 240, 102, 3)


@dataclass(frozen=True, slots=True)
class Stand:
    """A value at one position in time; None where it is undefined, or an end has no bound."""

    at: int
    estimate: float | None
    low: float | None = None
    high: float | None = None
    alone: float | None = None
    """The value of that moment's rows alone."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a figure shows of one value."""

    stands: Sequence[Stand]
    """In order of time, one or more."""
    limits: tuple[float, ...] = ()
    baseline: float | None = None
    alarm: Stand | None = None
    """The first alarm: where it was, and the value of the rows that show it."""
    since: int = 0
    """Where these rows begin."""
    guess: bool = False
    """Whether it is estimated, not measured."""


def band_figure(
    name: str,
    title: str,
    description: str,
    course: Course,
    times: Sequence[str],
    table: Table,
    *,
    axes: tuple[str, str] = ("", ""),
    small: bool = False,
) -> Bands:
    """Return a figure of a value over all positions in time, which `times` names."""
    frame = SMALL if small else LARGE
    stands = _fewer(course)
    alarm = None if course.alarm is None or course.alarm.estimate is None else course.alarm
    across = Scale(*_ends(len(times)), frame.left, frame.wide)
    upward = _axis(stands, course, frame)

    def place(at: float, value: float) -> tuple[float, float]:
        return across.place(at), round(frame.top + frame.tall - upward.place(value), 1)

    runs = list(_runs(stands))
    every = -(-len(stands) // MOST_DOTS)
    dots = [place(one.at, one.alone) for one in stands[::every] if one.alone is not None and not small]
    return Bands(
        name, title, description, table, frame.width, frame.height, _ticks(times, across, frame),
        tuple((place(0, value)[1], text) for value, text in _marks(upward, frame)), frame.left, across.right, axes,
        line="".join(_line([place(one.at, one.estimate or 0.0) for one in run]) for run in runs),
        band="".join(_band(run, place, upward) for run in runs),
        dots="".join(f"M{x:g} {y:g}h0" for x, y in dots),
        limits=tuple(place(0, limit)[1] for limit in course.limits),
        baseline=None if course.baseline is None else place(0, course.baseline)[1],
        alarm=None if alarm is None else place(alarm.at, alarm.estimate or 0.0),
        shown="" if alarm is None else _shown(alarm, course.since, place, upward), floor=frame.top + frame.tall,
        guess=course.guess, small=small, instead="" if runs else NO_VALUE,
    )  # fmt: skip


def multiples(name: str, title: str, figures: Sequence[Bands], table: Table, *, floor: bool = False) -> Multiples:
    """Return figures side by side with one key; `floor` says that the level lines are floors, not limits."""
    seen = {
        "line": any(not each.guess for each in figures), "guess": any(each.guess for each in figures),
        "band": any(each.band for each in figures), "dots": any(each.dots for each in figures),
        "limit": not floor and any(each.limits for each in figures),
        "floor": floor and any(each.limits for each in figures),
        "baseline": any(each.baseline is not None for each in figures),
        "alarm": any(each.alarm is not None for each in figures),
    }  # fmt: skip
    key = tuple((kind, said) for kind, said in WORDS.items() if seen[kind])
    return Multiples(f"{name}-figures", title, title, table, tuple(figures), key)


def _fewer(course: Course) -> list[Stand]:
    """Return at most about `MOST_POINTS` positions: every so many, the last, and where an alarm and its rows begin."""
    found = course.stands
    kept = set() if course.alarm is None else {course.alarm.at, course.since}
    every = -(-len(found) // MOST_POINTS)
    return [one for at, one in enumerate(found) if (len(found) - 1 - at) % every == 0 or one.at in kept]


def _ends(positions: int) -> tuple[float, float]:
    return (0.0, float(positions - 1)) if positions > 1 else (-1.0, 1.0)


def _runs(stands: Iterable[Stand]) -> Iterable[list[Stand]]:
    """Yield neighbours that have a value: where there is none, the line is broken."""
    run: list[Stand] = []
    for one in stands:
        if one.estimate is None or not math.isfinite(one.estimate):
            if run:
                yield run
            run = []
        else:
            run.append(one)
    if run:
        yield run


def _line(places: Sequence[tuple[float, float]]) -> str:
    (x, y), *others = places
    return f"M{x:g} {y:g}" + ("".join(f"L{a:g} {b:g}" for a, b in others) or "h0")


def _band(run: Sequence[Stand], place: Callable[[float, float], tuple[float, float]], upward: Scale) -> str:
    """Return the outline of the intervals; an end without a bound is at the end of the axis."""
    if all(one.low is None and one.high is None for one in run):
        return ""
    low = [place(one.at, upward.low if one.low is None else one.low) for one in run]
    high = [place(one.at, upward.high if one.high is None else one.high) for one in run]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in (*low, *reversed(high))) + "Z"


def _shown(alarm: Stand, since: int, place: Callable[[float, float], tuple[float, float]], upward: Scale) -> str:
    """Return the level line of the rows that show an alarm, and the interval of their value."""
    x, y = place(alarm.at, alarm.estimate or 0.0)
    begin = place(min(since, alarm.at), alarm.estimate or 0.0)[0]
    ends = [place(alarm.at, otherwise if end is None else end)[1]
            for end, otherwise in ((alarm.low, upward.low), (alarm.high, upward.high))]  # fmt: skip
    level = f"M{begin:g} {y:g}H{x:g}"
    return level if alarm.low is None and alarm.high is None else f"{level}M{x:g} {ends[0]:g}V{ends[1]:g}"


def _axis(stands: Sequence[Stand], course: Course, frame: Frame) -> Scale:
    """Return an axis that holds values and limits, and the ends of intervals that are not far from these."""
    inner = [value for one in stands for value in (one.estimate, None if frame is SMALL else one.alone)]
    inner += [] if course.alarm is None else [course.alarm.estimate, course.alarm.low, course.alarm.high]
    known = [value for value in (*inner, *course.limits, course.baseline) if value is not None and math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    room = max(BEYOND * (high - low), LEAST_ROOM)
    ends = [end for one in stands for end in (one.low, one.high) if end is not None and math.isfinite(end)]
    low, high = max(min([low, *ends]), low - room), min(max([high, *ends]), high + room)
    if high - low < SMALLEST:
        low, high = low - LEAST_ROOM, high + LEAST_ROOM
    edge = (high - low) * 0.05
    return Scale(low - edge if low != 0 else 0.0, high + edge, 0, frame.tall)


def _marks(upward: Scale, frame: Frame) -> list[tuple[float, str]]:
    """Return a few round values and their labels."""
    step = nice_step((upward.high - upward.low) / frame.parts)
    first, last = math.ceil(upward.low / step - 1e-9), math.floor(upward.high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(at * step, f"{at * step:z,.{digits}f}") for at in range(first, last + 1)]


def _ticks(times: Sequence[str], across: Scale, frame: Frame) -> tuple[Tick, ...]:
    """Return the names of the first and the last position, of a large figure one between them, too."""
    last = len(times) - 1
    between = [last // 2] if frame is LARGE and last >= 2 else []
    return tuple(Tick(across.place(at), fit(times[at], LETTERS)) for at in sorted({0, *between, last}))
