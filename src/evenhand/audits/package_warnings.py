"""Collect the warnings of packages during an audit for the record; they are shown as usual."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = 50
LONGEST: Final = 300


@contextmanager
def noted_warnings() -> Iterator[list[str]]:
    """Collect each warning once, as ``Category: text``, without changing which are shown.

    Python shows a warning once per place and process, so a second audit may have fewer; they count as
    varying from run to run.
    """
    found: list[str] = []
    before: Any = warnings.showwarning

    def note(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        said = f"{category.__name__}: {' '.join(str(message).split())}"[:LONGEST]
        if said not in found and len(found) < MOST:
            found.append(said)
        before(message, category, *place, **more)

    warnings.showwarning = note
    try:
        yield found
    finally:
        warnings.showwarning = before
