"""The declaration of a format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a report."""

    write: Callable[..., str | bytes]
    """Takes the record and the verdict, None without a policy; one that is `spoken` the theme of the page, too. The
    first line of its docstring is its description."""
    endings: tuple[str, ...] = ()
    """Its file endings."""
    spoken: bool = False
    """Whether it can be translated; others are for machines."""
    of: str = ""
    """For a format that is no text: the format whose text it is made of. Its `write` takes that text and gives bytes,
    which are written to files only."""
