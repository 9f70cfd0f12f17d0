"""Write files: whole or not at all, through links and devices, without leavings.

A regular file is written under a temporary name in its folder and renamed. Its writer holds a lock on the temporary
file, which ends with the process: a temporary file without a lock was left by a writer that was killed, and the next
write to that place removes it. A device, a pipe or an open descriptor such as ``/dev/stdout`` is written to as it is.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import OutputError
from evenhand.output.signals import held_back
from evenhand.output.temporary import taken

if TYPE_CHECKING:
    from collections.abc import Callable

LINKS: Final = 40
"""Links that are followed to a place; the system has the same limit."""


def check_writable(path: str | Path) -> None:
    """Raise before long work if a file cannot be written.

    Raises
    ------
    OutputError
        When the folder is missing or may not be written to, or the path is a folder or a circle of links.
    """
    _refuse(path, lambda: _check(Path(path)))


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text whole or not at all; a lone surrogate, which UTF-8 cannot encode, as its number."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: str | Path, data: bytes, *, private: bool = False) -> None:
    """Write bytes whole or not at all; a private file is its owner's only, another keeps the permissions it had.

    A link stays and the file it names is replaced. Devices, pipes and open descriptors are written to. Of a file with
    several hard links, the name that is given gets the new content; the other names keep the old.

    Raises
    ------
    OutputError
        When the place cannot be written to; the file there before is kept.
    """
    check_writable(path)
    _refuse(path, lambda: _write(Path(path), data, private))


def append_bytes(path: str | Path, data: bytes) -> None:
    """Add bytes at the end of a file that several commands share.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    _refuse(path, lambda: _append(Path(path), data))


def write_once(path: str | Path, data: bytes) -> None:
    """Write a private file where there is none; of two writers at once, the first wins and the second changes nothing.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    _refuse(path, lambda: _once(Path(path), data))


def _refuse(path: str | Path, act: Callable[[], None]) -> None:
    """Act, and say what the system refuses in one sentence."""
    try:
        act()
    except (OSError, ValueError) as wrong:  # ValueError: a name with a null character
        raise OutputError(f"{path}: cannot be written: {getattr(wrong, 'strerror', None) or wrong}.") from None


def _check(path: Path) -> None:
    place = target(path)
    if isinstance(place, int):
        os.fstat(place)
        return
    if place.is_dir():
        raise OutputError(f"{path}: this is a folder; name a file in it.")
    folder = place.parent
    if not folder.is_dir():
        raise OutputError(f"{path}: the folder '{folder}' does not exist. Make it first, or choose another place.")
    passed_through = is_device(place)
    if not passed_through and not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder '{folder}' may not be written to. Choose another place.")
    if place.exists() and not os.access(place, os.W_OK):
        what = "this may not be written to" if passed_through else "the file may not be replaced"
        raise OutputError(f"{path}: {what}. Choose another place.")


def target(path: Path) -> Path | int:
    """Return the file that a path names behind all links; the number where that is an open descriptor of ours.

    Raises
    ------
    OSError
        Of a circle of links.
    """
    place = Path.cwd() / path
    for _ in range(LINKS):
        folder = place.parent.resolve()
        if place.name.isdigit() and _has_descriptors(folder):
            return int(place.name)
        place = folder / place.name
        if not place.is_symlink() or is_device(place):
            return place
        place = folder / place.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _has_descriptors(folder: Path) -> bool:
    return str(folder) in ("/dev/fd", f"/proc/{os.getpid()}/fd")


def is_device(place: Path) -> bool:
    """Return whether there is something that is no regular file: a device, a pipe, a socket."""
    return place.exists() and not place.is_file()


def _write(path: Path, data: bytes, private: bool) -> None:
    place = target(path)
    if isinstance(place, int):
        _pour(os.dup(place), data)
    elif is_device(place):
        _pour(os.open(place, os.O_WRONLY | os.O_NOCTTY), data)
    else:
        _write_beside(place, data, private)


def _pour(handle: int, data: bytes) -> None:
    """Write to what is open and close it: nothing is renamed, and Ctrl-C may end the wait for a reader."""
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(handle, left) :]
    finally:
        os.close(handle)


def _write_beside(place: Path, data: bytes, private: bool) -> None:
    """Write to a new file in the same folder and rename it: with the permissions of the one before, or of the umask."""
    with held_back(), taken(place) as beside:
        with os.fdopen(os.dup(beside.handle), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.path.chmod(0o600 if private else _permissions(place))
        _leave_to_owner(beside.path, place)
        beside.rename(place)


def _permissions(place: Path) -> int:
    if place.exists():
        return stat.S_IMODE(place.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _leave_to_owner(beside: Path, place: Path) -> None:
    """Give the new file to whom the one before belongs, where the system lets us."""
    if place.exists() and hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(beside, place.stat().st_uid, place.stat().st_gid)


def _append(path: Path, data: bytes) -> None:
    with held_back(), path.open("ab") as file:
        file.write(data)


def _once(path: Path, data: bytes) -> None:
    with held_back():
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return
        _pour(handle, data)
