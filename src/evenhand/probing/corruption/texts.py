"""Corruptions of texts: slips of the finger, letters large and small, blanks, words that say the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.probing.corruption.corruption import Corruption

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from evenhand.probing.corruption.ranges import Ranges

KEYBOARD: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
BESIDE: Final = {
    letter: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in KEYBOARD for at, letter in enumerate(row)
}
"""The keys on either side of a letter."""
WORD: Final = re.compile(r"\w+")


def misspelt(text: str, rate: float, rng: np.random.Generator, *, once: bool = False) -> str:
    """Return a text in which a share of letters is swapped with the next, left out, doubled or a key beside it.

    With `once` it is one of its letters.
    """
    if not text:
        return text
    hits, ways = rng.random(len(text)), rng.random(len(text))
    struck = {int(hits.argmin())} if once else {int(at) for at in (hits < rate).nonzero()[0]}
    if not struck:
        return text
    letters = list(text)
    for at in sorted(struck):
        letters[at] = _slip(text, at, float(ways[at]))
    found = "".join(letters)
    return found if found != text or not once else text + text[-1]


def _slip(text: str, at: int, way: float) -> str:
    """Return what stands in place of a letter: of four ways the one that is drawn."""
    letter = text[at]
    if way < 0.25:
        return letter + letter
    if way < 0.5:
        return "" if len(text) > 1 else letter + letter
    if way < 0.75 and at:
        return letter + text[at - 1]
    beside = BESIDE.get(letter.lower(), "")
    other = beside[int(way * 1_000) % len(beside)] if beside else letter + letter
    return other.upper() if letter.isupper() else other


def typos(texts: Sequence[str], amount: float, rng: np.random.Generator, ranges: Ranges) -> list[str]:
    """Misspell a share of the letters."""
    return [misspelt(text, amount, each) for text, each in zip(texts, rng.spawn(len(texts)), strict=True)]


def case(texts: Sequence[str], amount: float, rng: np.random.Generator, ranges: Ranges) -> list[str]:
    """Write a share of the words in capitals; one that is in capitals, in small letters."""
    return _words(texts, amount, rng, lambda word, _: word.lower() if word.isupper() else word.upper())


def spacing(texts: Sequence[str], amount: float, rng: np.random.Generator, ranges: Ranges) -> list[str]:
    """Leave out a share of the blanks, or double them."""

    def changed(text: str, one: np.random.Generator) -> str:
        hits, ways = one.random(len(text)), one.random(len(text))
        parts = (
            letter if letter != " " or hits[at] >= amount else "" if ways[at] < 0.5 else "  "
            for at, letter in enumerate(text)
        )  # fmt: skip
        return "".join(parts)

    return [changed(text, each) for text, each in zip(texts, rng.spawn(len(texts)), strict=True)]


def synonyms(texts: Sequence[str], amount: float, rng: np.random.Generator, ranges: Ranges) -> list[str]:
    """Give a share of the words that are in the table another word that says the same."""

    def other(word: str, way: float) -> str:
        choices = ranges.synonyms.get(word.casefold(), ())
        if not choices:
            return word
        found = choices[min(int(way * len(choices)), len(choices) - 1)]
        if word.isupper() and len(word) > 1:
            return found.upper()
        return found[:1].upper() + found[1:] if word[:1].isupper() else found

    return _words(texts, amount, rng, other)


def _words(
    texts: Sequence[str], amount: float, rng: np.random.Generator, other: Callable[[str, float], str]
) -> list[str]:
    """Return texts in which a share of the words is replaced."""

    def changed(text: str, one: np.random.Generator) -> str:
        places = [found.span() for found in WORD.finditer(text)]
        hits, ways = one.random(len(places)), one.random(len(places))
        parts, end = [], 0
        for (start, stop), hit, way in zip(places, hits, ways, strict=True):
            word = text[start:stop]
            parts += [text[end:start], other(word, float(way)) if hit < amount else word]
            end = stop
        return "".join([*parts, text[end:]])

    return [changed(text, each) for text, each in zip(texts, rng.spawn(len(texts)), strict=True)]


def _no_table(ranges: Ranges) -> str:
    return "" if ranges.synonyms else message("No table of synonyms was given.")


WORDS: Final = message("{mild:g} %, {medium:g} % and {strong:g} % of the words")
TEXTS: Final = (
    Corruption(
        "typos", "texts", (0.01, 0.03, 0.1), message("Misspelt words"),
        message("{mild:g} %, {medium:g} % and {strong:g} % of the letters"), typos, times=100,
    ),
    Corruption("case", "texts", (0.1, 0.3, 1.0), message("Words in capitals"), WORDS, case, times=100),
    Corruption(
        "spacing", "texts", (0.05, 0.15, 0.4), message("Blanks left out or doubled"),
        message("{mild:g} %, {medium:g} % and {strong:g} % of the blanks"), spacing, times=100,
    ),
    Corruption("synonyms", "texts", (0.25, 0.5, 1.0), message("Other words that say the same"),
        message("{mild:g} %, {medium:g} % and {strong:g} % of the words that are in the table"), synonyms,
        _no_table, 100),
)  # fmt: skip
"""Corruptions of texts; the first tells how far mild noise moves scores."""
