"""What a saved model of XGBoost declares, compared with what it holds, before XGBoost reads it."""

from __future__ import annotations

import json

import numpy as np

from evenhand.subjects.boosted.tree_shape import (
    MOST_COLUMNS,
    bounded,
    check_tree,
    is_list,
    is_map,
    numbers,
    whole_numbers,
)

MOST_OUTPUTS = 10_000
"""Classes, or numbers, that a model may predict."""


def check_trees(saved: object) -> str:
    """Check a saved model.

    Parameters
    ----------
    saved : object
        The document: tables, lists, texts and numbers.

    Returns
    -------
    str
        The type of scikit-learn's estimators that saved it; empty where it was a booster.

    Raises
    ------
    ValueError, KeyError, TypeError
        When a tree is none: nodes that are absent or reached twice, columns or classes that there are not.
    """
    learner = _table(_table(saved)["learner"])
    told = _table(learner["learner_model_param"])
    columns = bounded(told["num_feature"], 1, MOST_COLUMNS, "number of columns")
    outputs = max(
        bounded(told.get(name, least), 0, MOST_OUTPUTS, "number of outputs")
        for name, least in (("num_class", 0), ("num_target", 1))
    )
    for name in ("feature_names", "feature_types"):
        if learner.get(name) is not None and len(_list(learner[name])) not in (0, columns):
            raise ValueError(f"its {name} are not those of {columns:,} columns")
    booster = _table(learner["gradient_booster"])
    kind = booster.get("name")
    if kind == "gblinear":
        weights = _list(_table(booster["model"])["weights"])
        numbers(weights, (columns + 1) * max(1, outputs))
    elif kind in ("gbtree", "dart"):
        model = _table(_table(booster["gbtree"])["model"] if kind == "dart" else booster["model"])
        trees = _list(model["trees"])
        if kind == "dart":
            numbers(booster["weight_drop"], len(trees))
        group = whole_numbers(model["tree_info"])
        if len(group) != len(trees) or (len(group) and (group.min() < 0 or group.max() >= max(1, outputs))):
            raise ValueError("its trees are not each of one of its outputs")
        for tree in trees:
            _check(_table(tree), columns, max(1, outputs))
    else:
        raise ValueError("its booster is of no known kind")
    return _saved_by(learner)


def _check(tree: dict[str, object], columns: int, outputs: int) -> None:
    told = _table(tree["tree_param"])
    vector = bounded(told.get("size_leaf_vector", 1), 0, outputs, "size of a leaf")
    left, right, column = (whole_numbers(tree[name]) for name in ("left_children", "right_children", "split_indices"))
    count = bounded(told["num_nodes"], 1, 1 << 31, "number of nodes")
    if len(left) != count:
        raise ValueError("a tree has another number of nodes than it says")
    check_tree(left, right, column, columns)
    numbers(tree["split_conditions"], count)
    if len(whole_numbers(tree["default_left"])) != count or len(whole_numbers(tree["parents"])) != count:
        raise ValueError("a tree has lists of nodes of several lengths")
    if vector > 1:
        return
    numbers(tree["base_weights"], count)
    named = ("categories_nodes", "categories_segments", "categories_sizes", "categories")
    nodes, starts, sizes, values = (whole_numbers(tree.get(name, [])) for name in named)
    whole = len(nodes) == len(starts) == len(sizes)
    if not whole or (len(nodes) and (nodes.min() < 0 or nodes.max() >= count or min(starts.min(), sizes.min()) < 0)):
        raise ValueError("a tree has categories of nodes that there are not")
    if len(nodes) and (starts + sizes).max() > len(values):
        raise ValueError("a tree has more categories than it lists")
    if len(values) and (values.min() < 0 or values.max() >= 1 << 24):
        raise ValueError("a tree has a category of no known code")
    kinds = whole_numbers(tree["split_type"]) if "split_type" in tree else np.zeros(count, dtype=np.int64)
    if len(kinds) != count or not np.isin(np.flatnonzero(kinds == 1), nodes).all():
        raise ValueError("a tree has a node that asks for categories and lists none")


def _saved_by(learner: dict[str, object]) -> str:
    told = _table(learner.get("attributes") or {}).get("scikit_learn")
    found = json.loads(str(told)) if told is not None else {}
    return str(found.get("_estimator_type", "")) if is_map(found) else ""


def _table(value: object) -> dict[str, object]:
    if not is_map(value):
        raise ValueError("a part of it is no table")
    return value


def _list(value: object) -> list[object]:
    if not is_list(value):
        raise ValueError("a part of it is no list")
    return value  # type: ignore[return-value]
