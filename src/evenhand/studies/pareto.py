"""The Pareto front: what no other candidate beats in everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def front(costs: ArrayLike) -> NDArray[np.bool_]:
    """Return which rows are on the front: no other is as good in all columns and better in one.

    `costs` (n, k): less is better; nan counts as the worst.

    Examples
    --------
    >>> front([[1, 5], [2, 2], [5, 1], [3, 3]]).tolist()
    [True, True, True, False]
    """
    values = np.nan_to_num(np.asarray(costs, dtype=np.float64), nan=np.inf)
    as_good = (values[:, None, :] <= values[None, :, :]).all(axis=2)
    better = (values[:, None, :] < values[None, :, :]).any(axis=2)
    return np.asarray(~(as_good & better).any(axis=0))
