"""CatBoost's models, from the JSON in which they are saved (https://catboost.ai/docs/en/concepts/python-reference_catboost_save_model)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypedDict, cast

import numpy as np
import pandas as pd

from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.trees.forest import Forest, Tree
from evenhand.explaining.trees.questions import Questions
from evenhand.explaining.trees.reading import Reading, as_numbers, two_classes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.scores import Link
    from evenhand.explaining.trees.reading import Encode

LOSSES: Final[Mapping[str, Link]] = {
    "Logloss": "logit",
    "CrossEntropy": "logit",
    "RMSE": "identity",
    "MAE": "identity",
    "Quantile": "identity",
    "Huber": "identity",
    "MAPE": "identity",
}
"""The losses whose prediction is the sum of leaves, or that sum as log-odds."""


class Split(TypedDict, total=False):
    """What a node asks: whether a number is above the border, or a category is the value."""

    split_type: str
    float_feature_index: int
    border: float
    cat_feature_index: int
    value: int


class Node(TypedDict, total=False):
    """A node of a tree that is not symmetric; a leaf has `value` only."""

    split: Split
    left: Node
    right: Node
    value: float


class Symmetric(TypedDict):
    """A tree whose levels each ask one question."""

    leaf_values: list[float]
    splits: list[Split] | None


class Feature(TypedDict, total=False):
    """A column: of numbers, or of categories whose hashes are asked for."""

    flat_feature_index: int
    nan_value_treatment: str
    values: list[int]


class Saved(TypedDict, total=False):
    """What is used of a saved model."""

    features_info: dict[str, list[Feature]]
    model_info: dict[str, dict[str, dict[str, str]]]
    oblivious_trees: list[Symmetric]
    trees: list[Node]
    scale_and_bias: tuple[float, list[float]]


class Model(Protocol):
    """A fitted `catboost.CatBoost`."""

    feature_names_: Sequence[str]

    def save_model(self, fname: str, format: str, pool: object = None) -> None:
        """Save the model."""
        ...

    def get_cat_feature_indices(self) -> Sequence[int]:
        """Return the columns of categories."""
        ...


def read_catboost(estimator: object, positive: object) -> Reading:
    """Return the trees of a CatBoost model.

    Raises NotThisWay for several outputs, losses whose prediction is no sum, and splits on target statistics, which are
    functions of several columns and of the training rows.
    """
    model = cast("Model", estimator)
    saved = _saved(model)
    loss = str(saved["model_info"]["params"]["loss_function"]["type"])
    if loss not in LOSSES:
        raise NotThisWay("With the objective {objective} the prediction is no sum of leaves.", objective=loss)
    scale, bias = saved["scale_and_bias"]
    sign = 1.0
    if LOSSES[loss] == "logit" and len(getattr(estimator, "classes_", ())):
        sign = 1.0 if two_classes(estimator, positive) == 1 else -1.0
    if len(bias) > 1:
        raise NotThisWay("The ensemble predicts more than one number.")
    numbers, words = (saved["features_info"].get(f"{kind}_features") or [] for kind in ("float", "categorical"))
    ask = _Asks(numbers, words)
    trees = [_symmetric(each, ask, sign * scale) for each in saved.get("oblivious_trees") or []]
    trees += [_grown(each, ask, sign * scale) for each in saved.get("trees") or []]
    forest = Forest(trees, sign * (bias[0] if bias else 0.0), LOSSES[loss], len(model.feature_names_))
    return Reading(forest, _encode(model, numbers, words) if words else as_numbers)


def _saved(model: Model, pool: object = None) -> Saved:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.json"
        model.save_model(str(place), format="json", pool=pool)
        return cast("Saved", json.loads(place.read_bytes()))


class _Asks:
    """The columns, thresholds and sets of splits."""

    def __init__(self, numbers: Sequence[Feature], words: Sequence[Feature]) -> None:
        self._numbers, self._words = numbers, words
        self._most = max((len(each.get("values") or []) for each in words), default=0)

    def questions(self, splits: Sequence[Split | None]) -> tuple[NDArray[np.int32], Questions]:
        """Return the column of each node, None being a leaf, and its questions; "left" is where the answer is no."""
        column = np.full(len(splits), -1, dtype=np.int32)
        threshold, missing = np.zeros(len(splits)), np.zeros(len(splits), dtype=bool)
        member_of = np.full(len(splits), -1, dtype=np.int32)
        sets: list[NDArray[np.bool_]] = []
        for at, split in enumerate(splits):
            if split is None:
                continue
            if split["split_type"] == "FloatFeature":
                feature = self._numbers[split["float_feature_index"]]
                threshold[at] = np.float32(split["border"])
                missing[at] = feature.get("nan_value_treatment") != "AsTrue"  # NaN is above no border
            elif split["split_type"] == "OneHotFeature":
                feature = self._words[split["cat_feature_index"]]
                chosen = np.ones(self._most + 1, dtype=bool)
                chosen[list(feature["values"]).index(split["value"])] = False
                member_of[at] = len(sets)
                sets.append(chosen)
            else:
                raise NotThisWay("Its splits use statistics of the target, which mix columns with training rows.")
            column[at] = feature["flat_feature_index"]
        members = np.stack(sets) if sets else None
        return column, Questions(column, threshold, missing, single=True, members=members, member_of=member_of)


def _symmetric(tree: Symmetric, ask: _Asks, scale: float) -> Tree:
    """The last split is the root's, so that the leaves come in their order: a split is a binary place of a leaf."""
    splits = list(tree["splits"] or [])[::-1]
    inner = 2 ** len(splits) - 1
    if len(tree["leaf_values"]) != inner + 1:
        raise NotThisWay("The ensemble predicts more than one number.")
    asked: list[Split | None] = [split for level, split in enumerate(splits) for _ in range(2**level)]
    column, passes = ask.questions([*asked, *[None] * (inner + 1)])
    at = np.arange(2 * inner + 1)
    left = np.where(at < inner, 2 * at + 1, -1).astype(np.int32)
    right = np.where(at < inner, 2 * at + 2, -1).astype(np.int32)
    value = np.concatenate([np.zeros(inner), scale * np.asarray(tree["leaf_values"], dtype=np.float64)])
    return Tree(left, right, column, value, passes)


