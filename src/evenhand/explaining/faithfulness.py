"""Taking away what an explanation calls important: does the score follow, and more than by chance?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.blocks import t_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.game import Mixing

MOST_STEPS: Final = 8
"""Most points of a curve; with more players, several are taken away at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Mean scores while features are taken away, or put in, in the order of their values."""

    taken: NDArray[np.int64]
    """(steps,): how many features were taken away, or put in; from 0 to all."""
    deletion: NDArray[np.float64]
    """(n, steps): the score with the features of greatest value taken from background rows."""
    insertion: NDArray[np.float64]
    """(n, steps): the score of background rows with the features of greatest value put in."""

    @property
    def gap(self) -> NDArray[np.float64]:
        """(n,): the mean of insertion less deletion along the way: 0 on average for an order drawn at random."""
        return np.asarray((self.insertion - self.deletion)[:, 1:-1].mean(axis=1), dtype=np.float64)


def curves(game: Mixing, values: NDArray[np.float64]) -> Curves:
    """Return the curves of each row in the order of `values` (n, m), greatest first, against the whole background.

    Values that point at what raises the score empty it early when these features are taken away and fill it early when
    they are put in (Petsiuk et al. 2018, and Samek et al. 2017 for the comparison with a random order).
    """
    n, players = values.shape
    b = game.sizes[2]
    rank = np.empty((n, players), dtype=np.int64)
    np.put_along_axis(rank, np.argsort(-values, axis=1, kind="stable"), np.arange(players)[None, :], axis=1)
    taken = np.unique(np.rint(np.linspace(0, players, min(players, MOST_STEPS) + 1)).astype(np.int64))
    rows, background = np.repeat(np.arange(n), b), np.tile(np.arange(b), n)
    early = rank[rows].T
    ends = game.mixed(np.arange(n), np.zeros(n, dtype=np.int64), np.ones((players, n), dtype=bool))
    empty = game.mixed(np.zeros(b, dtype=np.int64), np.arange(b), np.zeros((players, b), dtype=bool)).mean()
    deletion, insertion = np.empty((n, len(taken))), np.empty((n, len(taken)))
    deletion[:, 0], insertion[:, -1] = ends, ends
    deletion[:, -1], insertion[:, 0] = empty, empty
    for step, count in enumerate(taken[1:-1], start=1):
        deletion[:, step] = game.mixed(rows, background, early >= count).reshape(n, b).mean(axis=1)
        insertion[:, step] = game.mixed(rows, background, early < count).reshape(n, b).mean(axis=1)
    return Curves(taken, deletion, insertion)


def mean_with_interval(values: NDArray[np.float64], level: float) -> tuple[float, float, float]:
    """Return the mean over rows and the ends of its t-interval; nan for the ends with one row."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    half = t_quantile(level, len(values) - 1) * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, mean - half, mean + half
