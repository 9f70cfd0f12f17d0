"""Where shares of so many rows usually lie, given their rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats


def usual_shares(rows: ArrayLike, rate: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the shares between which that of as many independent rows lies with at least that chance, given its rate.

    Examples
    --------
    >>> low, high = usual_shares(100, 0.5)
    >>> float(low), float(high)
    (0.4, 0.6)
    """
    from scipy.special import bdtr, bdtrik

    n, chance = np.asarray(rows, dtype=np.int64), np.clip(np.asarray(rate, dtype=np.float64), 1e-12, 1 - 1e-12)
    ends = []
    for below in ((1 - level) / 2, (1 + level) / 2):
        hits = np.maximum(np.ceil(np.nan_to_num(bdtrik(below, n, chance))), 0)
        fewer = np.maximum(hits - 1, 0)
        ends.append(np.where(bdtr(fewer, n, chance) >= below, fewer, hits) / n)
    return ends[0], ends[1]
