"""What a saved model of LightGBM declares, compared with what it holds, before LightGBM reads it."""

from __future__ import annotations

from typing import Final

import numpy as np

from evenhand.documents import parse_json
from evenhand.errors import EvenhandError
from evenhand.subjects.boosted.tree_shape import MOST_COLUMNS, bounded, check_tree

MOST_CLASSES: Final = 10_000
"""Classes of a model."""
_CATEGORICAL: Final = 1
"""The bit of a node's kind that says that it asks for categories."""


def check_text(text: str) -> None:
    """Check a saved model.

    Raises
    ------
    ValueError, LookupError
        When it ends early, or a tree is none: nodes that are absent or reached twice, columns or sets of categories
        that there are not.
    """
    head, *parts = text.split("\nTree=")
    if not parts:
        raise ValueError("it has no tree")
    last, end, after = parts[-1].partition("end of trees")
    if not end:
        raise ValueError("it ends before its trees do")
    parts[-1] = last
    told = _fields(head)
    columns = bounded(told["max_feature_idx"], 0, MOST_COLUMNS - 1, "number of columns") + 1
    each = bounded(told["num_tree_per_iteration"], 1, MOST_CLASSES, "number of trees an iteration")
    bounded(told["num_class"], 1, MOST_CLASSES, "number of classes")
    if len(parts) % each:
        raise ValueError("its trees are not as many for each class")
    for name in ("feature_names", "feature_infos"):
        if len(told[name].split(" ")) != columns:
            raise ValueError(f"its {name} are not those of {columns:,} columns")
    _sizes(text, head, told.get("tree_sizes"), len(parts))
    for at, part in enumerate(parts):
        first, _, rest = part.partition("\n")
        if first.strip() != str(at):
            raise ValueError("its trees are not in order")
        _check(_fields(rest), columns)
    if "parameters:" not in after or "end of parameters" not in after:  # LightGBM ends the process when it reads these
        raise ValueError("it ends before its parameters do")
    _categories(after)


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split("\n"):
        name, sign, value = line.partition("=")
        if sign and name in found:
            raise ValueError("a tree says one thing twice")
        if sign:
            found[name] = value
    return found


def _sizes(text: str, head: str, told: str | None, count: int) -> None:
    """Compare the places of trees with those that are declared, by which LightGBM finds them."""
    if told is None:
        raise ValueError("it does not say where its trees are")
    sizes = _whole(told, count)
    at, content = len(head.encode()) + 1, text.encode()
    for number, size in enumerate(sizes):
        start = f"Tree={number}\n".encode()
        if size < len(start) or content[at : at + len(start)] != start:
            raise ValueError("its trees are not where it says")
        at += int(size)
    if not content[at:].lstrip(b"\n").startswith(b"end of trees"):
        raise ValueError("its trees are not where it says")


def _check(told: dict[str, str], columns: int) -> None:
    leaves = bounded(told["num_leaves"], 1, 1 << 24, "number of leaves")
    sets = bounded(told["num_cat"], 0, leaves - 1, "number of sets of categories")
    inner = leaves - 1
    _real(told["leaf_value"], leaves)
    if bounded(told.get("is_linear", "0"), 0, 1, "kind of leaves"):
        raise ValueError(
            "its leaves are linear functions; if you trust it, pass lightgbm.Booster(model_file=...) itself"
        )
    if not inner:
        return
    left, right, column, kind = (
        _whole(told[name], inner) for name in ("left_child", "right_child", "split_feature", "decision_type")
    )
    threshold = _real(told["threshold"], inner)
    if min(left.min(), right.min()) < -leaves or max(left.max(), right.max()) >= inner:
        raise ValueError("a tree has a child that is none of its nodes")
    # leaf ~i stands behind the inner nodes
    beyond = np.full(leaves, -1, dtype=np.int64)
    lefts, rights = (np.concatenate([np.where(child < 0, inner + ~child, child), beyond]) for child in (left, right))
    check_tree(lefts, rights, np.concatenate([column, beyond]), columns)
    asked = threshold[(kind & _CATEGORICAL) > 0]
    if len(asked) and (not sets or asked.min() < 0 or asked.max() >= sets or (asked % 1).any()):
        raise ValueError("a tree asks for a set of categories that there is not")
    if sets:
        ends = _whole(told["cat_boundaries"], sets + 1)
        if ends[0] != 0 or (np.diff(ends) < 0).any():
            raise ValueError("a tree has sets of categories out of order")
        _whole(told["cat_threshold"], int(ends[-1]))


def _categories(after: str) -> None:
    """Check the words of categories, JSON in the last line."""
    _, sign, told = after.rpartition("pandas_categorical:")
    if sign:
        try:
            found = parse_json(told.strip(), "its categories")
        except EvenhandError:
            raise ValueError("its categories cannot be read") from None
        if found is not None and not (isinstance(found, list) and all(isinstance(each, list) for each in found)):
            raise ValueError("its categories are no lists")


def _whole(told: str, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    made = np.array(told.split(), dtype=np.int64)
    if len(made) != count:
        raise ValueError(f"a tree has {len(made):,} numbers where {count:,} are needed")
    return made


def _real(told: str, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    made = np.array(told.split(), dtype=np.float64)
    if len(made) != count:
        raise ValueError(f"a tree has {len(made):,} numbers where {count:,} are needed")
    return made
