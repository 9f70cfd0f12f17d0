"""Figures and tables of what is watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message
from evenhand.report.drawings import Table
from evenhand.report.figures.bands import band_figure, multiples
from evenhand.report.numbers import cut
from evenhand.report.sections.judged import STATUSES
from evenhand.report.timelines.watched import (
    alarm_of,
    course_of,
    last_of,
    limit_words,
    name_of,
    thinned,
    times_of,
    value_of,
    when,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.report.over_time import Bands, Multiples
    from evenhand.timelines import Series, Timeline

MOST_TITLE: Final = 100


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a timeline a page shows."""

    large: int = 12
    """Large figures of one part."""
    small: int = 6
    """Small figures that are open."""
    folded: int = 18
    """Small figures that are folded."""
    rows: int = 24
    """Moments of a table."""
    series: int = 60
    """Rows of a table of all that is watched of a kind."""


@dataclass(frozen=True, slots=True)
class Titles:
    """How a part calls its figures, and the table of where they end."""

    name: str
    """The beginning of their identifiers."""
    title: str
    limit: str
    """What the column of limits is called."""


def figures(
    timeline: Timeline, found: Sequence[Series], titles: Titles, *, small: bool = False, floor: bool = False
) -> tuple[Multiples, ...]:
    """Return figures of series side by side, with a table of where each ends; nothing without any."""
    if not found or not timeline.moments:
        return ()
    times = times_of(timeline)
    drawn = [_figure(timeline, each, f"{titles.name}-{at}", times, small=small) for at, each in enumerate(found)]
    return (multiples(titles.name, titles.title, drawn, summary(timeline, found, titles), floor=floor),)


def _figure(timeline: Timeline, series: Series, name: str, times: Sequence[str], *, small: bool) -> Bands:
    title = cut(name_of(series), MOST_TITLE)
    unused = Table(f"{name}-table", title, (), (), silent=True)
    return band_figure(
        name, title, described(timeline, series), course_of(timeline, series), times, unused, small=small
    )


def described(timeline: Timeline, series: Series) -> str:
    """Return a figure in words: the value at the audit and now, the limit, and the first alarm."""
    last, alarm = last_of(series), alarm_of(timeline, series)
    said = message("{name}: {value} on {when}", name=name_of(series), value=value_of(last, series),
                   when=when(timeline, last.at))  # fmt: skip
    parts = [said]
    if series.baseline is not None:
        parts.append(message("{value} at the audit", value=f"{series.baseline:.3f}"))
    if limit_words(series) != "–":
        parts.append(message("limit {bound}", bound=limit_words(series)))
    if alarm is not None:
        parts.append(message("first alarm on {when}", when=when(timeline, alarm.at)))
    return message("{counts}.", counts=joined("; ", parts))


def summary(timeline: Timeline, found: Sequence[Series], titles: Titles) -> Table:
    """Return the table of where each series ends."""
    head = ("", message("at the audit"), message("now"), titles.limit, message("rows"), message("result"),
            message("first alarm"))  # fmt: skip
    rows = tuple(_row(timeline, each) for each in found)
    used = [at for at in range(len(head)) if at == 0 or any(row[at] not in ("", "–") for row in rows)]
    cells = tuple(tuple(row[at] for at in used) for row in rows)
    numeric = frozenset(new for new, at in enumerate(used) if at in (1, 2, 3, 4))
    return Table(f"{titles.name}-table", titles.title, tuple(head[at] for at in used), cells, numeric)


def _row(timeline: Timeline, series: Series) -> tuple[str, ...]:
    last, alarm = last_of(series), alarm_of(timeline, series)
    return (
        cut(name_of(series), MOST_TITLE),
        "–" if series.baseline is None else f"{series.baseline:.3f}",
        value_of(last, series),
        limit_words(series),
        f"{last.rows:,}" if last.rows else "–",
        "–" if last.status is None else STATUSES[last.status],
        "–" if alarm is None else when(timeline, alarm.at),
    )


def over_time(timeline: Timeline, series: Series, name: str, most: int) -> Table:
    """Return the folded table of a series, moment by moment."""
    alarm = alarm_of(timeline, series)
    points = thinned(series.points, most, () if alarm is None else (alarm.at, alarm.since))
    title = message("{name}, over time", name=cut(name_of(series), MOST_TITLE))
    rows = tuple(
        (
            when(timeline, one.at), f"{one.rows:,}", value_of(one, series),
            "–" if one.batch_estimate is None else f"{one.batch_estimate:.3f}",
            "–" if one.status is None else STATUSES[one.status],
        )
        for one in points
    )  # fmt: skip
    head = (message("until"), message("rows"), message("so far"), message("that batch alone"), message("result"))
    used = [at for at in range(5) if at < 3 or any(row[at] != "–" for row in rows)]
    cells = tuple(tuple(row[at] for at in used) for row in rows)
    numeric = frozenset(new for new, at in enumerate(used) if at in (1, 2, 3))
    return Table(name, title, tuple(head[at] for at in used), cells, numeric, folded=title)


def left_out(found: int, shown: int) -> str:
    """Return how many more there are than are drawn; empty without any."""
    if found <= shown:
        return ""
    return message("{shown} of {found} are drawn, those that matter most first.", shown=shown, found=found)
