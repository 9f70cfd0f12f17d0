"""A language: its sentences by message id, and its plural forms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from string import Formatter
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.messages import LIST, Message, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from evenhand.messages import Place

HAN: Final = re.compile("[\u3400-\u9fff]")
"""A Chinese character."""
HAN_BY_LATIN: Final = re.compile("[\u3400-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u3400-\u9fff]")


def _one_form(n: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Language:
    """The translations of a language; English has no catalogue and keeps every message as it is.

    Examples
    --------
    >>> from evenhand.messages import message
    >>> Language("de", {"{rows:,} rows": ("{rows:,} Zeilen",)}).say(message("{rows:,} rows", rows=1200))
    '1,200 Zeilen'
    """

    tag: str
    """Its BCP 47 tag, such as ``zh-CN``."""
    sentences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Each message id with its translation, or one for each plural form."""
    form: Callable[[int], int] = _one_form
    """Which plural form a number takes."""

    def say(self, text: Place) -> str:
        """Return a message in this language, in English where the catalogue lacks it; other texts as they are."""
        if isinstance(text, tuple):
            return self.say(joined(", ", text))
        if not isinstance(text, Message):
            return str(text)
        if LIST in text.places:
            return self._list(text.id, cast("tuple[Place, ...]", text.places[LIST]))
        n = text.places.get("n", 1)
        found = self.sentence(text.id, int(n) if text.plural and isinstance(n, int | float) else None)
        if found is None:
            found = text.plural if text.plural and n != 1 else text.id
        try:
            places = {name: self._shown(value) for name, value in text.places.items()}
            if places and HAN.search(found):
                said = {name for name, value in text.places.items() if isinstance(value, Message)}
                return _spaced(found, places, said)
            return found.format_map(places) if places else found
        except (KeyError, ValueError, IndexError):  # a third-party catalogue may name missing places
            return str(text)

    def sentence(self, id: str, n: int | None = None) -> str | None:
        """Return the translation of an id, in its form for `n`; None when there is none.

        An id with a lower-case first letter, as inside another sentence, falls back to the capitalized one.
        """
        forms = self.sentences.get(id) or self.sentences.get(id[:1].swapcase() + id[1:])
        return None if not forms else forms[0] if n is None else forms[min(self.form(n), len(forms) - 1)]

    def missing(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return the ids without a translation."""
        return tuple(id for id in ids if self.sentence(id) is None)

    def _list(self, between: str, parts: Iterable[Place]) -> str:
        joint = self.sentence(between)
        return (between if joint is None else joint).join(map(self.say, parts))

    def _shown(self, value: Place) -> Any:
        return value if isinstance(value, int | float) else self.say(value)


def _spaced(text: str, places: Mapping[str, Any], said: set[str]) -> str:
    """Fill in the places of a Chinese text, with a space where Latin letters of other messages meet its characters.

    Names of the data are no messages, and stay as they are.
    """
    made, after = "", False
    for literal, name, form, _ in Formatter().parse(text):
        made += _gap(made, literal) + literal if after else literal
        if name is not None:
            shown = f"{{{name}:{form}}}".format_map(places)
            made += _gap(made, shown) + shown if name in said else shown
        after = name in said
    return made


def _gap(before: str, after: str) -> str:
    return " " if HAN_BY_LATIN.fullmatch(before[-1:] + after[:1]) else ""
