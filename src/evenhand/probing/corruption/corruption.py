"""What a corruption is: one declared record."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from evenhand.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import Batch, Reads
    from evenhand.probing.corruption.ranges import Ranges

__all__ = ["SEVERITIES", "Corruption"]

SEVERITIES: Final = (1, 2, 3)
"""Mild, medium and strong."""
Change: TypeAlias = "Callable[[Any, float, np.random.Generator, Ranges], Any]"
"""From a batch of its kind, an amount, what is drawn from and the ranges to the changed batch."""


def _always(_: Ranges) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Corruption:
    """A way in which rows go wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from evenhand.probing.corruption import CORRUPTIONS, learn_ranges
    >>> texts = ["It was a long and quiet film."]
    >>> CORRUPTIONS["texts"]["case"].apply(texts, 3, 0, learn_ranges(texts))
    ['IT WAS A LONG AND QUIET FILM.']
    """

    name: str
    """Its name in keys."""
    kind: Reads
    """What it changes."""
    amounts: tuple[float, float, float]
    """How much, at each severity."""
    words: str
    """What it does, a sentence."""
    unit: str
    """What the amounts are: one message with the places ``mild``, ``medium`` and ``strong``."""
    change: Change
    """Returns a changed copy; rows that it was given stay as they are."""
    idle: Callable[[Ranges], str] = _always
    """Returns why there is nothing that it could change, a sentence; empty where there is."""

    times: float = 1.0
    """What amounts are multiplied by to be shown: 100 for shares in percent."""

    @property
    def told(self) -> str:
        """How much it does at each severity, in words."""
        mild, medium, strong = (round(amount * self.times, 6) for amount in self.amounts)
        return message(self.unit, mild=mild, medium=medium, strong=strong)

    def apply(self, batch: Batch, severity: int, seed: int, ranges: Ranges, start: int = 0) -> Batch:
        """Return the rows corrupted; the same for the same seed, and of a lesser severity on the same cells.

        Parameters
        ----------
        batch : table, array (n, ...) or list of texts
            The rows.
        severity : int
            1 to 3.
        seed : int
            What is drawn with it.
        ranges : Ranges
            What is plausible, and which columns are left alone.
        start : int
            The position of its first row, where rows come in batches.

        Examples
        --------
        >>> import pandas as pd
        >>> from evenhand.probing.corruption import CORRUPTIONS, learn_ranges
        >>> rows = pd.DataFrame({"age": [20, 31, 42, 64], "sex": ["f", "m", "f", "m"]})
        >>> found = CORRUPTIONS["table"]["noise"].apply(rows, 3, 0, learn_ranges(rows, immutable=("sex",)))
        >>> str(found["age"].dtype), found["sex"].tolist(), bool(found["age"].between(20, 64).all())
        ('int64', ['f', 'm', 'f', 'm'], True)
        """
        drawn = np.random.default_rng([seed, 31, zlib.crc32(self.name.encode()), start])
        changed: Batch = self.change(batch, self.amounts[severity - 1], drawn, ranges)
        return changed
