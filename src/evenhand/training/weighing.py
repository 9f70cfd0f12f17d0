"""Which rows a fit learns from, and how much each class weighs, and each group of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.training.config import TrainingConfig
    from evenhand.training.dataset import Dataset


def resampled(dataset: Dataset, data: EvaluationSet, config: TrainingConfig) -> Dataset:
    """Return the dataset of these rows with other numbers of them, drawn by the seed, where the settings ask for it.

    ``over`` keeps every row and draws rows of the smaller classes again; ``under`` leaves rows of the larger out;
    ``by_group`` does both within each class, until the class does not depend on the group.
    """
    rows = resampled_rows(data, config)
    return dataset if rows is None else dataset.take(rows)


def resampled_rows(data: EvaluationSet, config: TrainingConfig) -> NDArray[np.intp] | None:
    """Return the positions of the rows that `resampled` takes, in order; None for all as they are."""
    if config.resample is None:
        return None
    codes, wanted = _wanted(data, config)
    chance = np.random.default_rng(config.seed)
    drawn = []
    for code in np.flatnonzero(np.bincount(codes)):
        rows = chance.permutation(np.flatnonzero(codes == code))
        again = chance.choice(rows, max(0, wanted[code] - len(rows)))
        drawn.append(np.concatenate([rows[: wanted[code]], again]))
    return np.sort(np.concatenate(drawn))


def _wanted(data: EvaluationSet, config: TrainingConfig) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (n,) what each row is one of, and how many rows of each are wanted."""
    counts = np.bincount(data.y_true)
    if config.resample == "by_group":
        groups, codes = _cells(data)
        return codes, np.rint(independent(data.y_true, groups)).astype(np.intp)
    most = counts.max() if config.resample == "over" else counts[counts > 0].min()
    return data.y_true.astype(np.intp), np.full(len(counts), most)


def class_weights(y_true: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return (n,) n / (C n of the row's class): all C classes weigh equally."""
    counts = np.bincount(y_true)
    return np.asarray(len(y_true) / (np.count_nonzero(counts) * np.maximum(counts, 1.0)))[y_true]


def weights_of(data: EvaluationSet, config: TrainingConfig) -> NDArray[np.float64]:
    """Return (n,) how much each row weighs in the loss: by the set's weights and by what the settings ask for."""
    weight = np.ones(len(data)) if data.sample_weight is None else data.sample_weight.astype(np.float64)
    if config.class_weight == "balanced":
        return weight * class_weights(data.y_true)
    return weight if config.class_weight is None else weight * reweighing(data, weight)


def reweighing(data: EvaluationSet, weight: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return (n,) weights by which the class does not depend on the group: P(group) P(class) / P(group and class).

    Groups are those of all sensitive features together; shares are of `weight`, where it is given.

    Source: Kamiran and Calders 2012, "Data preprocessing techniques for classification without discrimination",
    section 4.2 (reweighing).

    Examples
    --------
    >>> import evenhand as eh
    >>> table = {"hired": [1, 1, 0, 1, 0, 0], "sex": list("mmmfff")}
    >>> reweighing(eh.read_evaluation_set(table, label="hired", sensitive_features="sex")).tolist()
    [0.75, 0.75, 1.5, 1.5, 0.75, 0.75]
    """
    groups, cells = _cells(data)
    found = np.bincount(cells, weight).astype(np.float64)
    return np.asarray((independent(data.y_true, groups, weight) / np.maximum(found, 1e-12))[cells])


def independent(
    y_true: NDArray[np.int8], groups: NDArray[np.int32], weight: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return (cells,) the rows of each group and class, were the class independent of the group."""
    of_class, of_group = np.bincount(y_true, weight), np.bincount(groups, weight)
    return np.asarray(np.outer(of_group, of_class).ravel() / of_class.sum())


def _cells(data: EvaluationSet) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return (n,) the group of each row, over all sensitive features, and its group and class as one code."""
    groups = data.grouping(*data.roles.sensitive_features).codes
    return groups, groups.astype(np.intp) * (int(data.y_true.max()) + 1) + data.y_true
