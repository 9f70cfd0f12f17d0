"""A linear estimator behind preprocessing of single columns: its score is a sum of one function per column.

Scaling, imputing, splines and one-hot coding leave it so; products of columns do not. The preprocessing is not
inspected: each column is varied separately, and whether the score is the sum of the parts is checked on rows mixed
at random, where any interaction would show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.explaining.blocks import dealt
from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.engine import PairMeans
from evenhand.explaining.estimators import fitted_estimator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.scores import LinkedScore

MIXED_ROWS: Final = 512
"""Rows of values mixed at random on which the sum is tried."""
TOLERANCE: Final = 1e-6
"""The greatest miss, in spreads of the score, that is taken for rounding."""


def explain_additive(
    score: LinkedScore,
    X: pd.DataFrame,
    background: pd.DataFrame,
    players: Mapping[str, Sequence[str]],
    seed: int,
) -> PairMeans:
    """Return ``f_j(x_j) - mean of f_j(b_j)``, exact for a score that is a sum over players.

    `score`: of a pipeline whose last step is linear, on the scale on which that step adds up; `X`, `background`: the n
    rows to explain and those they are explained against; `players`: the columns of each player; `seed`: seed of the
    mixed rows and of the blocks of the background. Raises NotThisWay unless the model is a pipeline with a linear last
    step and its score is such a sum.
    """
    steps = getattr(fitted_estimator(score.model), "steps", None)
    if not isinstance(steps, list) or len(steps) < 2 or not hasattr(steps[-1][1], "coef_"):
        raise NotThisWay("The estimator is no pipeline with a linear last step.")
    both = pd.concat([X, background], ignore_index=True)
    start = background.iloc[[0]]
    base = float(score(start)[0])
    parts = np.stack([_alone(score, both, start, list(columns)) - base for columns in players.values()], axis=1)
    _check_mixed(score, both, players, parts, base, seed)
    mine, theirs = parts[: len(X)], parts[len(X) :]
    blocks = dealt(len(background), seed)
    means = np.stack([theirs[block].mean(axis=0) for block in blocks])
    middle = base + float(theirs.sum(axis=1).mean())
    first = np.zeros(parts.shape[1])
    first[0] = base
    sums, sizes = (mine + first, theirs + first), np.array([len(block) for block in blocks])
    return PairMeans(mine[None] - means[:, None], sizes, middle, base + mine.sum(axis=1), summands=sums)


def _alone(score: LinkedScore, both: pd.DataFrame, start: pd.DataFrame, columns: list[str]) -> NDArray[np.float64]:
    """Return the score where only some columns are varied and all others stay as in `start`."""
    table = start.iloc[np.zeros(len(both), dtype=np.intp)].reset_index(drop=True)
    table[columns] = both[columns]
    return score(table)


def _check_mixed(
    score: LinkedScore,
    both: pd.DataFrame,
    players: Mapping[str, Sequence[str]],
    parts: NDArray[np.float64],
    base: float,
    seed: int,
) -> None:
    """Refuse a score that is not a sum, on rows whose every player comes from another row."""
    rng = np.random.default_rng([seed, 3])
    taken = rng.integers(0, len(both), (MIXED_ROWS, parts.shape[1]))
    table = pd.DataFrame(
        {
            column: both[column].iloc[taken[:, at]].reset_index(drop=True)
            for at, columns in enumerate(players.values())
            for column in columns
        }
    )[list(both.columns)]
    wanted = score(table)
    miss = float(np.max(np.abs(wanted - base - parts[taken, np.arange(parts.shape[1])].sum(axis=1))))
    if miss > TOLERANCE * max(float(np.std(wanted)), 1e-9):
        raise NotThisWay("Columns interact: a sum over columns misses the score by up to {miss:.2g}.", miss=miss)
