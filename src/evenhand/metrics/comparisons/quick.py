"""The extreme ends over all pairs of groups in many tables at once: near enough to search by, not to judge by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.inference.intervals import difference_interval, ratio_interval, simultaneous_z, wilson, z_of

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats, Ints, Marks, Side

MOST_PAIRS: Final = 400_000
"""Pairs that are compared at a time."""


def quick_extremes(events: Ints, rows: Ints, ratio: bool, level: float, strict: float) -> tuple[Floats, Floats, Marks]:
    """Return about the low and the high end of the greatest difference, or least ratio, of shares in S tables.

    Parameters
    ----------
    events, rows : (S, G) arrays
        The shares of G groups in each table.
    ratio : bool
        Whether shares are divided, the lesser by the greater.
    level : float
        Two-sided confidence of the end that passes a limit.
    strict : float
        That of the end that fails it, for all pairs at once.

    Returns
    -------
    (S,) low ends, (S,) high ends, (S,) whether a group has no rows
    """
    size = max(1, MOST_PAIRS // events.shape[1] ** 2)
    blocks = [slice(at, at + size) for at in range(0, len(events), size)]
    found = [_extremes(events[block], rows[block], ratio, level, strict) for block in blocks]
    low, high = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return low, high, np.asarray((rows <= 0).any(axis=1))


def _extremes(events: Ints, rows: Ints, ratio: bool, level: float, strict: float) -> tuple[Floats, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):
        share = events / rows
    interval = ratio_interval if ratio else difference_interval
    adjusted = simultaneous_z(events.shape[1], strict)
    apart = ~np.eye(events.shape[1], dtype=bool)

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = wilson(events, rows, z)
        first: Side = (share[:, :, None], low[:, :, None], high[:, :, None])
        second: Side = (share[:, None, :], low[:, None, :], high[:, None, :])
        lows, highs = interval(first, second)
        return lows[:, apart], highs[:, apart]

    fails, passes = ends(adjusted), ends(z_of(level))
    with np.errstate(all="ignore"):
        if ratio:
            return np.fmin.reduce(passes[0], axis=1), np.minimum(np.fmin.reduce(fails[1], axis=1), 1.0)
        return np.fmax.reduce(fails[0], axis=1), np.fmax.reduce(passes[1], axis=1)
