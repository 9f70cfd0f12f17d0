"""The page as plain data, shared by all formats."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar, cast

from evenhand.messages import Message
from evenhand.report.drawings import Drawing, Table
from evenhand.report.numbers import CUT, cut

if TYPE_CHECKING:
    from evenhand.report.first import Decision
    from evenhand.words import Language


@dataclass(frozen=True, slots=True)
class Entry:
    """One metric of the glossary: the metric of its keys, its display name, and its catalogue entry."""

    name: str
    label: str
    meaning: str
    formula: str
    misleads: str
    source: str
    example: str = ""
    """The formula with figures."""
    here: str = ""
    """A value of this audit, where there is no example."""


Block: TypeAlias = Table | Drawing
State: TypeAlias = Literal["failed", "undecided", "notable", "passed", "plain", "absent"]
"""What a part holds at worst: a limit that failed, is undecided or passed; a finding beyond chance; none of these; or
nothing, since it was not run."""
OPENING: Final[tuple[State, ...]] = ("failed", "undecided", "notable")
"""The states that open a part; all others are folded."""
MOST_SHOWN: Final = 12
"""Rows of a table that is shown in an open part; longer ones are folded."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page, under its anchor and heading."""

    name: str
    title: str
    lead: tuple[str, ...]
    """Plain sentences before its blocks."""
    blocks: tuple[Block, ...] = ()
    within: str = ""
    """The anchor of the part that it belongs to; empty for a part of its own."""
    answer: str = ""
    """What it found, in one sentence."""
    state: State = "plain"
    open: bool = False
    """Whether a reader has to see it: it is shown with its first figure or short table; all else is folded."""
    theme: str = ""
    """What it is folded with."""
    shown: int = 1
    """How many of its first blocks show the answer."""

    @property
    def exhibit(self) -> tuple[Block, ...]:
        """The blocks that show the answer: the first, unless they are folded or long tables."""
        return tuple(map(_silent, self._first))

    @property
    def twins(self) -> tuple[Table, ...]:
        """The numbers of the exhibit, where it is a figure that does not write them all and no other table has them."""
        drawn = (first for first in self._first if isinstance(first, Drawing))
        return tuple(each.table for each in drawn if not each.table.within and not each.whole)

    @property
    def rest(self) -> tuple[Block, ...]:
        """The other blocks."""
        return self.blocks[len(self._first) :]

    @property
    def _first(self) -> tuple[Block, ...]:
        first = self.blocks[: self.shown]
        return () if any(isinstance(block, Table) and _long(block) for block in first) else first


def _silent(block: Block) -> Block:
    return replace(block, table=replace(block.table, silent=True)) if isinstance(block, Drawing) else block


def _long(table: Table) -> bool:
    return bool(table.folded) or len(table.rows) > MOST_SHOWN


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One judged limit: the finding as a key and in words, its estimate and interval, the limit, its source."""

    anchor: str
    """An identifier, unique on the page."""
    status: Literal["passed", "failed", "undecided"]
    badge: str
    """The judgement in words, with "advisory" or "waived" where it is."""
    key: str
    label: str
    """The finding in words."""
    measured: str
    limit: str
    sentence: str
    """The groups that decided, and those of the estimate where they are others; the rows that would decide it where it
    is undecided, and who is harmed where it failed."""
    note: str


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report: the verdict, the parts in reading order, the glossary, and the parts after it."""

    title: str
    subtitle: str
    status: Literal["passed", "failed", "undecided", "none"]
    """The verdict; ``none`` without a policy."""
    headline: str
    sentence: str
    """The verdict in one sentence."""
    remarks: tuple[str, ...]
    """Remarks on the verdict."""
    limits: tuple[LimitRow, ...]
    """All judged limits, worst first."""
    decision: Decision
    """What comes before everything else."""
    parts: tuple[Part, ...]
    glossary: tuple[Entry, ...]
    version: str
    last: tuple[Part, ...] = ()
    lang: str = "en"

    @property
    def opened(self) -> tuple[Part, ...]:
        """The parts that a reader has to see, in reading order."""
        return tuple(part for part in (*self.parts, *self.last) if part.open)

    @property
    def themes(self) -> tuple[tuple[str, tuple[Part, ...]], ...]:
        """All other parts by theme, in reading order; those that were not run come last, together."""
        by_theme: dict[str, list[Part]] = {}
        for part in (*self.parts, *self.last):
            if not part.open and part.state != "absent":
                by_theme.setdefault(part.theme, []).append(part)
        return tuple((theme, tuple(parts)) for theme, parts in by_theme.items())

    @property
    def absent(self) -> tuple[Part, ...]:
        """The parts that were not run."""
        return tuple(part for part in (*self.parts, *self.last) if part.state == "absent")


_Part = TypeVar("_Part")


def said(part: _Part, words: Language) -> _Part:
    """Return a part of the page with its messages translated; names and numbers stay as they are."""
    if not words.sentences:
        return part  # a message is English as it is
    if isinstance(part, Message):
        return cast("_Part", _cut(part, words) if part.id == CUT else words.say(part))
    if isinstance(part, tuple):
        return cast("_Part", tuple(said(piece, words) for piece in part))
    if not is_dataclass(part) or isinstance(part, type):
        return part
    return replace(part, **{field.name: said(getattr(part, field.name), words) for field in fields(part)})


def _cut(text: Message, words: Language) -> str:
    return cut(words.say(text.places["text"]), cast("int", text.places["most"]) + 1)
