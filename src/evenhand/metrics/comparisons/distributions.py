"""How far apart the groups' distributions are: of predicted classes, and of scores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics.comparisons.disparities import Disparity, worst_of
from evenhand.metrics.counts.sums import sums_by
from evenhand.metrics.inference.intervals import clopper_pearson, share_difference_interval, z_of
from evenhand.metrics.values.means import finished, measured_share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from evenhand.metrics.counts.arrays import Column, Floats, Indices, Ints, Marks, Side
    from evenhand.metrics.counts.tally import Tally

ALL_SETS: Final = 10
"""Up to so many classes every set of classes is looked at; above it, single classes and their sums."""
CHUNK: Final = 1 << 20
"""Rows counted at a time."""
GRID: Final = 4_096
"""Distinct scores at which distribution functions are compared; of more, evenly spaced quantiles."""


def selection_distance(tally: Tally, level: float = 0.95) -> Disparity:
    """Return the greatest total variation distance between two groups' shares of predicted classes.

    The distance of a pair is its widest gap over sets of classes, and each set is two proportions. So the end that
    passes a limit is the greatest unadjusted upper end over sets and pairs, whichever set is the true one; the end that
    fails one holds for all sets and pairs together (Scheffe over classes, Bonferroni over pairs).
    """
    return _distance(tally.counts.sum(axis=1), level)


def equalized_odds_distance(tally: Tally, level: float = 0.95) -> Disparity:
    """Return the greatest distance between two groups' predictions among rows of the same true class."""
    parts = [partial(_distance, tally.counts[:, chosen]) for chosen in range(tally.classes)]
    return worst_of(parts, "difference", level)


def _distance(counts: Ints, level: float) -> Disparity:
    """Compare counts (G, C) of predicted classes."""
    rows = counts.sum(axis=1)
    chosen, plain = np.flatnonzero(rows > 0), z_of(level)
    # a page shows each group's share of its commonest class with the distance
    commonest = measured_share("selection_rate", counts.max(axis=1), rows.astype(np.int64), level)
    empty = Disparity.empty(commonest, rows == 0, plain)
    if len(chosen) < 2:
        return replace(empty, reason=message("Fewer than 2 groups have a row here, so there is nothing to compare."))
    known = counts[chosen]
    left, right = (index.ravel() for index in np.triu_indices(len(chosen), 1))
    shares = known / known.sum(axis=1, keepdims=True)
    distance = np.abs(shares[left] - shares[right]).sum(axis=1) / 2
    worst = int(np.argmax(distance))
    together = _scheffe_z(counts.shape[1], len(left), level)
    sets = _sets(counts.shape[1])
    (low, _), (plain_low, high) = (_ends(known, left, right, sets, z) for z in (together, plain))
    high = 1.0 if empty.undefined else min(max(high, float(distance.max())), 1.0)
    found = empty.told(float(distance[worst]), (max(low, 0.0), high), (max(plain_low, 0.0), high))
    pair = int(chosen[left[worst]]), int(chosen[right[worst]])
    return replace(found, critical=(together, plain), pair=pair, method="mover over sets of classes, clopper-pearson")


def _sets(classes: int) -> Marks:
    """Return sets of classes (S, C): every one up to its complement, or for many classes the single ones."""
    if classes > ALL_SETS:
        return np.eye(classes, dtype=bool)
    members = chain.from_iterable(combinations(range(classes), size) for size in range(1, classes))
    return np.array([[c in chosen for c in range(classes)] for chosen in members], dtype=bool)


def _ends(counts: Ints, left: Indices, right: Indices, sets: Marks, z: float) -> tuple[float, float]:
    """Return the greatest lower and the greatest upper end of a gap over pairs and sets."""
    rows = counts.sum(axis=1)
    events = counts @ sets.T.astype(np.int64)
    share = events / rows[:, None]
    low, high = clopper_pearson(events, np.broadcast_to(rows[:, None], events.shape), z)

    def side(groups: Indices) -> Side:
        return share[groups], low[groups], high[groups]

    lows, highs = share_difference_interval(side(left), side(right))
    back_lows, back_highs = share_difference_interval(side(right), side(left))
    if counts.shape[1] <= ALL_SETS:
        return float(max(lows.max(), back_lows.max())), float(max(highs.max(), back_highs.max()))
    # many classes: no set differs by more than the sum of what its classes may differ by
    total = np.maximum(np.abs(lows), np.abs(highs)).sum(axis=1) / 2
    return float(max(lows.max(), back_lows.max())), float(total.max())


def _scheffe_z(classes: int, pairs: int, level: float) -> float:
    """Return the critical value at which all sets of classes of all pairs hold together, on the side that fails."""
    from scipy.special import chdtri

    return float(np.sqrt(chdtri(classes - 1, (1 - level) / 2 / pairs)))


