"""Where a timeline comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.report.timelines.drawn import Room
    from evenhand.timelines import Timeline

TITLE: Final = message("Provenance")
ENOUGH: Final = message("The model, the baseline and the policy by their hashes, and how the error rate is split.")
MOST_VALUE: Final = 400
MOST_ROWS: Final = 80


def facts(timeline: Timeline, _: Room) -> tuple[Part, ...]:
    """Return the part about provenance."""
    rows = tuple(_rows(timeline.provenance))[:MOST_ROWS]
    if not rows:
        return ()
    return (Part("provenance", TITLE, (), (Table("provenance-table", TITLE, ("", ""), rows),), answer=ENOUGH),)


def _rows(block: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in sorted(block.items()):
        whole = f"{before}: {name}" if before else name
        if isinstance(value, dict):
            yield from _rows(value, whole)
        elif isinstance(value, list):
            yield cut(whole, 100), cut(", ".join(map(str, value)), MOST_VALUE)
        elif value not in (None, ""):
            yield cut(whole, 100), cut(str(value), MOST_VALUE)
