"""What people said of decisions: appeals and complaints, by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.spoken import spoken
from evenhand.report.timelines.drawn import Room, Titles, figures, left_out
from evenhand.report.timelines.watched import last_of, name_of, series_of, value_of
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.timelines import Timeline

TITLE: Final = message("What people said: appeals and complaints")
CHOSEN: Final = message("Who appeals or complains is no random sample of those who were decided on.")


def feedback(timeline: Timeline, room: Room) -> tuple[Part, ...]:
    """Return the part about feedback."""
    found = series_of(timeline, "feedback")
    if not found:
        return ()
    drawn = found[: room.small + room.folded]
    notes = dict.fromkeys(spoken(each.note) for each in drawn)
    lead = tuple(filter(None, (CHOSEN, left_out(len(found), len(drawn)), *notes)))
    blocks = figures(timeline, drawn, Titles("feedback", TITLE, message("limit")), small=True)
    known = (each for each in found if last_of(each).estimate is not None)
    most = max(known, key=lambda each: last_of(each).estimate or 0.0, default=found[0])
    said = message("Highest: {name}, {value}.", name=name_of(most), value=value_of(last_of(most), most))
    return (Part("feedback", TITLE, lead, blocks, answer=said),)
