"""Rows that are alike: where each lies among the others, and whether neighbours are decided alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray


def places(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the rows as points: a number by its spread, a category as 0 and 1 of which two differ by one spread.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) what a model reads; a missing number is taken for the mean, a missing category for one of its own.
    """
    columns = []
    for name in table.columns:
        values = table[name]
        if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            spread = np.nanstd(numbers) if np.isfinite(numbers).any() else 0.0
            centred = (numbers - np.nanmean(numbers)) / spread if spread > 0 else np.zeros(len(numbers))
            columns.append(np.nan_to_num(centred)[:, None])
        else:
            codes, kinds = pd.factorize(values, use_na_sentinel=False)
            columns.append(np.eye(max(len(kinds), 1))[codes] / np.sqrt(2))
    return np.hstack(columns)


def consistency(points: NDArray[np.float64], decided: NDArray[np.generic], neighbours: int = 5) -> float:
    """Return ``1 - mean |decision - mean decision of the nearest rows|``; a row counts among its own nearest.

    Parameters
    ----------
    points : (n, m) array
        Where rows lie.
    decided : (n,) array of 0 and 1
    neighbours : int
        How many nearest rows are looked at.

    Source: Zemel et al. (2013), ICML.
    """
    from sklearn.neighbors import NearestNeighbors

    tree = NearestNeighbors(n_neighbors=neighbours, algorithm="ball_tree").fit(points)
    nearest = tree.kneighbors(points, return_distance=False)
    values = np.asarray(decided, dtype=np.float64)
    return float(1 - np.abs(values - values[nearest].mean(axis=1)).mean())
