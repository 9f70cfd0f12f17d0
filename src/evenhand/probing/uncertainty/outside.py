"""Rows outside what the training rows cover: farther from their neighbours than training rows are from theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Outside", "outside"]

MOST_TRAINING: Final = 4_000
"""Training rows that are looked at: half of them as neighbours, half to find the usual distance."""
LEAST_TRAINING: Final = 200
"""Training rows below which the usual distance is not known."""
NEIGHBOURS: Final = 5
"""The neighbour whose distance counts."""
USUAL: Final = 0.99
"""The share of training rows within the usual distance."""
MOST_VALUES: Final = 100
"""Values of a column of words; those of more say nothing of nearness."""
FAR: Final = 10.0
"""Standard deviations beyond which a number is no farther."""


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """Which rows are outside, and of how many training rows that was told.

    Examples
    --------
    >>> Outside(np.array([True, False]), 4_000, 5, 1.2).rows.sum()
    np.int64(1)
    """

    rows: NDArray[np.bool_]
    """(n,) whether a row is farther from its neighbours than 99 % of the training rows are, or has a strange value."""
    training: int
    """Training rows that were looked at."""
    columns: int
    """Columns that were compared."""
    distance: float
    """The usual distance."""


def outside(table: pd.DataFrame, training: pd.DataFrame, seed: int = 0) -> Outside | None:
    """Return the rows of a table that are outside what the training rows cover; None for too few of these.

    Numbers are divided by their spread, and missing ones become the median; words are 0 and 1 for each value. The
    distance is that to the fifth nearest of one half of the training rows; the other half tells what is usual.
    A row with a word that no training row has, or with nothing where all training rows have something, is outside.

    Parameters
    ----------
    table : (n, k) table
        The rows.
    training : (m, k) table
        Training rows, with the same columns.
    seed : int
        Of the halves, and of a sample of many training rows.

    Returns
    -------
    Outside or None

    Examples
    --------
    >>> import pandas as pd
    >>> seen = pd.DataFrame({"age": np.linspace(20, 60, 400), "job": ["a", "b"] * 200})
    >>> outside(pd.DataFrame({"age": [40, 900], "job": ["a", "a"]}), seen).rows.tolist()
    [False, True]
    """
    if len(training) < LEAST_TRAINING:
        return None
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng([seed, 14])
    order = rng.permutation(len(training))[:MOST_TRAINING]
    near, held = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    strange = np.zeros(len(table), dtype=bool)
    parts: list[tuple[Floats, Floats]] = []
    for name in training.columns:
        coded, new = _columns(training[name], table[name])
        parts += coded
        strange |= new
    if not parts:
        return None
    rows = [np.column_stack([pair[at] for pair in parts]) for at in (0, 1)]
    found = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(rows[0][near])
    usual, mine = (found.kneighbors(each)[0][:, -1] for each in (rows[0][held], rows[1]))
    limit = float(np.sort(usual)[min(int(np.ceil((len(usual) + 1) * USUAL)), len(usual)) - 1])
    return Outside(np.asarray((mine > limit) | strange), len(order), len(training.columns), limit)


def _columns(seen: pd.Series, new: pd.Series) -> tuple[list[tuple[Floats, Floats]], NDArray[np.bool_]]:
    """Return the columns of numbers that a column becomes, of the training rows and of the others; and which of these
    have what no training row has."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(seen) and pd.api.types.is_numeric_dtype(new):
        one, two = (np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan)) for column in (seen, new))
        there = np.isfinite(one)
        return _numbers(one, two), ~np.isfinite(two) & bool(there.all())
    words = [column.astype("object").where(column.notna(), None).map(str) for column in (seen, new)]
    values = sorted(words[0].unique())
    if len(values) > MOST_VALUES:
        return [], np.zeros(len(new), dtype=bool)
    half = 1 / np.sqrt(2)  # so that two values are 1 apart
    coded = [
        (half * (words[0] == value).to_numpy(np.float64), half * (words[1] == value).to_numpy(np.float64))
        for value in values
    ]
    return coded, np.asarray(~words[1].isin(values))


def _numbers(seen: Floats, new: Floats) -> list[tuple[Floats, Floats]]:
    there = seen[np.isfinite(seen)]
    if not len(there):
        return []
    middle, spread = float(np.median(there)), float(there.std())
    scale = spread if spread > 0 else max(abs(middle), 1.0)
    one, two = (
        np.clip((np.where(np.isfinite(part), part, middle) - middle) / scale, -FAR, FAR) for part in (seen, new)
    )
    return [(one, two)]
