"""Messages: sentences that keep their facts.

A message is an English sentence that keeps its id (the sentence with named places, which is also
the gettext msgid) and the typed values of those places. As text it reads in English, so it can be printed, compared
and measured like any other; `evenhand.words` translates it from the same facts.
"""

from __future__ import annotations

import re
from functools import lru_cache, reduce
from string import Formatter
from typing import TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Place: TypeAlias = "str | int | float | tuple[Place, ...]"
"""The value of a place: a number, a name as the data has it, another message, or a list of these."""
PlainMessage: TypeAlias = "str | int | float | list[PlainMessage] | dict[str, PlainMessage]"
_FORMAT = re.compile(r"\+?,?(\.\d)?[defg%]?")
LIST = ""
"""The place of the parts of a list; the message's id is the separator."""


class Message(str):
    """An English sentence with its message id and the values of its places.

    Examples
    --------
    >>> found = message("{metric} of {rows:,} rows", metric=message("Recall"), rows=1200)
    >>> found
    'Recall of 1,200 rows'
    >>> found.id, found.places["rows"]
    ('{metric} of {rows:,} rows', 1200)
    """

    __slots__ = ("id", "places", "plural")

    id: str
    """The sentence with its places in braces, as `str.format` has them; of a list, its separator."""
    plural: str
    """The sentence for other numbers than one of the place `n`; empty when there is one form only."""
    places: Mapping[str, Place]
    """The value of each place."""

    def __new__(cls, id: str, places: Mapping[str, Place] | None = None, plural: str = "") -> Message:
        """Write the sentence in English and keep its facts."""
        values = {name: _own(value) for name, value in (places or {}).items()}
        made = super().__new__(cls, _english(id, values, plural))
        made.id, made.places, made.plural = id, values, plural
        return made

    def __getnewargs__(self) -> tuple[str, dict[str, Place], str]:  # type: ignore[override]
        return self.id, dict(self.places), self.plural


def message(id: str, /, **places: Place) -> Message:
    """Return the message of an id; every literal id is found by the extraction of the catalogue."""
    return id if isinstance(id, Message) and not places else Message(id, places)


def messages(one: str, other: str, /, n: int, **places: Place) -> Message:
    """Return a message with a form for one and a form for other numbers `n`."""
    return Message(one, {"n": n, **places}, other)


def joined(between: str, parts: Iterable[Place]) -> Message:
    """Return parts as a list; `between` is a message id too: Chinese has its own punctuation.

    Examples
    --------
    >>> joined("; ", [message("Recall"), "black"])
    'Recall; black'
    """
    return Message(between, {LIST: tuple(parts)})


def sentences(*parts: str) -> str:
    """Return whole sentences as one text, without those that are empty: not every language puts a space between.

    Examples
    --------
    >>> sentences(message("No row at all."), "", message("Nobody was refused."))
    'No row at all. Nobody was refused.'
    """
    said = [part for part in parts if part] or [""]
    return reduce(lambda text, more: message("{text} {more}", text=text, more=more), said)


def continued(text: str, more: str) -> str:
    """Return a text and what is added to it: after a semicolon, or as a sentence of its own after a whole sentence.

    Examples
    --------
    >>> continued(message("No row at all."), message("about 30 more rows"))
    'No row at all. About 30 more rows'
    >>> continued(message("n={rows}", rows=3), message("about 30 more rows"))
    'n=3; about 30 more rows'
    """
    if not more:
        return text
    return sentences(text, capitalized(more)) if text.endswith(".") else joined("; ", (text, more))


def lowered(text: str) -> str:
    """Return a text that begins within a sentence; abbreviations keep their letters.

    Examples
    --------
    >>> lowered(message("Recall")), lowered("ROC AUC")
    ('recall', 'ROC AUC')
    """
    return text if text.isupper() or text[1:2].isupper() or text[1:2].isdigit() else _begun(text, str.lower, lowered)


def capitalized(text: str) -> str:
    """Return a text that begins a sentence; a list and a sentence that begins with a place by their first part.

    Examples
    --------
    >>> capitalized(message("{metric}: {value}", metric=message("recall"), value=0.5))
    'Recall: 0.5'
    """
    return _begun(text, str.upper, capitalized)


def _begun(text: str, change: Callable[[str], str], inner: Callable[[str], str]) -> str:
    """Change the first letter of a text; where a message begins with a place, of the message in it, never of a name."""
    if not isinstance(text, Message):
        return change(text[:1]) + text[1:]
    first = re.match(r"{(\w+)}", text.id)
    if LIST in text.places:
        parts = cast("tuple[str, ...]", text.places[LIST])
        return joined(text.id, (inner(part) if at == 0 else part for at, part in enumerate(parts)))
    if first is not None:
        place = text.places[first[1]]
        told = inner(place) if isinstance(place, Message) else place
        return Message(text.id, {**text.places, first[1]: told}, text.plural)
    return Message(change(text.id[:1]) + text.id[1:], text.places, change(text.plural[:1]) + text.plural[1:])


def _own(value: Place) -> Place:
    """Return a NumPy number as a Python number."""
    return cast("Place", value.item()) if hasattr(value, "item") else value


def _english(id: str, places: Mapping[str, Place], plural: str) -> str:
    if LIST in places:
        return id.join(map(str, cast("tuple[Place, ...]", places[LIST])))
    chosen = plural if plural and places["n"] != 1 else id
    return chosen.format_map({name: _shown(value) for name, value in places.items()}) if places else chosen


def _shown(value: Place) -> str | int | float:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


def message_to_plain(value: Place) -> PlainMessage:
    """Return a message as JSON has it: ``{"id": ..., "places": {...}}``; a plain text as it is."""
    if isinstance(value, tuple):
        return [message_to_plain(part) for part in value]
    if not isinstance(value, Message):
        return value
    if not value.places:
        return {"id": value.id}
    places = {name: message_to_plain(part) for name, part in value.places.items()}
    return {"id": value.id, "places": places, **({"plural": value.plural} if value.plural else {})}


def message_from_plain(value: PlainMessage) -> Place:
    """Return the message of `message_to_plain`.

    Raises
    ------
    ValueError
        When a sentence has a place without a value, or one that is written otherwise than places are here: a file may
        come from anybody, and `str.format` can do more than write numbers.
    """
    if isinstance(value, list):
        return tuple(message_from_plain(part) for part in value)
    if not isinstance(value, dict):
        return value
    places = cast("dict[str, PlainMessage]", value.get("places", {}))
    known = {name: message_from_plain(part) for name, part in places.items()}
    id, plural = cast("str", value["id"]), cast("str", value.get("plural", ""))
    needed = {"n"} if plural else set()
    if known and LIST not in known:
        needed |= _places(id) | _places(plural)
    if not needed <= known.keys() or (LIST in known and not isinstance(known[LIST], tuple)):
        raise ValueError(f"{id!r} lacks a place")
    return Message(id, known, plural)


@lru_cache(4096)
def _places(sentence: str) -> frozenset[str]:
    """Return the places of a sentence, each a name with a plain format."""
    found = [part for part in Formatter().parse(sentence) if part[1] is not None]
    if any(part[3] or not str(part[1]).isidentifier() or not _FORMAT.fullmatch(part[2] or "") for part in found):
        raise ValueError(f"{sentence!r} is no sentence with plain places")
    return frozenset(str(part[1]) for part in found)
