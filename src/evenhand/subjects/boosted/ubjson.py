"""Universal Binary JSON, as XGBoost writes it (https://ubjson.org): read whole, bounded, lists of numbers as arrays."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

DEEPEST: Final = 64
"""Tables and lists within each other."""
MOST: Final = 20_000_000
"""Values that are read one by one; numbers of a typed list are not counted."""
_WHOLE: Final = {"i": ">b", "U": ">B", "I": ">h", "l": ">i", "L": ">q"}
_NUMBERS: Final = {**_WHOLE, "d": ">f", "D": ">d"}
_TYPES: Final = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_PLAIN: Final[dict[str, object]] = {"Z": None, "T": True, "F": False}


class _Reader:
    """What is left of a document."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at, self.left = content, 0, MOST

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.content):
            raise ValueError("it ends before it is complete")
        self.at += count
        return self.content[self.at - count : self.at]

    def mark(self) -> str:
        return self.take(1).decode("latin1")

    def peek(self) -> str:
        return self.content[self.at : self.at + 1].decode("latin1")

    def whole(self) -> int:
        kind = self.mark()
        if kind not in _WHOLE:
            raise ValueError("a length is no whole number")
        return int(self.number(kind))

    def number(self, kind: str) -> float:
        form = _NUMBERS[kind]
        found: float = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return found

    def text(self) -> str:
        return self.take(self.whole()).decode()

    def value(self, kind: str, depth: int) -> object:
        self.left -= 1
        if depth > DEEPEST or self.left < 0:
            raise ValueError("it is nested too deeply, or has too many values")
        if kind in _NUMBERS:
            return self.number(kind)
        if kind in _PLAIN:
            return _PLAIN[kind]
        if kind == "S":
            return self.text()
        if kind == "C":
            return self.mark()
        if kind == "{":
            return self.table(depth)
        if kind == "[":
            return self.list(depth)
        raise ValueError(f"a value is of the unknown kind {kind!r}")

    def table(self, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        while self.peek() != "}":
            name = self.text()
            if name in found:
                raise ValueError("a table has one name twice")
            found[name] = self.value(self.mark(), depth + 1)
        self.mark()
        return found

    def list(self, depth: int) -> object:
        if self.peek() == "$":
            self.mark()
            kind = self.mark()
            if kind not in _TYPES or self.mark() != "#":
                raise ValueError("a list is of no known type")
            count, dtype = self.whole(), np.dtype(_TYPES[kind])
            return np.frombuffer(self.take(count * dtype.itemsize), dtype=dtype)
        if self.peek() == "#":
            self.mark()
            return [self.value(self.mark(), depth + 1) for _ in range(self.counted())]
        found = []
        while self.peek() != "]":
            found.append(self.value(self.mark(), depth + 1))
        self.mark()
        return found

    def counted(self) -> int:
        count = self.whole()
        if not 0 <= count <= len(self.content) - self.at:
            raise ValueError("a list is longer than the file")
        return count


def parse_ubjson(content: bytes) -> object:
    """Return what a document of UBJSON holds: tables, lists, texts and numbers; typed lists as arrays.

    Raises ValueError when it is damaged, nested too deeply, or goes on after its end.
    """
    reader = _Reader(content)
    found = reader.value(reader.mark(), 0)
    if reader.at != len(content):
        raise ValueError(f"{len(content) - reader.at:,} bytes follow its end")
    return found
