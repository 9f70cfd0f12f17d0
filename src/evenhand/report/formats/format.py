"""What a format is: one declared entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a report."""

    write: Callable[..., str]
    """Takes the record and the verdict, None without a policy; one that is `spoken` the theme of the page, too. Its
    docstring says in the first line what it is."""
    endings: tuple[str, ...] = ()
    """The endings of files that stand for it."""
    spoken: bool = False
    """Whether it is of sentences, which can be had in other languages; others are for machines."""
