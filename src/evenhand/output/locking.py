"""A lock that one process holds at a time, and that ends with it."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from evenhand.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows, where nobody else is kept out
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path: str | Path, seconds: float = 10.0) -> Iterator[None]:
    """Hold the lock of a file, which is made if it is absent, for the block.

    Where the system has no locks of files (Windows), nobody is kept out.

    Parameters
    ----------
    path : path
        The file that is locked; it stays.
    seconds : float
        How long to wait for another that holds it.

    Raises
    ------
    OutputError
        When another holds it for longer, or it cannot be made.

    Examples
    --------
    >>> with locked("releases.lock"):
    ...     pass
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError as wrong:
        raise OutputError(f"{path}: cannot be written: {wrong.strerror or wrong}.") from None
    try:
        _wait(handle, Path(path), seconds)
        yield
    finally:
        os.close(handle)


def _wait(handle: int, path: Path, seconds: float) -> None:
    until = time.monotonic() + seconds
    while fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise OutputError(
                    f"{path}: another process has held this lock for {seconds:g} seconds. Wait until it is done."
                ) from None
            time.sleep(0.02)
        except OSError as wrong:
            raise OutputError(f"{path}: cannot be locked: {wrong.strerror or wrong}.") from None
