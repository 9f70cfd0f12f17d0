"""JSON that a model file carries, read with bounds: depth, digits, one value a key."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from evenhand.findings import Plain

DEEPEST: Final = 64
"""Lists and objects within each other."""
DIGITS: Final = 20
"""Digits of a whole number; those of 64 bits have 20 at most."""


def read_plain(text: str | bytes) -> Plain:
    """Return what JSON says.

    Raises ValueError for what no writer of evenhand writes: a key twice, numbers that are infinite, no number or
    longer than 64 bits, nesting deeper than `DEEPEST`, halves of characters, or no JSON.
    """
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_int=_whole, parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError(f"lists within each other more than {DEEPEST} deep") from None
    _check(found)
    return cast("Plain", found)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _finite(digits: str) -> float:
    if len(digits) > 400 or not math.isfinite(number := float(digits)):
        raise ValueError("a number that is not finite, or of too many digits")
    return number


def _check(found: object) -> None:
    """Look at every value, level by level: how deep they are, and whether texts can be written."""
    level, depth = [found], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"lists within each other more than {DEEPEST} deep")
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner += [*value.keys(), *value.values()]
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str) and not value.isascii():
                value.encode()  # UnicodeEncodeError, which is a ValueError, for half of a character
        level, depth = inner, depth + 1
