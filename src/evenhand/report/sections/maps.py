"""Maps of images: where the score comes from, overall, for each group and for the rows that were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.figures.explained import explained_scale
from evenhand.report.figures.heat import heat_figure
from evenhand.report.figures.removal import followed, removal
from evenhand.report.numbers import show
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.judged import table_of
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.drawings import Heat
    from evenhand.report.sections.judged import FigureRow, Judged
    from evenhand.report.view import Block

TITLE: Final = message("Where in the images the score comes from")
METRIC: Final = "square_importance"
MOST_MAPS: Final = 9
"""Maps of groups and of rows on the page; the others are in audit.json."""


def maps(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Draw the mean maps and the curves of the score; nothing where no image was explained."""
    found = record.of_audit("maps")
    if not found:
        return ()
    lead = reasons(record, "maps")
    alike: list[FigureRow] = [
        (whom(f), f, "plain", None)
        for f in found
        if f.key.metric == "deletion_insertion_gap" and f.key.group and f.key.qualifier("of") == "values"
    ]
    title = message("How much more the score follows the squares ranked first, in each group")
    by_group: tuple[Block, ...] = (table_of("maps-followed", title, alike),) if alike else ()
    blocks = (*_drawn(found), *removal(found, explained_scale(record), "maps-removal"), *by_group)
    return (Part("maps", TITLE, lead, blocks),)


def _drawn(found: tuple[Finding, ...] | list[Finding]) -> tuple[Block, ...]:
    """Return one grid a map; all are shaded by the greatest value of any."""
    held: dict[tuple[str, str], list[Finding]] = {}
    for f in found:
        if f.key.metric == METRIC and f.estimate is not None:
            held.setdefault((f.key.qualifier("given") or "", f.key.qualifier("row") or ""), []).append(f)
    most = max((f.estimate or 0.0 for cells in held.values() for f in cells), default=0.0) or 1.0
    return tuple(
        _grid(f"map-{at}", _named(group, row, cells), cells, most)
        for at, ((group, row), cells) in enumerate(held.items())
        if at <= MOST_MAPS
    )


def _named(group: str, row: str, cells: list[Finding]) -> str:
    if row:
        return message("Map of row {row}", row=row)
    rows = cells[0].support or 0
    if group:
        return message("Mean map of {n} images, {group}", n=rows, group=group)
    return message("Mean map of {n} images", n=rows)


def _grid(name: str, title: str, cells: list[Finding], most: float) -> Heat:
    """Return squares in their places, darker where they are of greater importance."""
    placed: dict[tuple[int, int], float] = {}
    for f in cells:
        match f.key.columns[0].split(" "):  # as the audit names a square
            case ["row", row, "column", column] if row.isdecimal() and column.isdecimal():
                placed[int(row), int(column)] = f.estimate or 0.0
    rows, columns = (sorted({place[axis] for place in placed}) for axis in (0, 1))
    lines = [
        (
            str(row),
            [placed.get((row, column), 0.0) / most for column in columns],
            [show(placed.get((row, column), 0.0), "score") for column in columns],
        )
        for row in rows
    ]
    return heat_figure(name, title, [str(column) for column in columns], lines, corner=message("row, column"))


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State whether the score follows the squares that are ranked first."""
    found = record.of_audit("maps")
    said = followed(found)
    return answered(judged, found) if said is None else Answer(said)


SECTION: Final = Section("maps", TITLE, ("maps",), 725, maps, within="explanation", theme=EXPLANATIONS, answer=answer)
