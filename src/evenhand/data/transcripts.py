"""Transcripts: texts that a person wrote down and texts that a system heard, in one spelling."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.data.values import absence
from evenhand.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

Spelling: TypeAlias = Literal["plain", "given"]
"""How transcripts are compared: in lower case and without punctuation, or as they are given."""
SPOKEN: Final = "%&@#"
"""Signs that Unicode counts as punctuation, and people say."""
APOSTROPHES: Final = "\u2019\u02bc\uff07"
"""Other ways to write an apostrophe."""
LONGEST: Final = 20_000
"""Most characters of a transcript: comparing two takes as long as the product of their lengths."""
_LOOSE: Final = re.compile(r"(?<!\w)'|'(?!\w)")


class _Plain(dict[int, "str | int"]):
    """What becomes of a character, found once for each: punctuation is a blank."""

    def __missing__(self, code: int) -> str | int:
        sign = chr(code)
        if sign in APOSTROPHES:
            kept: str | int = "'"
        elif sign == "'" or sign in SPOKEN:
            kept = sign
        else:
            kept = " " if unicodedata.category(sign).startswith("P") else code
        self[code] = kept
        return kept


_PLAIN: Final = _Plain()


def spelled(text: str, spelling: Spelling = "plain") -> str:
    """Return a transcript as it is compared: in Unicode's composed form (NFC), one blank between words.

    Parameters
    ----------
    text : str
        What was written down, or heard.
    spelling : "plain" or "given"
        ``plain`` is in lower case, and punctuation is a blank, but for an apostrophe within a word and the signs
        %, &, @ and #, which are spoken. ``given`` changes nothing else.

    Examples
    --------
    >>> spelled("  Well, it's a well-known 'fact'. ")
    "well it's a well known fact"
    """
    composed = unicodedata.normalize("NFC", text)
    if spelling == "plain":
        composed = _LOOSE.sub(" ", unicodedata.normalize("NFC", composed.lower()).translate(_PLAIN))
    return " ".join(composed.split())


def transcripts(column: pd.Series, spelling: Spelling = "plain") -> list[str]:
    """Return (n,) the transcripts of a column as they are compared; it holds texts alone."""
    once: dict[str, str] = {}
    return [once[text] if text in once else once.setdefault(text, spelled(text, spelling)) for text in column]


def transcript_problems(where: str, column: pd.Series) -> Iterator[str]:
    """Yield complaints about a column of transcripts; each begins with `where`."""
    yield from absence(f"{where} has", column, 'Where nothing was said or heard, write an empty text ("").')
    found = column.dropna()
    strange = next((value for value in found if not isinstance(value, str)), None)
    if strange is not None:
        yield f"{where} holds {shorten(repr(strange))}, which is no text; a transcript is one."
        return
    if long := int((found.str.len() > LONGEST).sum()):
        yield (
            f"{where} holds {long:,} of more than {LONGEST:,} characters. A row is an utterance: cut recordings into "
            "some."
        )


def heard_problems(name: str, frame: pd.DataFrame, *columns: str | None) -> Iterator[str]:
    """Yield complaints about the columns of what was heard; those that are absent are told elsewhere."""
    for column in columns:
        if column in frame:
            yield from transcript_problems(f"{name}: column '{shorten(column)}'", frame[column])


def words_of(texts: Iterable[str]) -> list[int]:
    """Return (n,) the number of words of transcripts in one spelling."""
    return [text.count(" ") + 1 if text else 0 for text in texts]
