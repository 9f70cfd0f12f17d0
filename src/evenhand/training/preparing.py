"""From the columns of a table to what a network takes: what every way of preparing can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Plain


class Preparing(Protocol):
    """Fitted on training rows, kept with the model, and written into its file as plain data."""

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are read."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one prepared row."""
        ...

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Columns that the network cannot read, each with the reason."""
        ...

    def transform(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """Return (n, *shape) finite numbers."""
        ...

    def describe(self) -> list[Plain]:
        """Return what is done to the columns, as plain records for a report."""
        ...

    def to_plain(self) -> dict[str, Plain]:
        """Return everything as plain JSON data."""
        ...


def preparing_from_plain(plain: Mapping[str, Plain]) -> Preparing:
    """Return what `to_plain` was called on.

    Raises
    ------
    KeyError, TypeError, ValueError
        When `plain` is something else.
    """
    from evenhand.training.grid import Grid
    from evenhand.training.preprocessing import Preprocessing

    return Grid.from_plain(plain) if plain.get("kind") == "grid" else Preprocessing.from_plain(plain)
