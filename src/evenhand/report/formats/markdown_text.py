"""Text, tables and signs in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.output.sanitising import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def as_markdown(text: str) -> str:
    """Return text on one line, escaped so that Markdown shows it literally and a CI log takes it for no command."""
    line = " ".join("".join(char if char.isprintable() and char not in UNSEEN else " " for char in text).split())
    for char in "\\`*_[]<>|#":
        line = line.replace(char, f"\\{char}" if char not in "<>" else {"<": "&lt;", ">": "&gt;"}[char])
    return f"\\{line}" if line.startswith("::") else line


def as_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    cells = ["| " + " | ".join(map(as_markdown, row)) + " |" for row in (head, *rows)]
    return [cells[0], "|" + " --- |" * len(head), *cells[1:]]


def table_within(head: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> tuple[list[str], int]:
    """Return the lines of a table of at most `most` bytes, and how many of its last rows were left out for it."""
    lines = as_table(head, rows)
    sizes = [size([line]) + 1 for line in lines]
    kept = next((end for end in range(len(lines), 2, -1) if sum(sizes[:end]) <= most), 2)
    return (lines[:kept] if kept > 2 else []), len(lines) - kept


def size(lines: Sequence[str]) -> int:
    """Return the bytes of lines in UTF-8."""
    return len("\n".join(lines).encode("utf-8", "backslashreplace"))
