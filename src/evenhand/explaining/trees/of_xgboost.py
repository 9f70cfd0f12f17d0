"""XGBoost's boosters, from the JSON in which they are saved (https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html)."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, cast

import numpy as np
import pandas as pd

from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.trees.forest import Forest, Tree
from evenhand.explaining.trees.questions import Questions
from evenhand.explaining.trees.reading import Reading, as_numbers, in_order, scaled, two_classes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.scores import Link
    from evenhand.explaining.trees.reading import Encode

    Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | None"

OBJECTIVES: Final[Mapping[str, Link]] = {
    "binary:logistic": "logit",
    "reg:logistic": "logit",
    "reg:squarederror": "identity",
    "reg:absoluteerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:quantileerror": "identity",
}
"""The objectives whose prediction is the sum of leaves, or that sum as log-odds."""


class Booster(Protocol):
    """A `xgboost.Booster`."""

    def save_raw(self, raw_format: str) -> bytes:
        """Return the model as it is saved."""
        ...


def read_xgboost(estimator: object, positive: object) -> Reading:
    """Return the trees of an XGBoost booster, or of an estimator that holds one.

    Raises NotThisWay for linear boosters, several outputs, and objectives whose prediction is no sum.
    """
    held = getattr(estimator, "get_booster", None)
    booster = cast("Booster", estimator if held is None else held())
    learner = _map(json.loads(bytes(booster.save_raw("json"))), "learner")
    objective = _text(_map(learner, "objective"), "name")
    if objective not in OBJECTIVES:
        raise NotThisWay("With the objective {objective} the prediction is no sum of leaves.", objective=objective)
    told = _map(learner, "learner_model_param")
    if int(_text(told, "num_class")) > 1 or int(str(told.get("num_target", 1))) > 1:
        raise NotThisWay("The ensemble predicts more than one number.")
    sign = 1.0
    if hasattr(estimator, "classes_") and OBJECTIVES[objective] == "logit":
        sign = 1.0 if two_classes(estimator, positive) == 1 else -1.0
    model, weights = _model(_map(learner, "gradient_booster"))
    trees = [_tree(cast("dict[str, Json]", each)) for each in _list(model, "trees")]
    weights = np.ones(len(trees)) if weights is None else weights
    used = _used(model, learner, sklearn=held is not None, trees=len(trees))
    start = float(np.ravel(json.loads(_text(told, "base_score")))[0])
    if OBJECTIVES[objective] == "logit":
        start = float(np.log(start / (1 - start)))
    forest = Forest(
        [scaled(tree, sign * weight) for tree, weight in list(zip(trees, weights, strict=True))[:used]],
        sign * start,
        OBJECTIVES[objective],
        int(_text(told, "num_feature")),
    )
    return Reading(forest, _encode(estimator, learner, model))


def _map(value: Json, name: str) -> dict[str, Json]:
    return cast("dict[str, dict[str, Json]]", value)[name]


def _list(value: Json, name: str) -> list[Json]:
    return cast("dict[str, list[Json]]", value)[name]


def _text(value: Json, name: str) -> str:
    return str(cast("dict[str, Json]", value)[name])


def _model(booster: dict[str, Json]) -> tuple[dict[str, Json], NDArray[np.float64] | None]:
    """Return the trees' part of a booster, and the weight of each tree where some were dropped while fitting."""
    name = str(booster.get("name"))
    if name == "dart":
        return _map(_map(booster, "gbtree"), "model"), np.asarray(booster["weight_drop"], dtype=np.float64)
    if name != "gbtree":
        raise NotThisWay("A booster of the kind {kind} has no trees.", kind=name)
    return _map(booster, "model"), None


def _used(model: dict[str, Json], learner: dict[str, Json], *, sklearn: bool, trees: int) -> int:
    """Return how many trees `predict` uses: scikit-learn's classes stop at the best iteration, boosters do not."""
    best = _map(learner, "attributes").get("best_iteration")
    if not sklearn or best is None:
        return trees
    each = int(_text(_map(model, "gbtree_model_param"), "num_parallel_tree"))
    return min(trees, (int(str(best)) + 1) * each)


