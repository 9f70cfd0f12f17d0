"""What cannot be known from these rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.spoken import spoken
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.report.timelines.drawn import Room
    from evenhand.timelines import Timeline

TITLE: Final = message("What cannot be known from these rows")
MOST: Final = 20


def notes(timeline: Timeline, _: Room) -> tuple[Part, ...]:
    """Return the part that says what cannot be known."""
    first, *others = dict.fromkeys(filter(None, (spoken(each) for each in timeline.notes[:MOST]))) or ("",)
    if not first:
        return ()
    return (Part("notes", TITLE, tuple(others), answer=first, state="notable", open=True),)
