"""Rows whose label looks wrong, by a model of the other rows (confident learning)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pandas as pd

from evenhand.data.values import is_number
from evenhand.errors import need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FOLDS: Final = 3
MOST_CODES: Final = 60
"""Values of a category that a column of codes has; rarer ones are one."""
LEAST: Final = 30
"""Rows of each class that are needed."""


def label_errors(
    table: pd.DataFrame, columns: Sequence[str], truth: NDArray[np.generic], seed: int = 0
) -> NDArray[np.bool_] | None:
    """Return (n,) whether the label of a row looks wrong; None where a class has too few rows.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : sequence of str
        The columns a model may read.
    truth : (n,) array of int
        Classes, from 0.
    seed : int
        Seed of the folds and of the model.

    Raises
    ------
    MissingExtraError
        When cleanlab is not installed.

    Notes
    -----
    Gradient-boosted trees, fitted on two thirds of the rows, give probabilities for the other third; by them cleanlab
    names the labels to look at (Northcutt, Jiang and Chuang 2021, JAIR 70). What it names is a guess: of a hard
    question, right labels are named, too.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=600)
    >>> y = (x > 0).astype(int)
    >>> wrong = np.flatnonzero(np.abs(x) > 0.5)[::40]
    >>> y[wrong] = 1 - y[wrong]
    >>> found = label_errors(pd.DataFrame({"x": x}), ["x"], y)
    >>> bool(found[wrong].mean() > 0.6)
    True
    """
    filtering = need("cleanlab.filter", "data-audit")
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    true = np.asarray(truth).astype(np.int64)
    if len(np.unique(true)) < 2 or np.bincount(true).min() < LEAST:
        return None
    inputs = np.column_stack([_codes(table[column]) for column in columns])
    model = HistGradientBoostingClassifier(max_iter=60, random_state=seed)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    said = cross_val_predict(model, inputs, true, cv=folds, method="predict_proba")
    return cast("NDArray[np.bool_]", np.asarray(filtering.find_label_issues(true, said, n_jobs=1), dtype=bool))


def _codes(column: pd.Series) -> NDArray[np.float64]:
    if is_number(column) and column.dtype != object:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    codes = pd.factorize(column)[0]
    ranks = np.argsort(np.argsort(-np.bincount(codes + 1), kind="stable"), kind="stable")
    return np.minimum(ranks[codes + 1], MOST_CODES).astype(np.float64)
