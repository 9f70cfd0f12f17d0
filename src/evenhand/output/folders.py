"""Write folders: whole or not at all, and links to them that change at once."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import OutputError
from evenhand.output.signals import held_back

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedRandom

PART: Final = ".part"
"""How the name of a folder ends that is being written."""


def check_new_folder(path: str | Path) -> None:
    """Raise before long work if a new folder cannot be written.

    Raises
    ------
    OutputError
        When there is something by that name, or the folder that it is to be in is absent or may not be written to.
    """
    place = Path(path)
    if place.exists() or place.is_symlink():
        raise OutputError(f"{path}: this is there already. Remove it first, or choose another place.")
    above = place.absolute().parent
    if not above.is_dir():
        raise OutputError(f"{path}: the folder '{above}' does not exist. Make it first, or choose another place.")
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder '{above}' may not be written to. Choose another place.")


def write_folder(path: str | Path, files: Mapping[str, bytes]) -> None:
    """Write a new folder of files, whole or not at all, and wait until it is on the disk.

    Parameters
    ----------
    path : path
        The folder, which must not be there.
    files : mapping of name to bytes
        What it holds.

    Raises
    ------
    OutputError
        When there is something already, or it cannot be written; nothing is left then.

    Examples
    --------
    >>> write_folder("both", {"one.txt": b"1", "two.txt": b"2"})
    >>> sorted(place.name for place in Path("both").iterdir())
    ['one.txt', 'two.txt']
    """
    check_new_folder(path)
    place = Path(path).absolute()
    try:
        with held_back():
            _write(place, files)
    except OSError as wrong:
        raise OutputError(f"{path}: cannot be written: {wrong.strerror or wrong}.") from None


def _write(place: Path, files: Mapping[str, bytes]) -> None:
    beside = Path(tempfile.mkdtemp(prefix=f".{place.name[:40]}.", suffix=PART, dir=place.parent))
    try:
        for name, content in files.items():
            with (beside / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        beside.chmod(0o777 & ~mask)
        sync_folder(beside)
        beside.rename(place)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    sync_folder(place.parent)


def sweep_folders(above: Path) -> None:
    """Remove what writers of folders left that were killed; call it where no other may be writing."""
    for left in above.glob(f".*{PART}"):
        shutil.rmtree(left, ignore_errors=True)


def replace_link(link: str | Path, target: str) -> None:
    """Make a symbolic link point elsewhere, at once: whoever reads it finds the old target or the new one.

    One process at a time: hold a lock.

    Parameters
    ----------
    link : path
        The link, which may be absent.
    target : str
        What it is to name, as it is written into the link.

    Raises
    ------
    OutputError
        When there is something else than a link, or the folder cannot be written to; the link stays as it was.

    Examples
    --------
    >>> Path("first").mkdir(), Path("second").mkdir()
    (None, None)
    >>> replace_link("current", "first")
    >>> replace_link("current", "second")
    >>> Path("current").readlink().name
    'second'
    """
    place = Path(link).absolute()
    if place.exists() and not place.is_symlink():
        raise OutputError(f"{link}: this is no link, and is not replaced. Move it away, or choose another place.")
    beside = place.with_name(f".{place.name[:40]}{PART}")
    try:
        with held_back():
            beside.unlink(missing_ok=True)
            beside.symlink_to(target)
            beside.replace(place)
            sync_folder(place.parent)
    except OSError as wrong:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise OutputError(f"{link}: the link cannot be written: {wrong.strerror or wrong}.") from None


def append_line(path: str | Path, line: str) -> None:
    """Add a line to a file and wait until it is on the disk; a last line without an end, of a writer that was killed,
    is removed first.

    Raises
    ------
    OutputError
        When it cannot be written; the file is as it was then.
    """
    place = Path(path)
    try:
        with held_back(), place.open("ab+") as file:
            whole = _whole(file.seek(0, os.SEEK_END), file)
            file.truncate(whole)
            try:
                file.write(line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    os.ftruncate(file.fileno(), whole)
                raise
        sync_folder(place.absolute().parent)
    except OSError as wrong:
        raise OutputError(f"{path}: cannot be written: {wrong.strerror or wrong}.") from None


def _whole(size: int, file: BufferedRandom) -> int:
    """Return how many bytes of an open file are whole lines."""
    file.seek(0)
    return file.read(size).rfind(b"\n") + 1


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can say so."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
