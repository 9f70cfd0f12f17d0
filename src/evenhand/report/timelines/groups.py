"""The shares of groups among the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.spoken import spoken
from evenhand.report.timelines.drawn import Room, Titles, figures, left_out
from evenhand.report.timelines.watched import alarm_of, last_of, name_of, series_of, value_of
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.report.view import State
    from evenhand.timelines import Series, Timeline

TITLE: Final = message("Who the rows are")


def groups(timeline: Timeline, room: Room) -> tuple[Part, ...]:
    """Return the part about shares of groups, those first that changed most."""
    found = sorted(series_of(timeline, "share"), key=_changed, reverse=True)
    if not found:
        return ()
    drawn = found[: room.small + room.folded]
    alarmed = any(alarm_of(timeline, each) is not None for each in found)
    lead = tuple(filter(None, (left_out(len(found), len(drawn)), *dict.fromkeys(spoken(each.note) for each in drawn))))
    blocks = figures(timeline, drawn, Titles("groups", TITLE, message("floor")), small=True, floor=True)
    state: State = "failed" if alarmed else "plain"
    return (Part("groups", TITLE, lead, blocks, answer=_answer(found[0]), state=state, open=alarmed),)


def _changed(series: Series) -> float:
    last = last_of(series).estimate
    return 0.0 if last is None or series.baseline is None else abs(last - series.baseline)


def _answer(first: Series) -> str:
    name, value = name_of(first), value_of(last_of(first), first)
    if first.baseline is None:
        return message("{name}: {value}.", name=name, value=value)
    before = f"{first.baseline:.3f}"
    return message(
        "What changed most: {name}, {before} at the audit, {value} now.", name=name, before=before, value=value
    )
