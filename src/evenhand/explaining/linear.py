"""Linear models in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.explaining.blocks import dealt
from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.engine import PairMeans
from evenhand.explaining.estimators import fitted_estimator, plain_numbers, takes_exactly

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray


def explain_linear(
    model: object,
    X: pd.DataFrame,
    background: pd.DataFrame,
    players: Mapping[str, Sequence[str]],
    scores: NDArray[np.float64],
    seed: int,
) -> PairMeans:
    """Return ``w_j (x_j - mean of b_j)``, summed over the columns of each player: exact for a linear score.

    `model`: a subject with a linear `estimator`; `X`, `background`: numeric columns without missing values; `players`:
    the columns of each player; `scores` (n,): the model's scores, which show whether the linear form is for the
    positive class or against it; `seed`: seed of the blocks of the background. Raises NotThisWay when the model is not
    linear on exactly these columns.
    """
    weights, intercept = _coefficients(model, X)
    x, b = plain_numbers(X), plain_numbers(background)
    if np.isnan(x).any() or np.isnan(b).any():
        raise NotThisWay("There are missing values.")
    if np.max(np.abs(x @ weights + intercept - scores)) > np.max(np.abs(x @ weights + intercept + scores)):
        weights, intercept = -weights, -intercept
    blocks = dealt(len(b), seed)
    means = np.stack([b[block].mean(axis=0) for block in blocks])
    by_column = weights * (x[None, :, :] - means[:, None, :])
    place = {column: index for index, column in enumerate(X.columns)}
    parts = [by_column[:, :, [place[column] for column in columns]].sum(axis=2) for columns in players.values()]
    base = float((b @ weights + intercept).mean())
    mine, theirs = (_by_player(rows * weights, players, place, intercept) for rows in (x, b))
    sizes = np.array([len(block) for block in blocks])
    return PairMeans(np.stack(parts, axis=2), sizes, base, x @ weights + intercept, summands=(mine, theirs))


def _by_player(
    by_column: NDArray[np.float64], players: Mapping[str, Sequence[str]], place: Mapping[str, int], intercept: float
) -> NDArray[np.float64]:
    """Return (rows, players): the summands, the intercept among those of the first player."""
    made = np.stack([by_column[:, [place[name] for name in names]].sum(axis=1) for names in players.values()], axis=1)
    made[:, 0] += intercept
    return made


def _coefficients(model: object, X: pd.DataFrame) -> tuple[NDArray[np.float64], float]:
    estimator = fitted_estimator(model)
    weights = getattr(estimator, "coef_", None)
    if weights is None or not hasattr(estimator, "intercept_"):
        raise NotThisWay("The estimator has no linear coefficients.")
    takes_exactly(estimator, X, model)
    flat = np.asarray(weights, dtype=np.float64)
    if flat.size != X.shape[1] or flat.ndim > 2:
        raise NotThisWay("The estimator has more than one linear form.")
    return flat.reshape(-1), float(np.ravel(np.asarray(estimator.intercept_))[0])
