"""The first layer of the page of a timeline: the verdict, and each alarm: what changed, since when, whom it touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, messages, sentences
from evenhand.report.numbers import cut, named
from evenhand.report.spoken import spoken
from evenhand.report.timelines.watched import limit_words, name_of_key, value_of, when

if TYPE_CHECKING:
    from evenhand.timelines import Alarm, Timeline

MOST_TOLD: Final = 6
"""Alarms of the first layer; the others are counted."""
MOST_GROUPS: Final = 6
MOST_KEY: Final = 120
HOLDS: Final = message("No alarm: every limit holds on all labels so far")
OPEN: Final = message("No alarm; not every limit is shown to hold yet")
FAILED: Final = message("Alarm: a limit does not hold")
NOTHING: Final = message("Nothing was watched yet")


@dataclass(frozen=True, slots=True)
class Told:
    """One alarm in words."""

    what: str
    """What does not hold, or changed."""
    key: str
    since: str
    """When it was seen, and since when the rows show it."""
    values: str
    """The value at the audit and now, and the limit."""
    whom: str = ""
    """The groups whose bounds decided; empty where it touches no group alone."""
    note: str = ""
    """What changed."""


def headline(timeline: Timeline) -> str:
    """Return the verdict in one sentence, without a full stop."""
    if not timeline.moments:
        return NOTHING
    if timeline.verdict == "failed":
        if not timeline.alarms:
            return FAILED
        first = timeline.alarms[0]
        what = name_of_key(timeline, first.key)
        said = message("Alarm on {when}: {what}", when=when(timeline, first.at), what=what)
        more = len(timeline.alarms) - 1
        return message("{first}, and {n} more", first=said, n=more) if more else said
    if timeline.alarms:
        n = len(timeline.alarms)
        return messages("No alarm that stops; {n} alarm only warns", "No alarm that stops; {n} alarms only warn", n)
    return HOLDS if timeline.verdict == "passed" else OPEN


def sentence(timeline: Timeline) -> str:
    """State what was watched, how many limits hold, and how often an alarm is false."""
    if not timeline.moments:
        return ""
    rows, batches = (sum(getattr(each, name) for each in timeline.moments) for name in ("rows", "merged"))
    labelled = timeline.moments[-1].labelled
    watched = messages(
        "{n:,} batch until {when}, {rows:,} rows; of {labelled:,} the truth is known.",
        "{n:,} batches until {when}, {rows:,} rows; of {labelled:,} the truth is known.",
        batches, when=when(timeline, len(timeline.moments) - 1), rows=rows, labelled=labelled,
    )  # fmt: skip
    error = timeline.provenance.get("error")
    false = ""
    if isinstance(error, int | float) and 0 < error < 1:
        false = message("The chance of any false alarm, over all time, is at most {error}.", error=f"{error:g}")
    return sentences(watched, _limits(timeline), false)


def _limits(timeline: Timeline) -> str:
    """Return how the limits came out."""
    last = [each.points[-1].status for each in timeline.series if each.kind == "limit" and each.points]
    words = {
        "failed": message("{n} failed", n=last.count("failed")),
        "undecided": message("{n} undecided", n=last.count("undecided")),
        "passed": message("{n} passed", n=last.count("passed")),
    }  # fmt: skip
    said = [told for status, told in words.items() if status in last]
    return message("Limits: {counts}.", counts=joined(", ", said)) if said else ""


def alarms(timeline: Timeline) -> tuple[tuple[Told, ...], str]:
    """Return the first alarms in words, and how many more there are."""
    told = tuple(_told(timeline, each) for each in timeline.alarms[:MOST_TOLD])
    left = len(timeline.alarms) - len(told)
    more = messages("{n} more alarm is in the figures below.", "{n} more alarms are in the figures below.", left)
    return told, more if left > 0 else ""


def _told(timeline: Timeline, alarm: Alarm) -> Told:
    series = next((each for each in timeline.series if each.key == alarm.key and each.kind != "estimate"), None)
    since = message(
        "Seen on {at}, by the rows since {since}.", at=when(timeline, alarm.at), since=when(timeline, alarm.since)
    )
    values: str = message("Since then {value}", value=value_of(alarm, series))
    if alarm.baseline is not None:
        values = message("{before} at the audit, since then {value}", before=f"{alarm.baseline:.3f}",
                         value=value_of(alarm, series))  # fmt: skip
    if series is not None and limit_words(series) != "–":
        limit = message("{values}; limit {bound}", values=values, bound=limit_words(series))
        floor = message("{values}; floor {bound}", values=values, bound=limit_words(series).removeprefix("≤ "))
        values = limit if series.kind == "limit" else floor
    groups = named([cut(group, 60) for group in alarm.groups], MOST_GROUPS) if alarm.groups else ""
    whom = message("Whom it touches: {groups}.", groups=groups) if groups else ""
    what = name_of_key(timeline, alarm.key)
    return Told(what, cut(alarm.key, MOST_KEY), since, message("{counts}.", counts=values), whom, spoken(alarm.note))
