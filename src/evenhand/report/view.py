"""The page as plain data: what every format says, before any of them says it."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, cast

from evenhand.messages import Message
from evenhand.report.drawings import Drawing, Figure, Table
from evenhand.report.numbers import CUT, cut

if TYPE_CHECKING:
    from evenhand.words import Language


@dataclass(frozen=True, slots=True)
class Entry:
    """One metric of the glossary."""

    name: str
    """The key's metric."""
    label: str
    """Its name for people."""
    meaning: str
    """What it says."""
    formula: str
    """How it is computed."""
    misleads: str
    """When it misleads."""
    source: str
    """Where it is defined."""
    example: str = ""
    """The formula with figures."""
    here: str = ""
    """A value of this audit, where there is no example."""


Block: TypeAlias = Table | Drawing


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page."""

    name: str
    """Its anchor."""
    title: str
    """Its heading."""
    lead: tuple[str, ...]
    """Plain sentences before anything else."""
    blocks: tuple[Block, ...] = ()
    """Figures and tables."""
    within: str = ""
    """The anchor of the part that it belongs to; empty for a part of its own."""


@dataclass(frozen=True, slots=True)
class Risk:
    """One key risk."""

    sentence: str
    """What is at stake, and for how many."""
    evidence: str
    """The anchor of what shows it."""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One judged limit."""

    anchor: str
    """An identifier, unique on the page."""
    status: Literal["passed", "failed", "undecided"]
    """The judgement."""
    badge: str
    """The judgement in words, with "advisory" or "waived" where it is."""
    key: str
    """The finding."""
    label: str
    """The finding in words."""
    measured: str
    """Estimate and interval."""
    limit: str
    """The limit."""
    who: str
    """The groups that make it, each with its value and its rows."""
    sentence: str
    """Why, or what would decide it."""
    note: str
    """Where the limit comes from."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything a report says."""

    title: str
    """The title."""
    subtitle: str
    """The model, the data and the number of rows."""
    status: Literal["passed", "failed", "undecided", "none"]
    """The verdict; ``none`` without a policy."""
    headline: str
    """The verdict in one word."""
    sentence: str
    """The verdict in one sentence."""
    remarks: tuple[str, ...]
    """What is to be said beside the verdict."""
    limits: tuple[LimitRow, ...]
    """All judged limits, worst first."""
    glance: Figure | None
    """The judged limits on one axis."""
    risks: tuple[Risk, ...]
    """At most five, worst first."""
    parts: tuple[Part, ...]
    """The rest, in reading order."""
    glossary: tuple[Entry, ...]
    """Each metric that the page uses."""
    version: str
    """The version of evenhand that audited."""
    last: tuple[Part, ...] = ()
    """What stands behind the glossary."""
    lang: str = "en"
    """The language of its sentences."""


_Part = TypeVar("_Part")


def said(part: _Part, words: Language) -> _Part:
    """Return a part of the page with every message in it said in a language; names and numbers stay as they are."""
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
