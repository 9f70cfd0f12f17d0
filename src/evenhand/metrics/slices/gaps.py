"""Slices in which the gap between two groups is wider than elsewhere: the same lattice, a gap in place of a share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evenhand.metrics.comparisons.significance import holm
from evenhand.metrics.counts.sums import rows_by
from evenhand.metrics.slices.search import LEAST_Z, Confirmed, Search, Slice, crossed, searched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats, Ints, Marks

    Codes: TypeAlias = Sequence[NDArray[np.int32]]


class ConfirmedGap(Confirmed):
    """A slice with a wide gap, on rows that took no part in finding it: its share, as it was found, is the gap.

    Counts are (2, 2, 2) rows of [rest, slice] x [lower, higher group] x [not counted, counted]; p, adjusted for all
    candidates (Holm 1979), is the one-sided p-value of the gap being no wider than in the rest.
    """

    __slots__ = ()


def find_gaps(
    codes: Codes, sizes: Sequence[int], events: Marks, higher: Marks, *, least_rows: int, depth: int = 3, most: int = 20
) -> Search:
    """Return the slices in which the rate of the higher group is further above that of the lower one than elsewhere.

    Parameters
    ----------
    codes, sizes, depth, most
        As for `find_slices`; the feature that makes the groups is not among them.
    events : (n,) boolean array
        What is counted.
    higher : (n,) boolean array
        Whether the row is of the group whose rate is the higher over all rows; else it is of the lower one.
    least_rows : int
        Rows of each group that a slice, and what it leaves, have at least.
    """
    found: list[Slice] = []
    values: list[Floats] = []
    inner = 2 * higher.astype(np.intp) + events
    for features, mixed, cells in crossed([4 * part.astype(np.intp) for part in codes], sizes, depth):
        counts = rows_by(mixed + inner, cells * 4).reshape(cells, 2, 2)
        rows = counts.sum(axis=2)
        rest = counts.sum(axis=0) - counts
        kept = np.flatnonzero((rows >= least_rows).all(axis=1) & (rest.sum(axis=2) >= least_rows).all(axis=1))
        gap, z = _wider(counts[kept], rest[kept])
        values.append(z)
        shape = tuple(sizes[feature] for feature in features)
        for at in np.flatnonzero(z > LEAST_Z):
            place, size = tuple(int(value) for value in np.unravel_index(kept[at], shape)), int(rows[kept[at]].sum())
            found.append(Slice(features, place, size, round(max(float(gap[at]), 0.0) * size), float(z[at])))
    return searched(found, values, codes, depth, most)


def confirm_gaps(slices: Sequence[Slice], codes: Codes, events: Marks, higher: Marks) -> list[ConfirmedGap]:
    """Return each slice on other rows, with a p-value that is adjusted for the number of slices."""
    from scipy.special import ndtr

    counted = []
    for part in slices:
        inside = part.members(codes).astype(np.int64)
        counted.append(rows_by((inside * 2 + higher) * 2 + events, 8).reshape(2, 2, 2))
    if not counted:
        return []
    counts = np.stack(counted)
    _, z = _wider(counts[:, 1], counts[:, 0])
    adjusted = holm(np.where(np.isfinite(z), ndtr(-z), 1.0))
    return [ConfirmedGap(*parts) for parts in zip(slices, counts, adjusted.tolist(), strict=True)]


def _wider(inside: Ints, rest: Ints) -> tuple[Floats, Floats]:
    """Return gaps of slices (S, [lower, higher], [not, counted]), and how many standard errors above the rest's."""
    gaps, spread = [], np.zeros(len(inside))
    for counts in (inside, rest):
        rows, hits = counts.sum(axis=2), counts[:, :, 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            rate, smooth = hits / rows, (hits + 0.5) / (rows + 1)
            spread = spread + (smooth * (1 - smooth) / rows).sum(axis=1)
        gaps.append(rate[:, 1] - rate[:, 0])
    with np.errstate(invalid="ignore", divide="ignore"):
        return gaps[0], np.nan_to_num((gaps[0] - gaps[1]) / np.sqrt(spread))
