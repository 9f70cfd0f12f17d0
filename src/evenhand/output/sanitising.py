r"""One sanitiser for everything that is printed: what commands a terminal, a log or a CI runner is shown, not obeyed.

A group, a column, a file or a model may be called anything. `plain` makes a name, or a line that holds names, one
line: a line break in it would begin a line that evenhand did not say. `plain_lines` does the same for a text of several
lines, and `plain_json` for JSON, where the escapes mean the same characters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

ACTING: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of control and format characters, of surrogates, which UTF-8 cannot encode, and of breaks."""
UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Letters and marks that show nothing, so that two names look alike."""
JOINER: Final = "\u200d"
PICTURE: Final = "\ufe0f"
"""Asks for the coloured form of an emoji."""
_VIRAMA: Final = 9
"""The combining class of the sign that joins consonants in the scripts of India."""
_COMMAND: Final = re.compile(r"(?m)^[^\S\n]*:(?=:)|#(?=#\w*\[)")
"""Where a runner would read a command: ``::`` at the start of a line for GitHub, ``##[`` and ``##vso[`` anywhere in one
for Azure and GitHub, ``##teamcity[`` for TeamCity."""

_FOREIGN: Final = re.compile(r"[^\n -~]+")
"""All but printable ASCII and the end of a line."""


def plain(text: str) -> str:
    r"""Return text as one line that commands nothing; what would act is written as its code point.

    That is: line breaks and other control characters, escape sequences, marks that change the text direction,
    characters that show nothing, surrogates, noncharacters, ``::`` at the start and ``##[`` or ``##vso[`` anywhere. The
    joiner stays where emoji and the scripts of India need it.

    Examples
    --------
    >>> plain("a\nb"), plain("\u202eabc"), plain("\ud800"), plain("m\u00fcnd")
    ('a\\u000ab', '\\u202eabc', '\\ud800', 'münd')
    >>> plain("::error::no"), plain("a ##vso[task.complete]")
    ('\\u003a:error::no', 'a \\u0023#vso[task.complete]')
    """
    return _without_commands(_shown(text).replace("\n", _code("\n")))


def plain_lines(text: str, *, commands: bool = False) -> str:
    r"""Return a text of several lines, each as `plain` makes it; with `commands`, those of a CI runner stay.

    Examples
    --------
    >>> plain_lines("a\n::error::b\x1b[2J\n")
    'a\n\\u003a:error::b\\u001b[2J\n'
    """
    return _shown(text) if commands else _without_commands(_shown(text))


def plain_json(text: str) -> str:
    r"""Return JSON text that a terminal can show: the same document, with what would act written as JSON's escapes.

    Examples
    --------
    >>> plain_json('"a\x9b \u202e"')
    '"a\\u009b \\u202e"'
    """
    escaped = _FOREIGN.sub(lambda found: _each(found[0], _escape), text)
    return _COMMAND.sub(lambda found: "\\u0023" if found[0] == "#" else found[0], escaped)


def plain_html(page: str) -> str:
    """Return a page whose text a CI log takes for no command: the same page, with references to characters."""
    return _COMMAND.sub(lambda found: f"{found[0][:-1]}&#{ord(found[0][-1])};", page)


def _shown(text: str) -> str:
    """Return text with what would act as code points, but for the ends of lines."""
    return _FOREIGN.sub(lambda found: _each(found[0], _code), text)


def _each(text: str, escape: Callable[[str], str]) -> str:
    return "".join(char if is_shown(char, text[at - 1 : at]) else escape(char) for at, char in enumerate(text))


def _without_commands(text: str) -> str:
    return _COMMAND.sub(lambda found: f"{found[0][:-1]}\\u{ord(found[0][-1]):04x}", text)


def is_shown(char: str, before: str = "") -> bool:
    """Return whether a character shows itself and nothing else happens; `before` is the one before it, if any."""
    if char.isascii():
        return char.isprintable()
    if char == JOINER:
        return bool(before) and (
            before == PICTURE
            or unicodedata.category(before) in ("So", "Sk")
            or unicodedata.combining(before) == _VIRAMA
        )
    code = ord(char)
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    variant = 0xFE00 <= code <= 0xFE0D or 0xE0100 <= code <= 0xE01EF
    return not (noncharacter or variant or char in UNSEEN or unicodedata.category(char) in ACTING)


def _code(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escape(char: str) -> str:
    """Return the escape of JSON: characters beyond 16 bits are two."""
    pairs = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pairs[at : at + 4]}" for at in range(0, len(pairs), 4))
