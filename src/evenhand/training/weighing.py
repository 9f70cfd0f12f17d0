"""Which rows a fit learns from, and how much each class weighs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.training.config import TrainingConfig
    from evenhand.training.dataset import Dataset


def resampled(dataset: Dataset, y_true: NDArray[np.int8], config: TrainingConfig) -> Dataset:
    """Return the dataset with as many rows of each class, drawn by the seed, where the settings ask for it.

    ``over`` keeps every row and draws rows of the smaller classes again; ``under`` leaves rows of the larger out.
    """
    rows = resampled_rows(y_true, config)
    return dataset if rows is None else dataset.take(rows)


def resampled_rows(y_true: NDArray[np.int8], config: TrainingConfig) -> NDArray[np.intp] | None:
    """Return the positions of the rows that `resampled` takes, in order; None for all as they are."""
    if config.resample is None:
        return None
    counts = np.bincount(y_true)
    wanted = counts.max() if config.resample == "over" else counts[counts > 0].min()
    chance = np.random.default_rng(config.seed)
    drawn = []
    for label in np.flatnonzero(counts):
        rows = chance.permutation(np.flatnonzero(y_true == label))
        again = chance.choice(rows, max(0, wanted - len(rows)))
        drawn.append(np.concatenate([rows[:wanted], again]))
    return np.sort(np.concatenate(drawn))


def class_weights(y_true: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return (n,) n / (C n of the row's class): all C classes weigh equally."""
    counts = np.bincount(y_true)
    return np.asarray(len(y_true) / (np.count_nonzero(counts) * np.maximum(counts, 1.0)))[y_true]
