"""Find the lines of tables and keys in a TOML file, which the standard parser does not give."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str, ...]

_PART: Final = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY: Final = re.compile(rf"^\s*(?P<key>{_PART}(?:\s*\.\s*{_PART})*)\s*=")
_TABLE: Final = re.compile(rf"^\s*(?P<open>\[\[?)\s*(?P<key>{_PART}(?:\s*\.\s*{_PART})*)\s*\]\]?\s*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Written:
    """The lines of a document's parts, for error messages."""

    name: str
    """The file's name."""
    lines: Mapping[Path, int] = field(default_factory=dict)
    """The line, from 1, of each table and key; empty when the document came from no file."""

    def at(self, *path: str) -> str:
        """Return ``policy.toml:12``, or the name alone where the line is not known."""
        line = self.line(*path)
        return f"{self.name}:{line}" if line else self.name

    def line(self, *path: str) -> int:
        """Return the line of a part, or of the nearest table that holds it; 0 when neither is known."""
        return next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), 0)


def lines_of(text: str, below: Path = ()) -> dict[Path, int]:
    """Return the line of each table and key below a table; the tables of an array are numbered from 1.

    Examples
    --------
    >>> lines_of('[limits]\\n"recall[sex=*]" = { at_least = 0.5 }\\n[[waivers]]\\nlimit = "x"')
    {('limits',): 1, ('limits', 'recall[sex=*]'): 2, ('waivers', '1'): 3, ('waivers', '1', 'limit'): 4}
    """
    found: dict[Path, int] = {}
    table: Path = ()
    arrays: Counter[Path] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        head, key = _TABLE.match(line), _KEY.match(line)
        if head is not None:
            table = _parts(head["key"])
            if head["open"] == "[[":
                arrays[table] += 1
                table = (*table, str(arrays[table]))
            found.setdefault(table, number)
        elif key is not None:
            parts = _parts(key["key"])
            for end in range(1, len(parts) + 1):
                found.setdefault((*table, *parts[:end]), number)
    depth = len(below)
    return {path[depth:]: number for path, number in found.items() if path[:depth] == below and len(path) > depth}


def _parts(dotted: str) -> Path:
    """Return the names of a dotted key, as TOML reads them."""
    try:
        inner: object = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return (dotted,)  # a line inside a text that only looks like a key
    parts: list[str] = []
    while isinstance(inner, dict):
        ((name, inner),) = inner.items()
        parts.append(str(name))
    return tuple(parts)
