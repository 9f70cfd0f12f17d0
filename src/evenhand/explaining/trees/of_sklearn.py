"""scikit-learn's trees, forests, bagging, AdaBoost and gradient boosting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, cast

import numpy as np
import pandas as pd

from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.trees.forest import Forest, Tree, leaves
from evenhand.explaining.trees.questions import Questions
from evenhand.explaining.trees.reading import Reading, moved, scaled, two_classes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray


class FittedTree(Protocol):
    """A `sklearn.tree._tree.Tree`: parallel arrays, one place a node."""

    children_left: NDArray[np.int64]
    children_right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    value: NDArray[np.float64]


class Ensemble(Protocol):
    """What scikit-learn's fitted ensembles show."""

    n_features_in_: int
    estimators_: Sequence[Ensemble]
    estimators_features_: Sequence[NDArray[np.int64]]
    estimator_weights_: NDArray[np.float64]
    learning_rate: float
    loss: str
    init_: object
    tree_: FittedTree

    def decision_function(self, X: NDArray[np.float64] | pd.DataFrame) -> NDArray[np.float64]:
        """Return the raw score of a boosted classifier."""
        ...

    def predict(self, X: NDArray[np.float64] | pd.DataFrame) -> NDArray[np.float64]:
        """Return the prediction."""
        ...


def read_sklearn(estimator: object, positive: object) -> Reading:
    """Return the trees of one of `KINDS`, for the class `positive` where it has classes.

    Raises NotThisWay for other ensembles, for more than two classes, and for what is no sum of trees.
    """
    return Reading(_forest(cast("Ensemble", estimator), positive))


def _forest(estimator: Ensemble, positive: object) -> Forest:
    kind = type(estimator).__name__
    if kind not in KINDS:
        raise NotThisWay("The {kind} inside it is no sum of trees that can be read.", kind=kind)
    return KINDS[kind](estimator, positive)


def _tree(inner: FittedTree, value: NDArray[np.float64]) -> Tree:
    left, right = inner.children_left.astype(np.int32), inner.children_right.astype(np.int32)
    column = np.where(left >= 0, inner.feature, -1).astype(np.int32)
    missing = np.asarray(getattr(inner, "missing_go_to_left", np.zeros(len(left))), dtype=bool)
    # Rows are rounded to single precision and compared with thresholds in double precision.
    return Tree(left, right, column, value, Questions(column, inner.threshold, missing, single=True))


def _single(estimator: Ensemble, positive: object) -> Forest:
    """A tree whose leaves are shares of the classes."""
    place, inner = two_classes(estimator, positive), estimator.tree_
    shares = inner.value[:, 0, :]
    value = shares[:, place] / np.maximum(shares.sum(axis=1), np.finfo(np.float64).tiny)
    return Forest([_tree(inner, value)], 0.0, "identity", estimator.n_features_in_)


def _number(estimator: Ensemble, _: object) -> Forest:
    """A tree whose leaves are numbers."""
    inner = estimator.tree_
    if inner.value.shape[1] != 1:
        raise NotThisWay("The ensemble predicts more than one number.")
    return Forest([_tree(inner, inner.value[:, 0, 0])], 0.0, "identity", estimator.n_features_in_)


def _averaged(estimator: Ensemble, positive: object) -> Forest:
    """The mean over estimators, each of which may be given a part of the columns."""
    if hasattr(estimator, "classes_"):
        place = two_classes(estimator, positive)
        # The trees of a forest name the classes 0 and 1; those of bagging are asked the same.
        positive = list(getattr(estimator.estimators_[0], "classes_", ()))[place]
    count, width = len(estimator.estimators_), estimator.n_features_in_
    every = range(width)
    trees, base = [], 0.0
    for each, taken in zip(
        estimator.estimators_, getattr(estimator, "estimators_features_", [every] * count), strict=True
    ):
        part = _forest(each, positive)
        if part.link != "identity":
            raise NotThisWay("It averages probabilities of estimators that add up log-odds.")
        places, whole = [int(column) for column in taken], part.columns == width
        kept = part.trees if whole and places == list(every) else [moved(tree, places) for tree in part.trees]
        trees += [scaled(tree, 1 / count) for tree in kept]
        base += part.base / count
    return Forest(trees, base, "identity", width)


