"""Zip archives looked at before anything is unpacked: what they declare, they must hold, and no more than that."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError, shorten

if TYPE_CHECKING:
    from pathlib import Path

MOST: Final = 100_000
"""Members of an archive."""
FREE: Final = 64 << 20
"""Bytes that an archive may unpack to, however small it is."""
TIMES: Final = 100
"""Bytes beyond that for each byte of the archive: arrays of zeros are packed this well, bombs are packed better."""


def members_of(path: Path) -> list[str]:
    """Return the names of the members of an archive.

    Parameters
    ----------
    path : Path
        A file that begins as a zip archive does.

    Raises
    ------
    ModelError
        When it is damaged, has members of one name or outside of its folder, is encrypted, or would unpack to far more
        than it holds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            held = archive.infolist()
    except (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, OSError, UnicodeDecodeError) as problem:
        raise ModelError(f"'{shorten(path)}' is a damaged zip archive: {shorten(problem, 200)}.") from None
    whole, size = sum(each.file_size for each in held), path.stat().st_size
    names = [each.filename for each in held]
    if len(held) > MOST or len(set(names)) < len(names):
        raise ModelError(f"'{shorten(path)}' is a zip archive of {len(held):,} members, some of one name or too many.")
    if any(name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") for name in names):
        raise ModelError(f"'{shorten(path)}' is a zip archive with members outside of its folder, and is not opened.")
    if any(each.flag_bits & 1 for each in held):
        raise ModelError(f"'{shorten(path)}' is an encrypted zip archive: a model is opened without a password.")
    if whole > FREE + TIMES * size:
        raise ModelError(
            f"'{shorten(path)}' is a zip archive of {size:,} bytes that unpacks to {whole:,}, and is not opened."
        )
    return names


def read_member(path: Path, name: str, most: int) -> bytes:
    """Return a member of an archive, found by its name or by the end of its path.

    Raises ModelError when it is absent, damaged, or larger than `most` bytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = next(each for each in archive.infolist() if f"/{each.filename}".endswith(f"/{name}"))
            with archive.open(found) as held:
                content = held.read(most + 1)
    except (zipfile.BadZipFile, StopIteration, EOFError, OSError, RuntimeError) as problem:
        raise ModelError(f"'{shorten(path)}' is damaged: its {name} cannot be read: {shorten(problem, 200)}.") from None
    if len(content) > most:
        raise ModelError(f"'{shorten(path)}' has a {name} of more than {most:,} bytes, and is not opened.")
    return content
