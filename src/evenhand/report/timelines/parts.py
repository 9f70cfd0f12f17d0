"""The parts of the page of a timeline, in reading order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.report.timelines.drift import drift
from evenhand.report.timelines.facts import facts
from evenhand.report.timelines.feedback import feedback
from evenhand.report.timelines.groups import groups
from evenhand.report.timelines.labels import labels
from evenhand.report.timelines.limits import limits
from evenhand.report.timelines.notes import notes
from evenhand.report.timelines.performance import performance

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.report.timelines.drawn import Room
    from evenhand.report.view import Part
    from evenhand.timelines import Timeline

    Draw = Callable[[Timeline, Room], tuple[Part, ...]]

PARTS: Final[tuple[Draw, ...]] = (limits, notes, drift, performance, groups, labels, feedback, facts)


def parts(timeline: Timeline, room: Room) -> tuple[Part, ...]:
    """Return all parts that have something to show."""
    return tuple(part for draw in PARTS for part in draw(timeline, room))
