"""Write files atomically."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from evenhand.errors import OutputError


def check_writable(path: str | Path) -> None:
    """Raise before long work if a file cannot be written.

    Raises
    ------
    OutputError
        When the folder is missing or may not be written to, or the path is a folder.
    """
    place = Path(path)
    folder = place.parent
    if place.is_dir():
        raise OutputError(f"{place}: this is a folder; name a file in it.")
    if not folder.is_dir():
        raise OutputError(f"{place}: the folder '{folder}' does not exist. Make it first, or choose another place.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{place}: the folder '{folder}' may not be written to. Choose another place.")
    if place.exists() and not os.access(place, os.W_OK):
        raise OutputError(f"{place}: the file may not be replaced. Choose another place.")


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text whole or not at all; a lone surrogate, which UTF-8 cannot encode, as its number."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: str | Path, data: bytes, *, private: bool = False) -> None:
    """Write bytes to a temporary file and rename it: whole, or not at all; a private file is its owner's only.

    Raises
    ------
    OutputError
        When the place cannot be written to; the file there before is kept.
    """
    place = Path(path)
    check_writable(place)
    try:
        _write_beside(place, data, private)
    except OSError as wrong:
        raise OutputError(f"{place}: cannot be written: {wrong.strerror or wrong}.") from None


def _write_beside(place: Path, data: bytes, private: bool) -> None:
    """Write to a new file in the same folder, readable by whom the umask allows or the owner only; then rename it."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:40]}.", suffix=".part")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not private:
            mask = os.umask(0)
            os.umask(mask)
            beside.chmod(0o666 & ~mask)
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
