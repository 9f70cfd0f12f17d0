"""An array file, mapped and not read: its shape has to fit the bytes that follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.errors import InputError, shorten

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def map_array(path: Path) -> NDArray[Any]:
    """Return the array of a ``.npy`` file; nothing of it is read yet, and nothing in it can run code.

    Raises
    ------
    InputError
        When it is no such file, or declares another size than it has.
    """
    try:
        if not path.is_file():
            raise InputError(f"{path}: this is no regular file.")
        with path.open("rb") as held:
            if held.read(6) != b"\x93NUMPY":
                raise InputError(f"{path}: this is no array that can be read: it is no .npy file.")
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        size = path.stat().st_size - found.offset
    except (OSError, ValueError, EOFError, OverflowError, TypeError, SyntaxError, MemoryError, RecursionError) as wrong:
        raise InputError(f"{path}: this is no array that can be read: {shorten(wrong)}.") from None
    if found.nbytes != size:
        raise InputError(f"{path}: its header declares {found.nbytes:,} bytes, and {size:,} follow it.")
    return found  # type: ignore[no-any-return]
