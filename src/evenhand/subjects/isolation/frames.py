"""Messages between this process and an isolated one: JSON and arrays as bytes, so that reading them runs nothing."""

from __future__ import annotations

import json
import math
from typing import IO, TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Plain

LONGEST: Final = 64 << 20
"""Bytes of the JSON of a message."""
KINDS: Final = "biuf"
"""Arrays that are sent as bytes: booleans, whole numbers and floating-point ones. Texts are sent in the JSON."""


class BrokenFrameError(Exception):
    """What was read is no message, or its other end is closed."""


def send(pipe: IO[bytes], plain: Mapping[str, Plain], arrays: Sequence[NDArray[np.generic]] = ()) -> None:
    """Write a message: JSON, and arrays of numbers or texts."""
    import numpy as np

    about: list[dict[str, object]] = []
    parts: list[memoryview] = []
    for array in arrays:
        shape = list(array.shape)
        if array.dtype.kind in KINDS:
            held = np.ascontiguousarray(array)
            about.append({"dtype": held.dtype.str, "shape": shape})
            parts.append(held.reshape(-1).view(np.uint8).data if held.size else memoryview(b""))
        else:
            about.append({"texts": [str(text) for text in array.reshape(-1).tolist()], "shape": shape})
    text = json.dumps({"plain": plain, "arrays": about}).encode("ascii")
    pipe.write(len(text).to_bytes(8, "little") + text)
    for part in parts:
        pipe.write(part)
    pipe.flush()


def receive(pipe: IO[bytes], most: int) -> tuple[dict[str, Any], list[NDArray[np.generic]]]:
    """Read a message with at most so many bytes of arrays.

    Raises BrokenFrameError at the end of the pipe, and for what `send` does not write.
    """
    length = int.from_bytes(_exactly(pipe, 8), "little")
    if length > LONGEST:
        raise BrokenFrameError(f"a message of {length:,} bytes")
    try:
        told = json.loads(_exactly(pipe, length))
        arrays = []
        for entry in told["arrays"]:
            array = _array(pipe, entry, most)
            most -= array.nbytes
            arrays.append(array)
        return cast("dict[str, Any]", told["plain"]), arrays
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as problem:
        raise BrokenFrameError(str(problem)) from None


def _array(pipe: IO[bytes], entry: Mapping[str, Any], most: int) -> NDArray[np.generic]:
    import numpy as np

    shape = tuple(int(size) for size in entry["shape"])
    if "texts" in entry:
        texts = np.empty(len(entry["texts"]), dtype=object)
        texts[:] = entry["texts"]
        return cast("NDArray[np.generic]", texts.reshape(shape))
    dtype = np.dtype(str(entry["dtype"]))
    size = math.prod(shape) * dtype.itemsize
    if dtype.kind not in KINDS or min(shape, default=0) < 0 or size > most:
        raise BrokenFrameError(f"an array of {size:,} bytes")
    held = np.empty(size, dtype=np.uint8)
    _fill(pipe, held.data)
    return cast("NDArray[np.generic]", held.view(dtype).reshape(shape) if size else np.empty(shape, dtype))


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    held = bytearray(size)
    _fill(pipe, memoryview(held))
    return bytes(held)


def _fill(pipe: IO[bytes], held: memoryview) -> None:
    at = 0
    while at < len(held):
        count = pipe.readinto(held[at:])  # type: ignore[attr-defined]
        if not count:
            raise BrokenFrameError("the other end is closed")
        at += count
