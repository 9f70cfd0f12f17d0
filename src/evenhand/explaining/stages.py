"""Split a model into two stages, its preprocessing and its network, where it has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.explaining.scores import LinkedScore

    Prepare = Callable[[pd.DataFrame], NDArray[np.generic]]
    Score = Callable[[NDArray[np.generic]], NDArray[np.float64]]


def stages(score: LinkedScore) -> tuple[Prepare, list[Score], object | None] | None:
    """Return a model's preprocessing and the functions that compute the rest; None where it has none.

    Each function is compared with the model's scores before it is used: the first that agrees is taken. The third
    is a torch network, where the first function is its plain output.
    """
    model = score.model
    prepare, predict = getattr(model, "prepare", None), getattr(model, "predict_prepared", None)
    if callable(prepare) and callable(predict):
        ways = [cast("Score", lambda rows: score.linked(predict(rows), len(rows)))]
        network = network_of(model)
        return prepare, ways if network is None else [_raw(network), *ways], network
    return _pipeline(score)


def network_of(model: object) -> object | None:
    """Return the torch module of a model, or None."""
    found = getattr(model, "network", getattr(model, "module", None))
    return found if callable(found) and hasattr(found, "named_modules") else None


def _raw(network: object) -> Score:
    """The output of a network that gives log-odds."""

    def ask(rows: NDArray[np.generic]) -> NDArray[np.float64]:
        import torch

        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(rows)).reshape(-1).double().numpy())  # type: ignore[operator]

    return ask


def _pipeline(score: LinkedScore) -> tuple[Prepare, list[Score], None] | None:
    """A scikit-learn pipeline: all steps but the last, and the last."""
    from evenhand.subjects import as_subject

    estimator = getattr(score.model, "estimator", None)
    steps = getattr(estimator, "steps", None)
    if not isinstance(steps, list) or len(steps) < 2:
        return None
    first, last = estimator[:-1], steps[-1][1]  # type: ignore[index]
    features = getattr(score.model, "features", None)
    names = getattr(last, "feature_names_in_", None)
    rest = as_subject(last, positive=getattr(score.model, "positive", 1))

    def prepare(X: pd.DataFrame) -> NDArray[np.generic]:
        made = first.transform(X if features is None else X.loc[:, list(features)])
        return np.asarray(made.toarray() if hasattr(made, "toarray") else made)

    def ask(rows: NDArray[np.generic]) -> NDArray[np.float64]:
        return score.linked(rest.predict(pd.DataFrame(rows, columns=names, copy=False)), len(rows))

    return prepare, [ask], None
