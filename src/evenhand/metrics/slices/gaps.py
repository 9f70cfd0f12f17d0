"""Slices in which the gap between two groups is wider than elsewhere: the same lattice, a gap in place of a share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evenhand.metrics.comparisons.significance import holm
from evenhand.metrics.counts.sums import rows_by
from evenhand.metrics.slices.search import LEAST_Z, Search, Slice, distinct, threshold_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Codes: TypeAlias = Sequence[NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class ConfirmedGap:
    """A slice with a wide gap, on rows that took no part in finding it."""

    found: Slice
    """As it was found; its share is the gap."""
    counts: NDArray[np.int64]
    """(2, 2, 2): [rest, slice] x [lower, higher group] x [not counted, counted] rows."""
    p: float
    """One-sided p-value of the gap being no wider than in the rest, adjusted for all candidates (Holm 1979)."""


def find_gaps(
    codes: Codes,
    sizes: Sequence[int],
    events: NDArray[np.bool_],
    higher: NDArray[np.bool_],
    *,
    least_rows: int,
    depth: int = 3,
    most: int = 20,
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
    for features in (part for size in range(1, depth + 1) for part in combinations(range(len(codes)), size)):
        mixed, cells = codes[features[0]].astype(np.int64), sizes[features[0]]
        for feature in features[1:]:
            mixed, cells = mixed * sizes[feature] + codes[feature], cells * sizes[feature]
        counts = rows_by((mixed * 2 + higher) * 2 + events, cells * 4).reshape(cells, 2, 2)
        rows = counts.sum(axis=2)
        rest = counts.sum(axis=0) - counts
        kept = np.flatnonzero((rows >= least_rows).all(axis=1) & (rest.sum(axis=2) >= least_rows).all(axis=1))
        gap, z = _wider(counts[kept], rest[kept])
        values.append(z)
        shape = tuple(sizes[feature] for feature in features)
        for at in np.flatnonzero(z > LEAST_Z):
            place, size = tuple(int(value) for value in np.unravel_index(kept[at], shape)), int(rows[kept[at]].sum())
            found.append(Slice(features, place, size, round(max(float(gap[at]), 0.0) * size), float(z[at])))
    z = np.concatenate(values) if values else np.empty(0)
    bound = threshold_of(z)
    candidates = sorted((part for part in found if part.z >= bound), key=lambda part: (-part.z, part.features))
    kept_slices = tuple(distinct(candidates, codes, most))
    return Search(kept_slices, len(z), depth, len(candidates) - len(kept_slices))


def confirm_gaps(
    slices: Sequence[Slice], codes: Codes, events: NDArray[np.bool_], higher: NDArray[np.bool_]
) -> list[ConfirmedGap]:
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


def _wider(inside: NDArray[np.int64], rest: NDArray[np.int64]) -> tuple[Floats, Floats]:
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
