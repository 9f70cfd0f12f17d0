"""Temporary files of writers: one name a place and writer, locked while its writer lives, removed when it does not."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed: a file that is there is another writer's
    fcntl = None  # type: ignore[assignment]

WRITERS: Final = 16
"""Processes and threads that may write to one place at once."""
_FLAGS: Final = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@dataclass(slots=True)
class Temporary:
    """An empty file that its writer holds the lock of."""

    path: Path
    handle: int
    is_open: bool = True

    def rename(self, place: Path) -> None:
        """Rename the file; with its lock where there are locks, elsewhere an open file cannot be renamed."""
        if fcntl is None:
            self.close()
        self.path.replace(place)

    def remove(self) -> None:
        """Remove the file, unless it was renamed, and let go of its lock."""
        if self.is_open and _is_at(self.handle, self.path):
            if fcntl is None:
                self.close()
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the lock."""
        if self.is_open:
            self.is_open = False
            os.close(self.handle)


@contextmanager
def taken(place: Path) -> Iterator[Temporary]:
    """Make the temporary file of a write to `place`; it is gone after the block, unless it was renamed.

    Those that killed writers left are removed.

    Raises
    ------
    OutputError
        When too many write there at once.
    """
    names = [place.with_name(f".{place.name[:40]}.{number}.part") for number in range(WRITERS)]
    mine: Temporary | None = None
    try:
        for name in names:
            if mine is None:
                mine = _take(name)
            else:
                _sweep(name)
        if mine is None:
            raise OutputError(f"{place}: {WRITERS} others are writing here. Choose another place.")
        yield mine
    finally:
        if mine is not None:
            mine.remove()


def _take(name: Path) -> Temporary | None:
    """Take a name if no living writer has it: a new file, or one that a killed writer left."""
    with suppress(FileExistsError):
        handle = os.open(name, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        if _lock(handle, alone=True) and _is_at(handle, name):
            return Temporary(name, handle)
        os.close(handle)
        return None
    handle_left = _left(name)
    if handle_left is None:
        return None
    os.ftruncate(handle_left, 0)
    return Temporary(name, handle_left)


def _sweep(name: Path) -> None:
    handle = _left(name)
    if handle is not None:
        Temporary(name, handle).remove()


def _left(name: Path) -> int | None:
    """Return the locked handle of a file that a killed writer of ours left; None where there is none."""
    try:
        handle = os.open(name, _FLAGS | getattr(os, "O_NONBLOCK", 0))
    except OSError:  # absent, renamed a moment ago, or somebody else's
        return None
    if _is_ours(handle) and _lock(handle) and _is_at(handle, name):
        return handle
    os.close(handle)
    return None


def _is_ours(handle: int) -> bool:
    """Return whether an open file is a regular one of this user with one name."""
    held = os.fstat(handle)
    return stat.S_ISREG(held.st_mode) and held.st_nlink == 1 and (fcntl is None or held.st_uid == os.geteuid())


def _lock(handle: int, alone: bool = False) -> bool:
    """Lock a file until it is closed; where the file system has no locks, only one that is new is ours."""
    if fcntl is None:
        return alone
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return alone
    return True


def _is_at(handle: int, name: Path) -> bool:
    """Return whether a name still is of the open file: its writer may have renamed or removed it before the lock."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), name.lstat())
    return False
