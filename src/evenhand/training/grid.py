"""Columns of numbers as a tensor of a shape: the pixels of an image, say, one column each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from evenhand.errors import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.findings import Plain


@dataclass(frozen=True, slots=True)
class Grid:
    """Preparing for networks over images: columns ``pixel0``, ``pixel1``, ... as (n, channels, height, width).

    Each number is written as (number - mean) / scale. `fit` learns both from training rows, over all columns.

    Examples
    --------
    >>> import numpy as np
    >>> Grid((1, 2, 2), scale=255.0).transform(Grid.table(np.full((3, 1, 2, 2), 255))).shape
    (3, 1, 2, 2)
    """

    shape: tuple[int, ...]
    """Of one row, channels first for images."""
    mean: float = 0.0
    """What is taken away from each number."""
    scale: float = 1.0
    """What it is divided by then."""
    prefix: str = "pixel"
    """Columns are called by it and their place, from 0."""
    rows: int = 0
    """Rows it was fitted on."""

    @classmethod
    def fit(cls, X: pd.DataFrame, shape: tuple[int, ...], prefix: str = "pixel") -> Grid:
        """Learn mean and deviation over all cells of training rows.

        Raises
        ------
        InputError
            When columns are absent or hold something else than finite numbers.
        """
        bare = cls(tuple(shape), prefix=prefix)
        try:
            values = bare.transform(X)
        except ModelError as wrong:
            raise InputError(str(wrong)) from None
        return cls(tuple(shape), float(values.mean()), float(values.std()) or 1.0, prefix, len(X))

    @classmethod
    def table(cls, values: NDArray[Any], prefix: str = "pixel") -> pd.DataFrame:
        """Return an array (n, ...) as a table of one column a cell, as `transform` reads it."""
        flat = values.reshape(len(values), -1)
        return pd.DataFrame(flat, columns=[f"{prefix}{at}" for at in range(flat.shape[1])])

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are read."""
        return tuple(f"{self.prefix}{at}" for at in range(math.prod(self.shape)))

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Columns that the network cannot read, each with the reason: none."""
        return ()

    def transform(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """Return (n, *shape) finite numbers.

        Raises
        ------
        ModelError
            When columns are absent, or hold something else than finite numbers.
        """
        absent = [name for name in self.features if name not in X]
        if absent:
            raise ModelError(
                f"The model needs the columns '{self.features[0]}' to '{self.features[-1]}'; {len(absent):,} of them "
                f"are absent, '{absent[0]}' first."
            )
        try:
            values = X[list(self.features)].to_numpy(dtype=np.float32)
        except (TypeError, ValueError):
            raise ModelError(f"Columns '{self.prefix}...' hold something else than numbers.") from None
        if not np.isfinite(values).all():
            wrong = int((~np.isfinite(values)).sum())
            raise ModelError(f"Columns '{self.prefix}...' hold {wrong:,} missing or infinite cells; an image has none.")
        # a table holds column by column, and a network wants row by row: once here, not at every call
        rows = np.ascontiguousarray((values - np.float32(self.mean)) / np.float32(self.scale))
        return rows.reshape(len(X), *self.shape)

    def describe(self) -> list[Plain]:
        """Return what is done, as plain records for a report."""
        return [{"column": f"{self.prefix}0 to {self.features[-1]}", "kind": "grid", "columns": math.prod(self.shape)}]

    def to_plain(self) -> dict[str, Plain]:
        """Return everything as JSON can say it."""
        return {
            "kind": "grid", "shape": list(self.shape), "mean": self.mean, "scale": self.scale, "prefix": self.prefix,
            "rows": self.rows,
        }  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> Grid:
        """Return what `to_plain` was called on.

        Raises
        ------
        KeyError, TypeError, ValueError
            When `plain` is something else.
        """
        shape = tuple(int(cast("int", size)) for size in cast("list[Plain]", plain["shape"]))
        mean, scale = (float(cast("float", plain[name])) for name in ("mean", "scale"))
        return cls(shape, mean, scale, str(plain["prefix"]), int(cast("int", plain["rows"])))
