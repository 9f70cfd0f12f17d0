"""Performance by labels, what is estimated without them, and calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message, sentences
from evenhand.report.spoken import spoken
from evenhand.report.timelines.drawn import Room, Titles, figures, left_out, over_time
from evenhand.report.timelines.watched import last_of, name_of, series_of, value_of
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.report.view import Block
    from evenhand.timelines import Timeline

TITLE: Final = message("Performance")
ESTIMATES: Final = message("Performance that is estimated without labels")
OF_LABELS: Final = message("Only rows whose truth is known are counted; the newest often are not among them.")
ASSUMED: Final = message(
    "An estimate, not a measurement: it assumes that what a score says of the label is still so. Where the world "
    "behind the scores has changed it is wrong without any sign of it, so no limit is judged by it."
)


def performance(timeline: Timeline, room: Room) -> tuple[Part, ...]:
    """Return the parts about performance: what is measured, then what is estimated."""
    return (*_measured(timeline, room), *_estimated(timeline, room))


def _measured(timeline: Timeline, room: Room) -> tuple[Part, ...]:
    found = series_of(timeline, "performance", "calibration")
    if not found:
        return ()
    drawn = found[: room.large]
    tables = (over_time(timeline, each, f"performance-{at}-times", room.rows) for at, each in enumerate(drawn[:3]))
    notes = dict.fromkeys(spoken(each.note) for each in drawn)
    lead = tuple(filter(None, (OF_LABELS, left_out(len(found), len(drawn)), *notes)))
    blocks: tuple[Block, ...] = (*figures(timeline, drawn, Titles("performance", TITLE, message("limit"))), *tables)
    first = found[0]
    now = message("{name} is {value} so far.", name=name_of(first), value=value_of(last_of(first), first))
    before = message("{value} at the audit.", value=f"{first.baseline:.3f}") if first.baseline is not None else ""
    return (Part("performance", TITLE, lead, blocks, answer=sentences(now, before)),)


def _estimated(timeline: Timeline, room: Room) -> tuple[Part, ...]:
    found = series_of(timeline, "estimate")
    if not found:
        return ()
    drawn = found[: room.large]
    notes = dict.fromkeys(spoken(each.note) for each in drawn)
    lead = tuple(filter(None, (ASSUMED, left_out(len(found), len(drawn)), *notes)))
    blocks = figures(timeline, drawn, Titles("estimates", ESTIMATES, message("limit")))
    first = found[0]
    said = message("{name}: {value}; not measured.", name=name_of(first), value=value_of(last_of(first), first))
    return (Part("estimates", ESTIMATES, lead, blocks, answer=said),)
