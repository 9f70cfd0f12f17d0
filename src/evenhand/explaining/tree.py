"""Tree ensembles by shap's TreeExplainer, against every background row, and only where its answer is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import MissingExtraError, need, shorten
from evenhand.explaining.blocks import dealt
from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.engine import PairMeans
from evenhand.explaining.estimators import Fitted, fitted_estimator, plain_numbers, takes_exactly

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.explaining.scores import Link

TREES: Final[Mapping[str, Link]] = {
    "DecisionTreeClassifier": "identity",
    "ExtraTreeClassifier": "identity",
    "RandomForestClassifier": "identity",
    "ExtraTreesClassifier": "identity",
    "GradientBoostingClassifier": "logit",
    "HistGradientBoostingClassifier": "logit",
    "XGBClassifier": "logit",
    "LGBMClassifier": "logit",
}
"""The ensembles TreeExplainer was found to be right for, and the scale on which their leaves add up: the forests
average probabilities, the boosted ones add log-odds."""


def explain_tree(
    model: object,
    X: pd.DataFrame,
    background: pd.DataFrame,
    players: Mapping[str, Sequence[str]],
    link: Link,
    seed: int,
) -> PairMeans:
    """Return the interventional values of a binary tree ensemble, one explainer a block of the background.

    Raises NotThisWay unless the model is such an ensemble on exactly these columns, shap is installed and can
    read it.
    """
    estimator = fitted_estimator(model)
    _refuse(model, estimator, X, players, link)
    x, b = plain_numbers(X), plain_numbers(background)
    # A wrong guess would show in the sums, which are compared with the model's scores.
    classes, wanted = list(getattr(estimator, "classes_", ())), getattr(model, "positive", None)
    positive = classes.index(wanted) if wanted in classes else 1
    blocks = dealt(len(b), seed)
    rows = np.array([len(block) for block in blocks])
    answers = [_interventional(estimator, x, b[block], positive, link) for block in blocks]
    values = np.stack([values for values, _ in answers])
    base = float(np.dot([base for _, base in answers], rows) / rows.sum())
    # The scores are those of the explainer's trees; they are compared with the user's predict afterwards.
    return PairMeans(values, rows, base, values[0].sum(axis=1) + answers[0][1])


def _refuse(
    model: object, estimator: Fitted, X: pd.DataFrame, players: Mapping[str, Sequence[str]], link: Link
) -> None:
    kind = type(estimator).__name__
    if kind not in TREES:
        raise NotThisWay("{kind} is not among the tree ensembles whose explainer is known to be right.", kind=kind)
    if TREES[kind] != link:
        raise NotThisWay("The leaves of a {kind} add up on another scale than the one explained.", kind=kind)
    if len(getattr(estimator, "classes_", ())) != 2:
        raise NotThisWay("The ensemble does not have two classes.")
    if any(len(columns) > 1 for columns in players.values()):
        raise NotThisWay("Values of single columns do not add up to the value of a group of columns.")
    categorical = getattr(estimator, "is_categorical_", None)
    if categorical is not None and np.any(categorical):
        raise NotThisWay("shap reads the categorical splits of histogram gradient boosting wrongly.")
    takes_exactly(estimator, X, model)


def _interventional(
    estimator: Fitted, x: NDArray[np.float64], b: NDArray[np.float64], positive: int, link: Link
) -> tuple[NDArray[np.float64], float]:
    try:
        shap = need("shap", "explain")
        masker = shap.maskers.Independent(b, max_samples=len(b))
        explainer = shap.TreeExplainer(estimator, masker, feature_perturbation="interventional", model_output="raw")
        values = np.asarray(explainer.shap_values(x, check_additivity=False), dtype=np.float64)
        base = np.ravel(np.asarray(explainer.expected_value, dtype=np.float64))
    except MissingExtraError as absent:
        raise NotThisWay(str(absent), notable=True) from absent
    except Exception as problem:
        raise NotThisWay(
            "shap's TreeExplainer cannot read the ensemble: {problem}.",
            notable=True,
            problem=f"{type(problem).__name__}: {shorten(problem, 120)}",
        ) from problem
    if values.ndim == 3:
        return values[:, :, positive], float(base[positive])
    sign = -1.0 if positive == 0 and link == "logit" else 1.0
    return sign * values, sign * float(base[-1])
