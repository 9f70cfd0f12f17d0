"""Anybody's text as Markdown shows it: as it is."""

from __future__ import annotations


def as_markdown(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    for char in "\\`*_[]<>|#":
        line = line.replace(char, f"\\{char}" if char not in "<>" else {"<": "&lt;", ">": "&gt;"}[char])
    return line