def _grown(root: Node, ask: _Asks, scale: float) -> Tree:
    nodes, left, right = [root], [], []
    for node in nodes:  # grows while it is walked: children follow their parents
        inner = "split" in node
        left.append(len(nodes) if inner else -1)
        right.append(len(nodes) + 1 if inner else -1)
        nodes += [node["left"], node["right"]] if inner else []
    column, passes = ask.questions([node.get("split") for node in nodes])
    value = np.array([scale * node.get("value", 0.0) for node in nodes], dtype=np.float64)
    return Tree(np.array(left, dtype=np.int32), np.array(right, dtype=np.int32), column, value, passes)


def _encode(model: Model, numbers: Sequence[Feature], words: Sequence[Feature]) -> Encode:
    """Return the numbers of a table: of a category its place among those that a split names, or one place more."""
    known: dict[str, int] = {}
    width = len(model.feature_names_)

    def encode(given: object) -> NDArray[np.float64]:
        table = given if isinstance(given, pd.DataFrame) else pd.DataFrame(np.asarray(given, dtype=object))
        columns = [[str(value) for value in table.iloc[:, each["flat_feature_index"]]] for each in words]
        new = {value for column in columns for value in column} - known.keys()
        if new:
            known.update(_hashes(model, new))
        made = np.zeros((len(table), width))
        for each in numbers:
            at = each["flat_feature_index"]
            made[:, at] = as_numbers(table.iloc[:, [at]])[:, 0]
        for each, column in zip(words, columns, strict=True):
            named = list(each.get("values") or [])
            places = {
                value: named.index(known[value]) if known[value] in named else len(named) for value in set(column)
            }
            made[:, each["flat_feature_index"]] = [places[value] for value in column]
        return made

    return encode


def _hashes(model: Model, values: Iterable[str]) -> dict[str, int]:
    """Return the hash of each category, which the library tells of the rows that a model is saved with."""
    import catboost

    listed, width = sorted(values), len(model.feature_names_)
    categories = list(model.get_cat_feature_indices())
    rows = pd.DataFrame({at: listed if at in categories else np.zeros(len(listed)) for at in range(width)})
    rows.columns = pd.Index(model.feature_names_)
    told = _saved(model, catboost.Pool(rows, cat_features=categories))["features_info"]
    found = {
        str(each["value"]): int(each["hash"]) for each in cast("list[dict[str, int | str]]", told["cat_features_hash"])
    }
    return {value: (number + 2**31) % 2**32 - 2**31 for value, number in found.items()}  # splits name them signed
