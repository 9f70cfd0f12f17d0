"""Read documents that people or machines wrote (TOML, JSON): bounded in size, depth and digits, refused in a sentence.

Every reader of a policy, a settings file, declarations, a record or the header of a model file goes through here, so
that no document can exhaust the memory or the stack, and no error of a parser reaches a person raw.
"""

from __future__ import annotations

import gc
import json
import math
import re
import tomllib
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

from evenhand.errors import EvenhandError, InputError, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEEPEST: Final = 64
"""Levels of tables and lists in each other."""
MOST_TOML: Final = 1 << 20
"""Bytes of a TOML document; people write them."""
MOST_JSON: Final = 1 << 30
"""Bytes of a JSON document; machines write them."""
MOST_DIGITS: Final = 300
"""Digits of a number."""
WHOLE: Final = 1 << 63
"""Whole numbers are below it, as in TOML and in every other reader of JSON."""
SHORT: Final = 1 << 16
"""Letters of a document, such as the request of a server, in which long numbers are looked for before it is parsed."""
_GREAT: Final = re.compile(r"[eE]\+?[0-9]{3}")
"""Where a number may be too large by its exponent."""
_LONG: Final = re.compile(r"[0-9.eE+-]{9}")
"""Where, of every twentieth letter, a number may have 180 digits or more."""
LEAVES: Final = frozenset({str, float, bool, type(None)})
"""What of a document holds nothing, and has no bound of its own here."""


def read_bytes(place: Path, *, kind: type[EvenhandError] = InputError, make: str = "", most: int = MOST_JSON) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    place : path
    kind : type
        The error that is raised.
    make : str
        The command that makes such a file, for the sentence when there is none.
    most : int
        The largest size in bytes.

    Raises
    ------
    EvenhandError
        Of `kind`, in one sentence: when the file is missing, too large, or cannot be read.
    """
    try:
        with place.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        raise kind(f"{place}: there is no such file.{f' Make one with: {make}' if make else ''}") from None
    except (OSError, ValueError) as wrong:  # a name with a null byte is a ValueError
        raise kind(f"{place}: cannot be read: {getattr(wrong, 'strerror', None) or shorten(wrong)}.") from None
    if len(content) > most:
        raise kind(f"{place}: holds more than {most:,} bytes, and is not read. Is it the right file?")
    return content


def parse_toml(
    content: bytes | str, where: object, *, kind: type[EvenhandError] = InputError, most: int = MOST_TOML
) -> dict[str, object]:
    """Return the content of a TOML document.

    Raises
    ------
    EvenhandError
        Of `kind`, in one sentence that begins with `where`.
    """
    if len(content) > most:
        raise kind(f"{where}: holds more than {most:,} bytes, and is not read. Is it the right file?")

    def parse() -> object:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        return tomllib.loads(text.replace("\r\n", "\n"), parse_float=_real)

    return _guarded(parse, "TOML", where, kind)  # type: ignore[return-value]  # a document of TOML is a table


def parse_json(
    content: bytes | str, where: object, *, kind: type[EvenhandError] = InputError, strict: bool = False,
    finite: bool = True,
) -> object:  # fmt: skip
    """Return the content of a JSON document; numbers are finite, and whole ones have 64 bits.

    Parameters
    ----------
    strict : bool
        Whether a key that is there twice and half of a surrogate pair are refused, too, as in the header of a model.
    finite : bool
        Whether ``NaN`` and ``Infinity``, which some programs write into their logs, are refused.

    Raises
    ------
    EvenhandError
        Of `kind`, in one sentence that begins with `where`.
    """

    def parse() -> object:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        if finite and _has_short_numbers(text):
            found: object = (_STRICT if strict else _USUAL).decode(text)
        else:
            once = _once if strict else None
            constant = _no_number if finite else float
            found = json.loads(text, parse_constant=constant, parse_float=_finite, object_pairs_hook=once)
        if strict:
            refuse_halves(found, text.encode())
        return found

    return _guarded(parse, "JSON", where, kind)


def refuse_halves(found: object, text: bytes) -> None:
    """Raise UnicodeEncodeError, a ValueError, where JSON holds half of a surrogate pair, which no text can."""
    if b"\\ud" in text.lower():
        json.dumps(found, ensure_ascii=False).encode()


def check_plain(found: object, where: object, *, kind: type[EvenhandError] = InputError) -> None:
    """Refuse plain data in memory that a document could not hold."""
    _guarded(lambda: found, "document", where, kind)


@contextmanager
def uncollected() -> Iterator[None]:
    """Make many things that are all kept, without looking among them for garbage, which takes as long again."""
    usual = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if usual:
            gc.enable()


def _guarded(parse: Callable[[], object], language: str, where: object, kind: type[EvenhandError]) -> object:
    try:
        with uncollected():
            found = parse()
            _check(found)
    except RecursionError:
        raise kind(f"{where}: this is no {language} that is read: it is nested too deeply.") from None
    except ValueError as wrong:  # what is no text, no document, or a number of too many digits
        said = str(wrong)
        if "int_max_str_digits" in said:
            said = "it holds a whole number of thousands of digits"
        elif isinstance(wrong, UnicodeEncodeError):
            said = "a text in it holds half of a surrogate pair"
        raise kind(f"{where}: this is no {language} that can be read: {shorten(said, 160)}.") from None
    return found


def _has_short_numbers(text: str) -> bool:
    """Return whether no number of a short document can have too many digits or be too large, so that none is asked."""
    short = len(text) <= SHORT and not text.startswith("\ufeff")
    return short and _GREAT.search(text) is None and _LONG.search(text[::20]) is None


def _check(found: object) -> None:
    """Raise for what is nested too deeply or no number of 64 bits, without recursion."""
    level = [found]
    for _ in range(DEEPEST + 1):
        inner: list[object] = []
        for part in level:
            if type(part) is int:
                if not -WHOLE <= part < WHOLE:
                    digits = _digits(part)
                    raise ValueError(f"a whole number of {digits} digits is too large; write it as text, in quotes")
            elif isinstance(part, list):
                inner += [held for held in part if type(held) not in LEAVES]
            elif isinstance(part, Mapping):
                inner += [held for held in part.values() if type(held) not in LEAVES]
        if not inner:
            return
        level = inner
    raise RecursionError


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _digits(value: int) -> int:
    return int(value.bit_length() * math.log10(2)) + 1


def _real(text: str) -> float:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number of {len(text):,} digits")
    return float(text)


def _finite(text: str) -> float:
    value = _real(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {shorten(text, 20)} is too large")
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


_USUAL: Final = json.JSONDecoder(parse_constant=_no_number)
_STRICT: Final = json.JSONDecoder(parse_constant=_no_number, object_pairs_hook=_once)
