"""scikit-learn's histogram gradient boosting, whose categories are encoded by the estimator itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, cast

import numpy as np

from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.trees.forest import Forest, Tree
from evenhand.explaining.trees.questions import Questions
from evenhand.explaining.trees.reading import Reading, as_numbers, two_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.trees.reading import Encode

ADDS_UP: Final = frozenset({"squared_error", "absolute_error", "quantile"})
"""The losses of regressors whose prediction is the sum of leaves."""


class Predictor(Protocol):
    """One fitted tree."""

    nodes: NDArray[np.void]
    raw_left_cat_bitsets: NDArray[np.uint32]


class Bins(Protocol):
    """What the estimator knows of the categories."""

    def make_known_categories_bitsets(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Return the known categories of each column that has some, and which of these each column is."""
        ...


class Transformer(Protocol):
    """The estimator's own encoding."""

    def transform(self, X: object) -> object:
        """Return the encoded columns, categories first."""
        ...


class Boosting(Protocol):
    """What is read of the estimator."""

    loss: str
    n_features_in_: int
    is_categorical_: NDArray[np.bool_] | None
    _predictors: Sequence[Sequence[Predictor]]
    _baseline_prediction: NDArray[np.float64]
    _bin_mapper: Bins
    _preprocessor: Transformer | None


def read_hist(estimator: object, positive: object) -> Reading:
    """Return the trees of a HistGradientBoostingClassifier or -Regressor.

    Raises NotThisWay for more than two classes and for losses whose prediction is no sum.
    """
    boosting, sign = cast("Boosting", estimator), 1.0
    classifies = hasattr(estimator, "classes_")
    if classifies:
        sign = 1.0 if two_classes(estimator, positive) == 1 else -1.0
    elif boosting.loss not in ADDS_UP:
        raise NotThisWay("With the loss {loss} the prediction is no sum of leaves.", loss=str(boosting.loss))
    known = _known(boosting)
    trees = [_tree(predictor, known, sign) for stage in boosting._predictors for predictor in stage]
    base = sign * float(np.ravel(boosting._baseline_prediction)[0])
    forest = Forest(trees, base, "logit" if classifies else "identity", boosting.n_features_in_)
    return Reading(forest, _encode(boosting))


def _encode(boosting: Boosting) -> Encode:
    encoder = getattr(boosting, "_preprocessor", None)
    if encoder is None:
        if getattr(boosting, "is_categorical_", None) is not None:
            raise NotThisWay("This version of scikit-learn encodes categories in a way that is not known.")
        return as_numbers

    def encode(given: object) -> NDArray[np.float64]:
        return as_numbers(encoder.transform(given))

    return encode


def _known(boosting: Boosting) -> NDArray[np.bool_] | None:
    """Return (encoded columns, 256): the categories that the estimator knows; None without categories."""
    if getattr(boosting, "is_categorical_", None) is None:
        return None
    bitsets, place = boosting._bin_mapper.make_known_categories_bitsets()
    if not len(bitsets):
        return None
    return _bits(bitsets)[np.minimum(place, len(bitsets) - 1)]


def _bits(bitsets: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return (sets, 256) of bitsets (sets, 8)."""
    words = (bitsets[:, :, None] >> np.arange(32, dtype=np.uint32)) & np.uint32(1)
    return words.reshape(len(bitsets), -1).astype(bool)


def _tree(predictor: Predictor, known: NDArray[np.bool_] | None, sign: float) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    left, right, column = (
        np.where(leaf, -1, nodes[name].astype(np.int64)).astype(np.int32) for name in ("left", "right", "feature_idx")
    )
    missing = nodes["missing_go_to_left"].astype(bool)
    threshold = nodes["num_threshold"].astype(np.float64)
    asking = np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf)
    questions = Questions(column, threshold, missing)
    if len(asking):
        if known is None:
            raise NotThisWay("The categories of its splits are not known.")
        chosen = _bits(predictor.raw_left_cat_bitsets)[nodes["bitset_idx"][asking].astype(np.int64)]
        # An unknown category goes where a missing value goes.
        members = chosen | (missing[asking, None] & ~known[column[asking]])
        of = np.full(len(nodes), -1, dtype=np.int32)
        of[asking] = np.arange(len(asking))
        members = np.concatenate([members, missing[asking, None]], axis=1)
        questions = Questions(column, threshold, missing, members=members, member_of=of)
    return Tree(left, right, column, sign * nodes["value"].astype(np.float64), questions)
