"""A page too large, cut where it shows: tables after so many rows, and parts about groups after so many."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.drawings import Figure, Table

if TYPE_CHECKING:
    from evenhand.report.view import Block, Page, Part
    from evenhand.words import Language


DRAWN: Final = 40
"""What a figure without rows may show, which its table is to have, too."""


def shortened(page: Page, rows: int, folded: int, parts: int, words: Language) -> Page:
    """Return the page with at most so many rows a table and so many parts about groups; what is left out is said.

    Tables that are folded away are cut before those that stand open. The table of limits and the verdict stay whole.
    """
    inner = [part for part in page.parts if part.within == "fairness"]
    left = {part.name for part in inner[parts:]}
    kept = [_cut(part, rows, folded) for part in page.parts if part.name not in left]
    if left:
        said = words.say(message("{parts} more parts about groups stand in audit.json.", parts=len(left)))
        kept = [replace(part, lead=(*part.lead, said)) if part.name == "fairness" else part for part in kept]
    return replace(page, parts=tuple(kept))


def _cut(part: Part, rows: int, folded: int) -> Part:
    return replace(part, blocks=tuple(_bounded(block, rows, folded) for block in part.blocks))


def _bounded(block: Block, rows: int, folded: int) -> Block:
    if isinstance(block, Table):
        return block.bounded(folded if block.folded else rows)
    most = len(block.dots) if isinstance(block, Figure) else DRAWN
    return replace(block, table=block.table.bounded(max(folded, most)))