def _tree(told: dict[str, Json]) -> Tree:
    if int(_text(_map(told, "tree_param"), "size_leaf_vector")) > 1:
        raise NotThisWay("The ensemble predicts more than one number.")
    left, right, column = (
        np.asarray(told[name], dtype=np.int64) for name in ("left_children", "right_children", "split_indices")
    )
    kept, left, right = in_order(left, right)  # nodes that were pruned keep their places
    asked = np.where(left < 0, -1, column[kept]).astype(np.int32)
    # Values, thresholds and leaves are of single precision, which decimal digits only stand for.
    cuts = np.asarray(told["split_conditions"], dtype=np.float32).astype(np.float64)[kept]
    members, member_of = _sets(told)
    questions = Questions(
        asked,
        cuts,
        np.asarray(told["default_left"], dtype=bool)[kept],
        strict=True,
        single=True,
        members=members,
        member_of=None if member_of is None else np.where(left < 0, -1, member_of[kept]).astype(np.int32),
    )
    return Tree(left.astype(np.int32), right.astype(np.int32), asked, cuts, questions)


def _sets(told: dict[str, Json]) -> tuple[NDArray[np.bool_] | None, NDArray[np.int32] | None]:
    """Return the sets of categories: those of a node's list go right, and all others left."""
    nodes, starts, sizes, listed = (
        np.asarray(told.get(name, []), dtype=np.int64)
        for name in ("categories_nodes", "categories_segments", "categories_sizes", "categories")
    )
    if not len(nodes):
        return None, None
    missing = np.asarray(told["default_left"], dtype=bool)[nodes]
    members = np.ones((len(nodes), int(listed.max(initial=0)) + 2), dtype=bool)
    for at, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        members[at, listed[start : start + size]] = False
    members[:, -1] = missing
    member_of = np.full(len(cast("list[Json]", told["left_children"])), -1, dtype=np.int32)
    member_of[nodes] = np.arange(len(nodes))
    return members, member_of


def _encode(estimator: object, learner: dict[str, Json], model: dict[str, Json]) -> Encode:
    """Return the numbers of a table: of categories their place among those that the model was fitted on."""
    kinds = [str(kind) for kind in cast("Sequence[Json]", learner.get("feature_types") or ())]
    absent = getattr(estimator, "missing", None)
    absent = None if absent is None or np.isnan(absent) else float(absent)
    if "c" not in kinds and absent is None:
        return as_numbers
    cats = cast("dict[str, Json]", model.get("cats") or {})
    known = [_values(cast("dict[str, Json]", each)) for each in cast("list[Json]", cats.get("enc") or [])]

    def encode(given: object) -> NDArray[np.float64]:
        if not isinstance(given, pd.DataFrame):
            numbers = as_numbers(given)
        else:
            made = [
                _codes(given.iloc[:, at], known[at] if at < len(known) else []) if kind == "c"
                else as_numbers(given.iloc[:, [at]])[:, 0]
                for at, kind in enumerate(kinds)
            ]  # fmt: skip
            numbers = np.stack(made, axis=1)
        return numbers if absent is None else np.where(numbers == absent, np.nan, numbers)

    return encode


def _codes(column: pd.Series, known: list[Json]) -> NDArray[np.float64]:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return as_numbers(column.to_frame())[:, 0]
    places = {value: place for place, value in enumerate(known)} if known else None
    of = [
        place if places is None else places.get(cast("str", value), -1)
        for place, value in enumerate(column.cat.categories)
    ]
    codes = np.array([*of, -1], dtype=np.float64)[column.cat.codes.to_numpy()]  # a missing value has the code -1
    return np.where(codes < 0, np.nan, codes)


def _values(told: dict[str, Json]) -> list[Json]:
    """Return the categories of a column, as they were when the model was fitted: numbers, or texts end to end."""
    values = cast("list[int]", told.get("values") or [])
    ends = cast("list[int] | None", told.get("offsets"))
    if ends is None:
        return cast("list[Json]", values)
    whole = bytes(value & 255 for value in values)
    return [whole[start:stop].decode() for start, stop in pairwise(ends)]
