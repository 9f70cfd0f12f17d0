"""Print: the only way to stdout and stderr. A line that is put stays one line, whatever the names in it hold."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from evenhand.output.launched import is_first
from evenhand.output.sanitising import plain, plain_lines


def put(line: str = "") -> None:
    """Print one line to stdout."""
    _write(sys.stdout, plain(line) + "\n")


def put_document(text: str, *, commands: bool = False) -> None:
    """Print a text of several lines to stdout, as it is; with `commands`, those of a CI runner are meant and stay."""
    _write(sys.stdout, plain_lines(text, commands=commands))


def say(line: str, *, of_each: bool = False) -> None:
    """Print one remark to stderr; with `of_each`, of every process that shares the work, else of the first."""
    _write(sys.stderr, plain(line) + "\n", of_each)


def say_document(text: str) -> None:
    """Print a text of several lines to stderr."""
    _write(sys.stderr, plain_lines(text))


def remark(line: str) -> None:
    """Print one remark to stderr on a terminal; nothing elsewhere."""
    if on_terminal():
        say(line)


def on_terminal() -> bool:
    """Return whether somebody watches this process's stderr."""
    return is_first() and sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


def open_streams() -> None:
    """Give each stream that a shell has closed the null device, so that no file gets its number; escape what fails.

    A character that the stream's encoding lacks is written as its code point.
    """
    for handle in range(3):
        try:
            os.fstat(handle)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, which is this one
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def silence() -> None:
    """Redirect the streams to nowhere: what is left in them must not raise again at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for handle in (1, 2):
        os.dup2(nowhere, handle)


def _write(stream: TextIO | None, text: str, of_each: bool = False) -> None:
    """Write to a stream whatever its encoding is; nothing to one that is closed, or where another process does."""
    if stream is None or stream.closed or not (of_each or is_first()):
        return
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
