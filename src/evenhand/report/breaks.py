"""Where lines of a table may break, and which of its columns fit next to each other on a page.

A browser makes a column as wide as its longest piece. So numbers and usual words stay whole, long names break at their
joints, and a table that is still wider than a page or a sheet of paper goes on below with its other columns.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from evenhand.report.drawings import width_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOM: Final = 120
"""Letters that are next to each other on a page, and on a sheet of paper."""
BOLD: Final = 1.2
"""How much wider the letters of a head are."""
GAP: Final = 1
"""Letters between columns."""
LONG: Final = re.compile(r"[^\s-]{17,}")
"""Words that are broken rather than making a column wide; after a hyphen a line may break anyway."""
JOINTS: Final = re.compile(r"[^_=./]{2,}?(?:[_=./]+(?=.)|(?<=[a-z])(?=[A-Z]))")
"""The parts of such a word."""
BREAK: Final = "\0"
PIECE: Final = 20
"""Letters of a piece without joints that is broken anywhere, such as a digest."""


def jointed(text: str) -> str:
    """Return text with a mark at each place inside a long word where a line may break.

    Examples
    --------
    >>> jointed("all native_country=India").split(BREAK), jointed("PctPersPerDenseHous").split(BREAK)
    (['all native_', 'country=', 'India'], ['Pct', 'Pers', 'Per', 'Dense', 'Hous'])
    >>> jointed("race=hispanic")
    'race=hispanic'
    """
    return LONG.sub(lambda word: JOINTS.sub(rf"\g<0>{BREAK}", word[0]), text)


def tight(text: str) -> str:
    """Return numbers in which a line may break before an interval, but not inside it.

    Examples
    --------
    >>> tight("0.5 [0.4, 0.6]").split(" ")
    ['0.5', '[0.4,\\xa00.6]']
    """
    return text.replace(", ", ",\u00a0").replace("= ", "=\u00a0")


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return the columns after the first in as many runs as a page needs, each of about as many.

    Examples
    --------
    >>> columns(["group", *["share"] * 4], [["all rows", *["0.5 [0.4, 0.6]"] * 4]])
    [[1, 2, 3, 4]]
    >>> columns(["group", *["share"] * 12], [["all rows", *["0.5 [0.4, 0.6]"] * 12]])
    [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]]
    """
    first, *wide = (
        max(math.ceil(BOLD * _width(head[at])), *(_width(row[at]) for row in rows)) for at in range(len(head))
    )
    room = max(ROOM - first, 1)
    needed = -(-sum(wide) // room)
    even = -(-len(wide) // max(needed, 1))
    return list(_runs(wide, room, even))


def _runs(wide: Sequence[int], room: int, most: int) -> Iterator[list[int]]:
    run: list[int] = []
    for at, width in enumerate(wide, 1):
        if run and (len(run) == most or sum(wide[each - 1] for each in run) + width > room):
            yield run
            run = []
        run.append(at)
    yield run


def _width(text: str) -> int:
    """Return how wide the longest piece of a cell is; sentences take what is left, numbers are as `tight`."""
    pieces = _pieces(tight(text) if text[-1:] == "]" else text)
    return GAP + min(PIECE, max(map(width_of, pieces)))


def _pieces(text: str) -> list[str]:
    return re.split(rf"[ \n-]|{BREAK}", jointed(text))


def is_solid(text: str) -> bool:
    """Return whether a text has a piece that is so long that it has to be broken anywhere."""
    return any(width_of(piece) > PIECE for piece in _pieces(text))
