"""Nearest neighbours (consistency): positions of rows, and whether neighbours get the same decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.values import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray


FEW_DIMENSIONS: Final = 8
MOST_KINDS: Final = 64
"""A text of more values than this, such as a name or a note, is unique to a row and no measure of similarity."""


def places(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the rows as points: a number by its spread, a category as 0 and 1 of which two differ by one spread.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) model inputs; a missing number counts as the mean, a missing category as a separate one.
    """
    columns = [np.zeros((len(table), 1))]  # a point has a place even where all rows are equal
    for name in table.columns:
        values = table[name]
        if is_number(values):
            columns.append(_in_spreads(values.to_numpy(dtype=np.float64, na_value=np.nan))[:, None])
        else:
            codes, kinds = pd.factorize(values, use_na_sentinel=False)
            if len(kinds) > MOST_KINDS:
                continue
            columns.append(np.eye(max(len(kinds), 1))[codes] / np.sqrt(2))
    return np.hstack(columns)


def _in_spreads(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(numbers)
    size = np.abs(numbers[known]).max(initial=0.0)
    if size == 0:
        return np.zeros(len(numbers))
    numbers = np.where(known, numbers, 0.0) / size  # so that no square leaves the range of numbers
    mean, spread = numbers[known].mean(), numbers[known].std()
    return np.where(known, (numbers - mean) / spread, 0.0) if spread > 0 else np.zeros(len(numbers))


def consistency(points: NDArray[np.float64], decided: NDArray[np.generic], neighbours: int = 5) -> float:
    """Return ``1 - mean |decision - mean decision of the nearest rows|``; a row is among its nearest.

    Parameters
    ----------
    points : (n, m) array
        The positions of rows.
    decided : (n,) array of 0 and 1
    neighbours : int
        How many nearest rows are looked at.

    Source: Zemel et al. (2013), ICML.
    """
    from sklearn.neighbors import NearestNeighbors

    # trees do not pay in as many dimensions as categories make
    kind = "kd_tree" if points.shape[1] <= FEW_DIMENSIONS else "brute"
    tree = NearestNeighbors(n_neighbors=neighbours, algorithm=kind).fit(points)
    nearest = tree.kneighbors(points, return_distance=False)
    values = np.asarray(decided, dtype=np.float64)
    return float(1 - np.abs(values - values[nearest].mean(axis=1)).mean())