@dataclass(frozen=True, slots=True, eq=False)
class ScoreGrid:
    """Scores cut at the points where their distribution functions are compared, once for all groupings of the rows."""

    points: Floats
    """(k,) the distinct scores, or quantiles of many."""
    places: NDArray[np.int32]
    """(n,) the point of each score: the first that is not below it, k where there is none."""

    @classmethod
    def of(cls, score: ArrayLike) -> ScoreGrid:
        """Return the grid of scores (n,)."""
        scores = np.asarray(score, dtype=np.float64)
        points = np.unique(scores)
        if len(points) > GRID:
            points = np.unique(np.quantile(points, np.linspace(0, 1, GRID), method="inverted_cdf"))
        return cls(points, np.searchsorted(points, scores, side="left").astype(np.int32))


def score_distance(
    score: ArrayLike, codes: ArrayLike, n_groups: int, level: float = 0.95, frequency: ArrayLike | None = None,
    grid: ScoreGrid | None = None,
) -> Disparity:  # fmt: skip
    """Return the greatest distance between two groups' distribution functions of scores (Kolmogorov and Smirnov).

    Each function is within a band of known width around its sample's (Dvoretzky, Kiefer, Wolfowitz; Massart 1990), so
    a distance is within the sum of two widths of the estimate. `grid` is that of the scores, where it is known.
    """
    scores, groups = np.asarray(score, dtype=np.float64), np.asarray(codes)
    times = np.broadcast_to(1.0, scores.shape) if frequency is None else np.asarray(frequency, dtype=np.float64)
    rows, share = _shares_below(grid or ScoreGrid.of(scores), groups, n_groups, times)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums_by(groups, scores if frequency is None else times * scores, n_groups) / rows
    found = finished("mean_score", mean, rows, tuple("" for _ in rows), "", lambda _: (mean, mean), level)
    chosen, empty = np.flatnonzero(rows > 0), Disparity.empty(found, rows == 0, 0.0)
    if len(chosen) < 2:
        return replace(empty, reason=message("Fewer than 2 groups have a score, so there is nothing to compare."))
    left, right = (chosen[index] for index in np.triu_indices(len(chosen), 1))
    distance = np.array([np.abs(share[a] - share[b]).max() for a, b in zip(left, right, strict=True)])
    band = _bands(rows, left, right, 1 - level)
    strict = _bands(rows, left, right, (1 - level) / len(left))
    worst = int(np.argmax(distance))
    high = 1.0 if empty.undefined else float(np.minimum(distance + band, 1).max())
    low, plain_low = (float(np.maximum(distance - width, 0).max()) for width in (strict, band))
    empty = replace(empty, pair=(int(left[worst]), int(right[worst])), method="dvoretzky-kiefer-wolfowitz bands")
    return empty.told(float(distance[worst]), (low, high), (plain_low, high))


def _shares_below(grid: ScoreGrid, groups: Column, n_groups: int, times: Floats) -> tuple[Ints, Floats]:
    """Return the groups' rows, and their shares at or below each point of a grid of scores."""
    size = len(grid.points) + 1
    counted = np.zeros(n_groups * size)
    for start in range(0, len(grid.places), CHUNK):
        part = slice(start, start + CHUNK)
        cell = groups[part].astype(np.int64) * size + grid.places[part]
        counted += sums_by(cell, times[part], n_groups * size)
    table = counted.reshape(n_groups, size)
    rows = table.sum(axis=1).astype(np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return rows, table.cumsum(axis=1) / rows[:, None]


def score_transport(
    score: ArrayLike, codes: ArrayLike, n_groups: int, level: float = 0.95, frequency: ArrayLike | None = None,
    grid: ScoreGrid | None = None,
) -> Disparity:  # fmt: skip
    """Return the greatest area between two groups' distribution functions of scores (Wasserstein's distance).

    It is within the sum of two bands' widths, over the range of the scores, of the estimate.
    """
    grid = grid or ScoreGrid.of(score)
    found = score_distance(score, codes, n_groups, level, frequency, grid)
    scores, groups = np.asarray(score, dtype=np.float64), np.asarray(codes)
    times = np.broadcast_to(1.0, scores.shape) if frequency is None else np.asarray(frequency, dtype=np.float64)
    known = np.flatnonzero(found.values.rows > 0)
    if len(known) < 2:
        return found
    _, below = _shares_below(grid, groups, n_groups, times)
    share, steps = below[known, : len(grid.points)], np.diff(grid.points)
    left, right = np.triu_indices(len(known), 1)
    area = np.array([np.abs(share[a] - share[b])[:-1] @ steps for a, b in zip(left, right, strict=True)])
    rows, reach = found.values.rows[known], float(np.ptp(grid.points))
    band, strict = (_bands(rows, left, right, (1 - level) / parts) * reach for parts in (1, len(left)))
    worst = int(np.argmax(area))
    low, plain_low = (float(np.maximum(area - width, 0).max()) for width in (strict, band))
    high = None if found.undefined else float(np.minimum(area + band, reach).max())
    found = replace(found, pair=(int(known[left[worst]]), int(known[right[worst]])))
    return found.told(float(area[worst]), (low, high), (plain_low, high))


def _bands(rows: Ints, left: Indices, right: Indices, error: float) -> Floats:
    """Return the sum of two bands' widths; each of both sides of each band errs an eighth of `error` or less."""
    width = np.sqrt(np.log(4 / error) / (2 * np.maximum(rows, 1)))
    return np.asarray(width[left] + width[right])
