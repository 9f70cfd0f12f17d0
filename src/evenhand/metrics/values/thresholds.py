"""Decisions at every threshold, for all groups, from one count of the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.counts.tally import Tally, count_cells

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Ints

MOST: Final = 100
"""Most thresholds to try, without the one in use; beyond it, evenly spaced quantiles of the scores."""
MANY: Final = 100_000
"""Scores from which quantiles are found to the edge of a bin."""
FINE: Final = 1 << 14
"""Bins of that."""
LOOKED_AT: Final = 10_000
"""Rows that usually show whether there are many scores."""


def thresholds(score: ArrayLike, in_use: float | None = None, most: int = MOST) -> Floats:
    """Return the thresholds at which decisions may change, in order: distinct scores or quantiles, and the one in use.

    Parameters
    ----------
    score : (n,) array
    in_use : float, optional
        The threshold of today; it is always among them.
    most : int
        How many to try in addition.
    """
    scores = np.asarray(score, dtype=np.float64)
    found = np.unique(scores[:LOOKED_AT])
    if len(found) <= most:  # a few rows may not show that there are many
        found = np.unique(scores)
    if len(found) > most:
        found = _quantiles(scores, most)
    return found if in_use is None else np.unique(np.append(found, in_use))


def _quantiles(scores: Floats, most: int) -> Floats:
    """Return evenly spaced quantiles; of very many scores to the edge of a fine bin, which needs no sorting."""
    shares = np.linspace(0, 1, most)
    if len(scores) > MANY:
        least, greatest = float(scores.min()), float(scores.max())
        place = ((scores - least) * (FINE / (greatest - least))).astype(np.int32)
        upto = np.cumsum(np.bincount(place, minlength=FINE + 1))
        edges = np.unique(np.searchsorted(upto, shares * len(scores)))
        if len(edges) > 0.9 * most:  # else scores crowd in few bins, and are looked at one by one
            return np.asarray(least + edges * ((greatest - least) / FINE), dtype=np.float64)
    return np.unique(np.quantile(scores, shares, method="inverted_cdf"))


def count_scores(
    y_true: ArrayLike,
    score: ArrayLike,
    codes: ArrayLike | None,
    n_groups: int,
    edges: Floats,
    frequency: ArrayLike | None = None,
) -> Ints:
    """Return counts (G, 2, B + 1) of [group, truth, how many of the B increasing `edges` the score reaches].

    A row is decided positive at edge number b when its score reaches more than b of them.
    """
    reached = np.searchsorted(edges, np.asarray(score, dtype=np.float64), side="right")
    groups = None if codes is None else np.asarray(codes)
    if frequency is not None:
        out = np.zeros((n_groups, 2, len(edges) + 1), dtype=np.int64)
        where = np.zeros(len(reached), dtype=np.intp) if groups is None else groups
        np.add.at(out, (where, np.asarray(y_true), reached), np.asarray(frequency, dtype=np.int64))
        return out
    return count_cells((groups, np.asarray(y_true), reached), (n_groups, 2, len(edges) + 1))


def tally_at(counts: Ints, threshold: int) -> Tally:
    """Return the tally of decisions at one of the thresholds, by its position."""
    positive = counts[:, :, threshold + 1 :].sum(axis=2)
    return Tally(np.stack([counts.sum(axis=2) - positive, positive], axis=2))


def tallies(counts: Ints) -> Tally:
    """Return the tally of all thresholds together, of B x G groups: those of the first threshold first."""
    above = counts[:, :, ::-1].cumsum(axis=2)[:, :, ::-1][:, :, 1:]
    cells = np.stack([counts.sum(axis=2)[:, :, None] - above, above], axis=3)
    return Tally(np.ascontiguousarray(cells.transpose(2, 0, 1, 3).reshape(-1, 2, 2)))
