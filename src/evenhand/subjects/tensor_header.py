"""The header of a safetensors file, checked before anything is made of it: what it declares, the file must hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeGuard, cast

from evenhand.documents import parse_json
from evenhand.errors import ModelError, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping
    from mmap import mmap

    from evenhand.findings import Plain

LONGEST: Final = 16 << 20
"""Bytes of a header."""
MOST: Final = 20_000
"""Tensors in a file."""
AXES: Final = 8
"""Axes of a tensor."""
BYTES_EACH: Final = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
"""Bytes of a number of each type."""
METADATA: Final = "__metadata__"


@dataclass(frozen=True, slots=True)
class Header:
    """What a safetensors file says it holds."""

    metadata: Mapping[str, str]
    """Texts by name."""
    shapes: Mapping[str, tuple[int, ...]]
    """The shape of each tensor."""


def read_header(content: bytes | mmap, where: str) -> Header:
    """Return the header of a file.

    Parameters
    ----------
    content : bytes or mmap
        The file, of which the header is read.
    where : str
        What to call the file in a sentence.

    Raises
    ------
    ModelError
        When it cannot be read, or declares tensors that the bytes after it do not carry: longer, shorter, overlapping,
        with gaps, or of a type that is not known.
    """
    length, size = int.from_bytes(content[:8], "little"), len(content)
    if length > min(LONGEST, size - 8):
        raise ModelError(f"{where} is damaged: its header is said to have {length:,} bytes, of {size:,} in the file.")
    try:
        text = content[8 : 8 + length]
        if (many := text.count(b'"data_offsets"')) > MOST:
            raise ValueError(f"{many:,} tensors, of {MOST:,} at most")
        plain = parse_json(text, f"{where} is damaged: its header", kind=ModelError, strict=True)
        if not isinstance(plain, dict):
            raise ValueError("it is no object")
        metadata = plain.pop(METADATA, {})
        if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
            raise ValueError("its metadata are no texts")
        spans = {name: _span(name, entry) for name, entry in plain.items()}
        _whole([span for span, _ in spans.values()], size - 8 - length)
    except ValueError as problem:
        raise ModelError(f"{where} is damaged: its header cannot be read: {shorten(problem, 200)}.") from None
    return Header(cast("dict[str, str]", metadata), {name: shape for name, (_, shape) in spans.items()})


def _span(name: str, entry: Plain) -> tuple[tuple[int, int], tuple[int, ...]]:
    """Return where a tensor begins and ends, and its shape."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor '{shorten(name)}' has no dtype, shape and data_offsets")
    kind, shape, offsets = (entry[key] for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(kind, str) or kind not in BYTES_EACH:
        raise ValueError(f"tensor '{shorten(name)}' is of {shorten(kind)}, which is no known type")
    if not _sizes(shape) or not _sizes(offsets) or len(shape) > AXES or len(offsets) != 2:
        raise ValueError(f"tensor '{shorten(name)}' has no shape and place of whole numbers")
    begin, end = offsets
    if end - begin != math.prod(shape) * BYTES_EACH[kind]:
        raise ValueError(
            f"tensor '{shorten(name)}' of shape {shorten(tuple(shape))} is said to be in {end - begin:,} bytes"
        )
    return (begin, end), tuple(shape)


def _sizes(values: Plain) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def _whole(spans: list[tuple[int, int]], held: int) -> None:
    """Check that tensors follow each other without overlap or gap, to the end of the file."""
    at = 0
    for begin, end in sorted(spans):
        if begin != at:
            raise ValueError(f"tensors overlap or leave a gap at byte {min(begin, at):,}")
        at = end
    if at != held:
        raise ValueError(f"its tensors take {at:,} bytes, and the file has {held:,}")
