"""An ONNX file looked at as bytes, before any package reads it: what it declares, the file itself must hold.

The file is a protocol buffer: fields of a number and a kind, some of which hold further fields. Only those that can
hold a tensor are entered. Shapes at run time cannot be told from a file: `isolated` bounds those.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from mmap import mmap

LARGEST: Final = (1 << 31) - 1
"""Bytes of a protocol buffer."""
MOST: Final = 1_000_000
"""Fields that are looked at one by one; numbers in lists are not counted."""
DEEPEST: Final = 100
"""Messages within each other, as protocol buffers allow: graphs within graphs have three a level."""
_INSIDE: Final[Mapping[str, Mapping[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""For each message, which of its fields hold which message; the numbers are those of onnx.proto."""
_BITS: Final = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
}  # fmt: skip
"""Bits of a number of each type, where it has eight at least."""
_LISTS: Final = re.compile(rb"(?:\x3d.{4}){1,4096}|(?:\x40[\x80-\xff]{0,9}[\x00-\x7f]){1,4096}", re.DOTALL)
"""Numbers of an attribute (its fields 7 and 8), of which trees have millions."""
_DIMS, _TYPE, _RAW, _EXTERNAL, _LOCATION = 1, 2, 9, 13, 14
_HELD: Final = (4, 5, 6, 7, 10, 11)
"""Fields of a tensor with its numbers or texts, in place of raw bytes."""


@dataclass(slots=True)
class _Tensor:
    """What a tensor declares and holds."""

    dims: list[int] = field(default_factory=list)
    kind: int = 0
    raw: int | None = None
    held: int = 0


def check_graph(content: bytes | mmap, where: str) -> None:
    """Refuse an ONNX file that declares what it does not hold.

    Raises
    ------
    ModelError
        When it is no protocol buffer, has too many fields or too deep ones, a tensor whose numbers are fewer than its
        shape says, or one that is kept in another file.
    """
    if content[4:8] == b"ORTM":
        raise ModelError(f"{where} is a file of ONNX Runtime's own format: give the ONNX file that it was made from.")
    if len(content) > LARGEST:
        raise ModelError(f"{where} has {len(content):,} bytes; an ONNX file has {LARGEST:,} at most.")
    try:
        _walk(content, where)
    except ValueError as problem:
        raise ModelError(f"{where} is no ONNX file that ONNX Runtime can run: {problem}.") from None


def _walk(content: bytes | mmap, where: str) -> None:
    """Enter every message that can hold a tensor; the last one found is looked at first."""
    waiting = [("model", 0, len(content), 0)]
    seen = 0
    while waiting:
        kind, at, end, depth = waiting.pop()
        if depth > DEEPEST:
            raise ValueError("its graphs are nested too deeply")
        tensor = _Tensor()
        for number, value, start, stop in _fields(content, at, end, kind == "attribute"):
            seen += 1
            if seen > MOST:
                raise ValueError(f"it has more than {MOST:,} parts")
            if kind == "tensor":
                _note(tensor, content, (number, value, start, stop), where)
            elif (inner := _INSIDE[kind].get(number)) is not None:
                if value >= 0:
                    raise ValueError("a number is where a message should be")
                waiting.append((inner, start, stop, depth + 1))
        if kind == "tensor":
            _carried(tensor)


def _fields(content: bytes | mmap, at: int, end: int, lists: bool) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, value (-1 for bytes), begin and end of each field; `lists`: pass over those of numbers."""
    while at < end:
        if lists and content[at] in b"\x3d\x40" and (run := _LISTS.match(content, at, end)):
            at = run.end()
            continue
        tag, at = _varint(content, at, end)
        number, form, value, start = tag >> 3, tag & 7, -1, at
        if form == 0:
            value, at = _varint(content, at, end)
        elif form == 2:
            length, start = _varint(content, at, end)
            at = start + length
        elif form in (1, 5):
            at += 8 if form == 1 else 4
        if number == 0 or form not in (0, 1, 2, 5) or at > end:
            raise ValueError("its bytes are damaged")
        yield number, value, start, at


def _varint(content: bytes | mmap, at: int, end: int) -> tuple[int, int]:
    """Return a whole number of variable length, and where it ends."""
    value = shift = 0
    while at < end and shift < 70:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("its bytes are damaged")


def _note(tensor: _Tensor, content: bytes | mmap, found: tuple[int, int, int, int], where: str) -> None:
    """Keep what a field says of a tensor."""
    number, value, start, stop = found
    if number == _EXTERNAL or (number == _LOCATION and value != 0):
        raise ModelError(
            f"{where} keeps numbers in other files, which are not opened: save it as one file, by "
            "onnx.save_model(model, path, save_as_external_data=False)."
        )
    if number == _DIMS and value >= 0:
        tensor.dims.append(value)
    elif number == _DIMS:
        while start < stop:
            value, start = _varint(content, start, stop)
            tensor.dims.append(value)
    elif number == _TYPE:
        tensor.kind = value
    elif number == _RAW:
        tensor.raw = stop - start
    elif number in _HELD:
        tensor.held += max(1, stop - start)
    if len(tensor.dims) > 64:
        raise ValueError("a tensor has more than 64 axes")


def _carried(tensor: _Tensor) -> None:
    """Compare the shape of a tensor with the bytes it holds: a number takes a byte at least, four bits if raw."""
    count = math.prod(tensor.dims)
    if tensor.raw is None:
        enough = count <= tensor.held
    elif (bits := _BITS.get(tensor.kind)) is not None:
        enough = count * bits == 8 * tensor.raw
    else:
        enough = count <= 8 * tensor.raw
    if not enough:
        shape = " x ".join(f"{size:,}" for size in tensor.dims[:8])
        raise ValueError(f"a tensor of shape {shape} has {tensor.raw or tensor.held:,} bytes, which is another size")
