"""Untrusted names as plain text: control characters are shown as their code points."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from evenhand.findings import Plain

LONGEST: Final = 300
"""Characters of a name or sentence; a group may be called anything."""
ACTING: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of control and format characters, and of surrogates, which UTF-8 cannot encode."""


def plain(text: str) -> str:
    r"""Return text on one line, with control characters written as their code points.

    These include line breaks, marks that change the text direction, surrogates, and noncharacters of Unicode. The
    joiner of emoji stays: it is harmless.

    Examples
    --------
    >>> plain("a\nb"), plain("\u202eabc"), plain("\ud800"), plain("m\u00fcnd")
    ('a\\u000ab', '\\u202eabc', '\\ud800', 'münd')
    """
    return "".join(char if _is_shown(char) else _code(char) for char in text)


def as_json(document: Plain) -> str:
    """Return a document for other tools as JSON text, in the given order."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def short(text: str, most: int = LONGEST) -> str:
    """Return plain text of at most `most` characters; a cut one ends in a hash of the whole, so it stays unique.

    Examples
    --------
    >>> short("x" * 10_000, 20)
    'xxxxxxxxxx… e4ee97ec'
    """
    shown = plain(text)
    if len(shown) <= most:
        return shown
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{shown[: most - 10]}… {mark}"


def _is_shown(char: str) -> bool:
    code = ord(char)
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return char == "\u200d" or (unicodedata.category(char) not in ACTING and not noncharacter)


def _code(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
