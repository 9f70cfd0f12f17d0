"""Sums over the rows of each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats, Ints


def sums_by(codes: NDArray[Any], values: NDArray[Any], n_groups: int) -> Floats:
    """Return (G,) sums of `values` (n,) over the rows of each code 0 to G - 1."""
    return np.asarray(np.bincount(codes, weights=values, minlength=n_groups), dtype=np.float64)


def rows_by(codes: NDArray[Any], n_groups: int) -> Ints:
    """Return (G,) the number of rows of each code 0 to G - 1."""
    return np.bincount(codes, minlength=n_groups).astype(np.int64)
