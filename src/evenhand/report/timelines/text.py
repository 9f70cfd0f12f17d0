"""A timeline for a terminal: one line for each limit, each alarm, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.output.sanitising import plain
from evenhand.policy.headline import SIGNS
from evenhand.report.timelines.first import alarms, headline, sentence
from evenhand.report.timelines.watched import last_of, limit_words, series_of, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.timelines import Series, Timeline

WIDE = 60


def text(timeline: Timeline) -> str:
    """Return one line for each limit, what alarmed, and the verdict; in English, as terminals have it."""
    found = series_of(timeline, "limit")
    wide = min(max((len(plain(each.key)) for each in found), default=0), WIDE)
    lines = [*(_limit(each, wide) for each in found), *_alarms(timeline)]
    lines.append(f"{SIGNS[timeline.verdict]} {plain(headline(timeline))}.")
    return "\n".join([*lines, *filter(None, [plain(sentence(timeline))])]) + "\n"


def _limit(series: Series, wide: int) -> str:
    last = last_of(series)
    sign = SIGNS[last.status or "none"]
    status = f"{sign} {last.status or 'not judged'}"
    return f"{status:<12} {plain(series.key):<{wide}}  {value_of(last, series)}  limit {limit_words(series)}"


def _alarms(timeline: Timeline) -> Iterator[str]:
    told, more = alarms(timeline)
    for each in told:
        parts = (each.what, each.values, each.since, each.whom, each.note)
        yield plain(f"alarm: {' '.join(filter(None, parts))}")
    if more:
        yield plain(more)
