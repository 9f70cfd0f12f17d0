"""Resampling from counts: what a bootstrap over rows would draw, at a cost that does not grow with the rows.

Resampling n independent rows and counting them again gives multinomial counts of the cells, so the counts can be drawn
at once. With weights a cell's sum is drawn with its count: a gamma variable with the mean and variance that so many
draws of the cell's weights have. What it shows is spread; the limits of an extreme over groups come from elsewhere,
because a bootstrap of an extreme does not cover (docs/design/intervals.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import InputError

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats, Ints
    from evenhand.metrics.counts.tally import Tally


def resample(tally: Tally, replicates: int = 1_000, seed: int = 0) -> Floats:
    """Return (replicates, G, C, C) cells: counts, or sums of weights, of rows drawn again with replacement.

    Parameters
    ----------
    tally : Tally
        Of independent rows; clusters cannot be drawn from it.
    replicates : int
        How often all rows are drawn again.
    seed : int

    Raises
    ------
    InputError
        When rows are clustered.
    """
    if tally.clusters is not None:
        raise InputError("Rows of a cluster are not independent, so they cannot be drawn from their counts.")
    rng, counts = np.random.default_rng(seed), tally.counts.ravel()
    rows = int(counts.sum())
    drawn = rng.multinomial(rows, counts / max(rows, 1), size=replicates).astype(np.float64)
    if tally.weights is not None and tally.squared_weights is not None:
        drawn = _weighted(drawn, counts, tally.weights.ravel(), tally.squared_weights.ravel(), rng)
    return drawn.reshape(replicates, *tally.counts.shape)


def _weighted(drawn: Floats, counts: Ints, weights: Floats, squared: Floats, rng: np.random.Generator) -> Floats:
    rows = np.maximum(counts, 1)
    mean, spread = weights / rows, np.maximum(squared / rows - (weights / rows) ** 2, 0.0)
    total = drawn * mean
    varied = (spread > 1e-12 * mean**2) & (drawn > 0)
    shape = np.where(varied, total * mean / np.where(spread > 0, spread, 1), 1.0)
    return np.where(varied, rng.gamma(np.maximum(shape, 1e-12)) * total / np.maximum(shape, 1e-12), total)
