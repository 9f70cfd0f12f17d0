"""The page as plain data, shared by all formats."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, cast

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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page, under its anchor and heading."""

    name: str
    title: str
    lead: tuple[str, ...]
    """Plain sentences before anything else."""
    blocks: tuple[Block, ...] = ()
    within: str = ""
    """The anchor of the part that it belongs to; empty for a part of its own."""


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
    """The groups that decided; where it is undecided, also the rows needed to decide it."""
    note: str
    harm: str
    """Who is harmed by what failed; empty where that is not known."""


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