def _voted(estimator: Ensemble, positive: object) -> Forest:
    """AdaBoost: the log-odds are twice the weighted mean of votes of plus and minus one (Zhu et al. 2009)."""
    sign = 1.0 if two_classes(estimator, positive) == 1 else -1.0
    weights = np.asarray(estimator.estimator_weights_, dtype=np.float64)[: len(estimator.estimators_)]
    trees = []
    for each, weight in zip(estimator.estimators_, weights / weights.sum(), strict=True):
        if type(each).__name__ not in ("DecisionTreeClassifier", "ExtraTreeClassifier"):
            raise NotThisWay("The {kind} inside it is no sum of trees that can be read.", kind=type(each).__name__)
        inner, known = each.tree_, [*getattr(each, "classes_", ())]
        second = getattr(estimator, "classes_")[1]  # noqa: B009 - a classifier's
        voted = np.array([known[place] == second for place in inner.value[:, 0, :].argmax(axis=1)])
        trees.append(_tree(inner, sign * 2 * weight * np.where(voted, 1.0, -1.0)))
    return Forest(trees, 0.0, "logit", estimator.n_features_in_)


def _boosted(estimator: Ensemble, positive: object) -> Forest:
    """Gradient boosting of classifiers: log-odds by the deviance, half of them by the exponential loss."""
    sign = 1.0 if two_classes(estimator, positive) == 1 else -1.0
    if estimator.loss not in ("log_loss", "exponential"):
        raise NotThisWay("The loss {loss} has no log-odds.", loss=str(estimator.loss))
    per = sign * (2.0 if estimator.loss == "exponential" else 1.0)
    return _staged(estimator, per, estimator.decision_function, "logit")


def _boosted_number(estimator: Ensemble, _: object) -> Forest:
    return _staged(estimator, 1.0, estimator.predict, "identity")


def _staged(
    estimator: Ensemble,
    per: float,
    raw: Callable[[NDArray[np.float64] | pd.DataFrame], NDArray[np.float64]],
    link: str,
) -> Forest:
    """Return the sum of all stages; what they start from is told by one row, being the same for all."""
    if getattr(estimator, "init_", "zero") != "zero" and not type(estimator.init_).__name__.startswith("Dummy"):
        raise NotThisWay("Its boosting starts from another model.")
    stages = [stage for row in np.asarray(estimator.estimators_, dtype=object) for stage in row]
    rate = estimator.learning_rate
    plain = [_tree(stage.tree_, rate * stage.tree_.value[:, 0, 0]) for stage in stages]
    width = estimator.n_features_in_
    row = np.zeros((1, width))
    names = getattr(estimator, "feature_names_in_", None)
    given = row if names is None else pd.DataFrame(row, columns=names)  # without its names it warns
    start = float(np.ravel(raw(given))[0]) - sum(float(tree.value[leaves(tree, row)][0]) for tree in plain)
    return Forest([scaled(tree, per) for tree in plain], per * start, link, width)  # type: ignore[arg-type]


KINDS: Final[Mapping[str, Callable[[Ensemble, object], Forest]]] = {
    "DecisionTreeClassifier": _single,
    "ExtraTreeClassifier": _single,
    "DecisionTreeRegressor": _number,
    "ExtraTreeRegressor": _number,
    "RandomForestClassifier": _averaged,
    "ExtraTreesClassifier": _averaged,
    "RandomForestRegressor": _averaged,
    "ExtraTreesRegressor": _averaged,
    "BaggingClassifier": _averaged,
    "BaggingRegressor": _averaged,
    "AdaBoostClassifier": _voted,
    "GradientBoostingClassifier": _boosted,
    "GradientBoostingRegressor": _boosted_number,
}
"""The ensembles that are sums of trees, by class."""
