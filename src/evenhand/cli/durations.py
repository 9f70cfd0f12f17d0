"""Durations as people write them."""

from __future__ import annotations

import re
from typing import Final

from evenhand.errors import InputError

_UNITS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """Return the seconds of ``60s``, ``2m``, ``1h`` or a plain number.

    Raises
    ------
    InputError
        When it is no duration above 0.

    Examples
    --------
    >>> seconds("2m")
    120.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in _UNITS or float(found[1]) <= 0:
        raise InputError(f"'{text}' is no duration; write 60s, 2m or 1h.")
    return float(found[1]) * _UNITS[found[2]]
