"""What changed in the inputs and in the predictions, strongest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message, messages, sentences
from evenhand.report.drawings import Table
from evenhand.report.numbers import named
from evenhand.report.spoken import spoken
from evenhand.report.timelines.drawn import Room, Titles, figures, left_out, summary
from evenhand.report.timelines.watched import alarm_of, bounds_of, last_of, name_of, series_of
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.report.view import Block, State
    from evenhand.timelines import Series, Timeline

TITLE: Final = message("What changed in inputs and predictions")
MORE: Final = message("Further inputs")
ALL: Final = message("Every input and prediction that is watched")
MOST_NAMED: Final = 5
FLOOR: Final = message(
    "An alarm needs a change that is shown, with the noise of the audited rows allowed for, to be larger than the "
    "floor; smaller ones are drawn, and alarm nobody."
)


def drift(timeline: Timeline, room: Room) -> tuple[Part, ...]:
    """Return the part about drift: the strongest open, the rest folded."""
    found = sorted(series_of(timeline, "input", "prediction"), key=lambda each: _rank(timeline, each))
    if not found:
        return ()
    limit = message("floor")
    first, more = found[: room.small], found[room.small : room.small + room.folded]
    blocks: list[Block] = [*figures(timeline, first, Titles("drift", TITLE, limit), small=True, floor=True)]
    blocks += figures(timeline, more, Titles("drift-more", MORE, limit), small=True, floor=True)
    if len(found) > len(first):
        blocks.append(_all(timeline, found, room))
    alarmed = [each for each in found if alarm_of(timeline, each) is not None]
    notes = dict.fromkeys(spoken(each.note) for each in (*first, *more))
    lead = tuple(filter(None, (FLOOR, left_out(len(found), len(first) + len(more)), *notes)))
    state: State = "failed" if alarmed else "plain"
    answer = _answer(alarmed, found)
    return (Part("drift", TITLE, lead, tuple(blocks), answer=answer, state=state, open=True),)


def _all(timeline: Timeline, found: list[Series], room: Room) -> Table:
    made = summary(timeline, found[: room.series], Titles("drift-all", ALL, message("floor")))
    title = ALL if len(found) <= room.series else message("The strongest {n} of {all}", n=room.series, all=len(found))
    return Table(made.name, title, made.head, made.rows, made.numeric, folded=title)


def _rank(timeline: Timeline, series: Series) -> tuple[bool, float]:
    """Return what sorts the strongest first: alarms, then by how many floors the change is."""
    estimate, floor = last_of(series).estimate, next(iter(bounds_of(series)), 1.0)
    return alarm_of(timeline, series) is None, -(estimate or 0.0) / (floor or 1.0)


def _answer(alarmed: list[Series], found: list[Series]) -> str:
    if not alarmed:
        return message("None of {n} has changed by more than its floor, as far as is shown.", n=len(found))
    names = named([name_of(each) for each in alarmed], MOST_NAMED)
    n = len(alarmed)
    counted = messages("{n} of {all} has changed:", "{n} of {all} have changed:", n, all=len(found))
    return sentences(counted, message("{counts}.", counts=names))
