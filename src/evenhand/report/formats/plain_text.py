"""Names and documents of the formats for machines: short, plain, and JSON."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from evenhand.output.sanitising import plain, plain_json

if TYPE_CHECKING:
    from evenhand.findings import Plain

LONGEST: Final = 300
"""Characters of a name or sentence; a group may be called anything."""


def as_json(document: Plain) -> str:
    """Return a document for other tools as JSON text, in the given order."""
    return plain_json(json.dumps(document, indent=1, ensure_ascii=False)) + "\n"


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
