"""LightGBM's boosters, from `dump_model` (https://lightgbm.readthedocs.io/en/stable/pythonapi/lightgbm.Booster.html)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypedDict, cast

import numpy as np
import pandas as pd

from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.trees.forest import Forest, Tree
from evenhand.explaining.trees.questions import Questions
from evenhand.explaining.trees.reading import Reading, as_numbers, scaled, two_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.trees.reading import Encode

ADDS_UP: Final = frozenset({"regression", "regression_l1", "huber", "fair", "quantile", "mape"})
"""The objectives of numbers whose prediction is the sum of leaves."""
ZERO: Final = float(np.float32(1e-35))
"""A value nearer to 0 is taken for 0 where zero stands for missing."""


class Node(TypedDict, total=False):
    """A node of a dumped tree; a leaf has `leaf_value` only."""

    split_feature: int
    threshold: float | str
    decision_type: str
    default_left: bool
    missing_type: str
    left_child: Node
    right_child: Node
    leaf_value: float
    leaf_coeff: list[float]


class Dumped(TypedDict):
    """What is used of a dumped model."""

    num_class: int
    objective: str
    average_output: bool
    max_feature_idx: int
    tree_info: list[dict[str, Node]]


class Booster(Protocol):
    """A `lightgbm.Booster`."""

    pandas_categorical: Sequence[Sequence[object]] | None

    def dump_model(self) -> Dumped:
        """Return the model up to the best iteration, as `predict` uses it."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """The questions of a tree's nodes, with LightGBM's three ways of treating what is missing."""

    plain: Questions
    """Thresholds, and sets of categories, with NaN for whatever follows the default direction."""
    kind: NDArray[np.int8]
    """(nodes,): 0 where a missing value counts as 0, 1 where zeros are missing too, 2 where only NaN is missing."""

    def __call__(self, X: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return (nodes, n) of rows (n, columns), NaN where missing."""
        unknown = np.isnan(X)
        answers = self.plain(X)
        zeros = unknown | (np.abs(X) <= ZERO)
        if not zeros.any():
            return answers
        as_zero = self.plain(np.where(unknown, 0.0, X)) if unknown.any() else answers
        as_missing = self.plain(np.where(zeros, np.nan, X))
        numeric = self.plain.column >= 0
        if self.plain.member_of is not None:
            numeric &= self.plain.member_of < 0
        choose = np.where(numeric, self.kind, 2)[:, None]
        return np.where(choose == 0, as_zero, np.where(choose == 1, as_missing, answers))


def read_lightgbm(estimator: object, positive: object) -> Reading:
    """Return the trees of a LightGBM booster, or of an estimator that holds one.

    Raises NotThisWay for several classes, linear leaves, and objectives whose prediction is no sum.
    """
    booster = cast("Booster", getattr(estimator, "booster_", estimator))
    told = booster.dump_model()
    name, *options = str(told.get("objective", "")).split()
    if told["num_class"] > 1:
        raise NotThisWay("The ensemble does not have two classes.")
    if name not in (*ADDS_UP, "binary", "cross_entropy") or "sqrt" in options:
        raise NotThisWay("With the objective {objective} the prediction is no sum of leaves.", objective=name)
    logit, sign = name in ("binary", "cross_entropy"), 1.0
    if logit and hasattr(estimator, "classes_"):
        sign = 1.0 if two_classes(estimator, positive) == 1 else -1.0
    steep = next((float(each.partition(":")[2]) for each in options if each.startswith("sigmoid:")), 1.0)
    each = sign * (steep if logit else 1.0) / (len(told["tree_info"]) if told["average_output"] else 1)
    trees = [scaled(_tree(info["tree_structure"]), each) for info in told["tree_info"]]
    forest = Forest(trees, 0.0, "logit" if logit else "identity", told["max_feature_idx"] + 1)
    return Reading(forest, _encode(booster))


def _tree(root: Node) -> Tree:
    nodes: list[Node] = [root]
    left, right = [], []
    for node in nodes:  # grows while it is walked: children follow their parents
        if "leaf_coeff" in node:
            raise NotThisWay("Its leaves are linear functions, not numbers.")
        inner = "split_feature" in node
        left.append(len(nodes) if inner else -1)
        right.append(len(nodes) + 1 if inner else -1)
        nodes += [node["left_child"], node["right_child"]] if inner else []
    column = np.array([node.get("split_feature", -1) for node in nodes], dtype=np.int32)
    chosen = [_categories(node) for node in nodes]
    kinds = {"None": 0, "Zero": 1, "NaN": 2}
    kind = np.array([kinds[node.get("missing_type", "NaN")] for node in nodes], dtype=np.int8)
    members, member_of = _members(chosen)
    plain = Questions(
        column,
        np.array(
            [
                0.0 if known is not None else float(node.get("threshold", 0.0))
                for node, known in zip(nodes, chosen, strict=True)
            ]
        ),
        np.array([node.get("default_left", False) for node in nodes], dtype=bool),
        members=members,
        member_of=member_of,
    )
    value = np.array([node.get("leaf_value", 0.0) for node in nodes], dtype=np.float64)
    return Tree(np.array(left, dtype=np.int32), np.array(right, dtype=np.int32), column, value, Rules(plain, kind))


def _categories(node: Node) -> list[int] | None:
    """Return the categories that a node sends left; None for a threshold."""
    kind = node.get("decision_type", "<=")
    if kind not in ("<=", "=="):
        raise NotThisWay("A split of the kind {kind} is not known.", kind=kind)
    return [int(each) for each in str(node["threshold"]).split("||")] if kind == "==" else None


def _members(chosen: list[list[int] | None]) -> tuple[NDArray[np.bool_] | None, NDArray[np.int32] | None]:
    """Return the sets of categories; whatever is missing or not named goes right."""
    sets = [known for known in chosen if known is not None]
    if not sets:
        return None, None
    members = np.zeros((len(sets), max(max(known) for known in sets) + 2), dtype=bool)
    for at, known in enumerate(sets):
        members[at, known] = True
    asks = np.array([known is not None for known in chosen])
    return members, np.where(asks, np.cumsum(asks) - 1, -1).astype(np.int32)


def _encode(booster: Booster) -> Encode:
    """Return the numbers of a table: of its categories their place among those that the model was fitted on."""
    known = booster.pandas_categorical
    if not known:
        return as_numbers

    def encode(given: object) -> NDArray[np.float64]:
        if not isinstance(given, pd.DataFrame):
            return as_numbers(given)
        made, of = given.copy(deep=False), iter(known)
        for name in given.columns:
            if isinstance(given[name].dtype, pd.CategoricalDtype):
                codes = given[name].cat.set_categories(list(next(of))).cat.codes
                made[name] = codes.where(codes >= 0, np.nan).astype(np.float64)
        return as_numbers(made)

    return encode
