"""Names and documents of the formats for machines: short, plain, JSON and YAML."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Final

from evenhand.output.sanitising import plain, plain_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import Plain

_EXPONENT: Final = re.compile(r'^(\s*"(?:[^"\\]|\\.)*": -?\d+)(e[+-]\d+)', re.MULTILINE)
"""A number such as 9e-05, which is a text for readers of YAML 1.1: they ask for a point."""
LONGEST: Final = 300
"""Characters of a name or sentence; a group may be called anything."""


def as_json(document: Plain) -> str:
    """Return a document for other tools as JSON text, in the given order."""
    return plain_json(json.dumps(document, indent=1, ensure_ascii=False)) + "\n"


def as_yaml(document: Mapping[str, Plain]) -> list[str]:
    """Return a document as lines of YAML, which reads JSON: a name a line, its value indented below it.

    Examples
    --------
    >>> as_yaml({"license": "mit", "tags": ["a"]})
    ['license: "mit"', 'tags: [', '   "a"', '  ]']
    """
    lines: list[str] = []
    for name, value in document.items():
        text = _EXPONENT.sub(r"\1.0\2", json.dumps(value, indent=1, ensure_ascii=False))
        first, *more = text.split("\n")
        lines += [f"{name}: {first}", *(f"  {line}" for line in more)]
    return lines


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
