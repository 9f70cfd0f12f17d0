"""The limits of the policy over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.numbers import named
from evenhand.report.spoken import spoken
from evenhand.report.timelines.drawn import Room, Titles, figures, left_out, over_time
from evenhand.report.timelines.watched import alarm_of, last_of, name_of, series_of
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.report.view import Block, State
    from evenhand.timelines import Series, Timeline

TITLE: Final = message("The limits of the policy, over time")
BANDS: Final = message(
    "The band is an interval that holds the value at all times together, so that looking every day makes no alarm "
    "likelier. A limit fails when a band since any earlier moment lies outside, and passes when the whole band since "
    "the start lies inside."
)
MOST_NAMED: Final = 3
ORDER: Final = ("failed", "undecided", None, "passed")


def limits(timeline: Timeline, room: Room) -> tuple[Part, ...]:
    """Return the part about limits."""
    found = sorted(series_of(timeline, "limit"), key=lambda each: _rank(timeline, each))
    if not found:
        return ()
    drawn = found[: room.large]
    titles = Titles("limits", TITLE, message("limit"))
    tables = (over_time(timeline, each, f"limits-{at}-times", room.rows) for at, each in enumerate(drawn))
    said = (spoken(each.note) for each in drawn)
    lead = tuple(filter(None, (BANDS, left_out(len(found), len(drawn)), *dict.fromkeys(said))))
    blocks: tuple[Block, ...] = (*figures(timeline, drawn, titles), *tables)
    return (Part("limits", TITLE, lead, blocks, answer=_answer(found), state=_state(timeline, found), open=True),)


def _rank(timeline: Timeline, series: Series) -> tuple[bool, int]:
    return alarm_of(timeline, series) is None, ORDER.index(last_of(series).status)


def _state(timeline: Timeline, found: list[Series]) -> State:
    if any(alarm_of(timeline, each) is not None or last_of(each).status == "failed" for each in found):
        return "failed"
    return "passed" if all(last_of(each).status == "passed" for each in found) else "undecided"


def _answer(found: list[Series]) -> str:
    """State how many limits hold, and which do not."""
    by = {status: [each for each in found if last_of(each).status == status] for status in ORDER}
    passed = message("Limits that hold: {n} of {limits}.", n=len(by["passed"]), limits=len(found))
    if not by["failed"]:
        return passed
    names = named([name_of(each) for each in by["failed"]], MOST_NAMED)
    return message("{passed} Outside: {names}.", passed=passed, names=names)
