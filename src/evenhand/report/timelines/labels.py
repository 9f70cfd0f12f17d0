"""How many rows have a label, and how long that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.drawings import Table
from evenhand.report.figures.bands import Course, Stand, band_figure, multiples
from evenhand.report.timelines.watched import times_of, when
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.report.over_time import Multiples
    from evenhand.report.timelines.drawn import Room
    from evenhand.timelines import Timeline

TITLE: Final = message("Labels, and how late they come")
SHARE: Final = message("Share of all rows so far whose truth is known")


def labels(timeline: Timeline, room: Room) -> tuple[Part, ...]:
    """Return the part about labels: the share of rows so far that have one, and how old these are."""
    if not timeline.moments:
        return ()
    return (Part("labels", TITLE, (), (*_figure(timeline), _table(timeline, room)), answer=_answer(timeline)),)


def _coverage(timeline: Timeline) -> list[tuple[int, int]]:
    """Return, of each moment, the rows so far and those of them that have a label."""
    rows, found = 0, []
    for moment in timeline.moments:
        rows += moment.rows
        found.append((rows, min(moment.labelled, rows)))
    return found


def _behind(coverage: list[tuple[int, int]]) -> int | None:
    """Return by how many moments labels are behind: since when there were as many rows as there are labels now."""
    known = coverage[-1][1]
    if not known:
        return None
    reached = next(at for at, (rows, _) in enumerate(coverage) if rows >= known)
    return len(coverage) - 1 - reached


def _answer(timeline: Timeline) -> str:
    coverage = _coverage(timeline)
    (rows, known), behind = coverage[-1], _behind(coverage)
    if behind is None:
        return message("No row has a label yet, so no limit on errors can pass.")
    share = f"{100 * known / rows:.0f} %" if rows else "–"
    said = message("{known:,} of {rows:,} rows have a label ({share}).", known=known, rows=rows, share=share)
    if not behind:
        return said
    at = len(coverage) - 1 - behind
    late = message("There were as many rows as that on {when}.", when=when(timeline, at))
    return message("{text} {more}", text=said, more=late)


def _figure(timeline: Timeline) -> tuple[Multiples, ...]:
    coverage = _coverage(timeline)
    if len(coverage) < 2:
        return ()
    stands = tuple(Stand(at, known / rows if rows else None) for at, (rows, known) in enumerate(coverage))
    unused = Table("labels-0-table", SHARE, (), (), silent=True)
    figure = band_figure("labels-0", SHARE, _answer(timeline), Course(stands), times_of(timeline), unused)
    return (multiples("labels", SHARE, [figure], Table("labels-table", SHARE, (), (), silent=True)),)


def _table(timeline: Timeline, room: Room) -> Table:
    coverage, last = _coverage(timeline), len(timeline.moments) - 1
    rows = tuple(
        (when(timeline, at), f"{coverage[at][0]:,}", f"{coverage[at][1]:,}", f"{timeline.moments[at].merged:,}")
        for at in range(last + 1)
        if (last - at) % (last // room.rows + 1) == 0
    )
    head = (message("until"), message("rows so far"), message("with a label"), message("batches"))
    return Table("labels-times", TITLE, head, rows, frozenset({1, 2, 3}), folded=TITLE)
