"""Trees as a file declares them: nodes that are reached once from the root, and ask for columns that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_COLUMNS: Final = 1_000_000
"""Columns of a model."""


def check_tree(left: NDArray[np.int64], right: NDArray[np.int64], column: NDArray[np.int64], columns: int) -> None:
    """Walk a tree from its root, node 0, level by level.

    Parameters
    ----------
    left, right : array of int, shape (nodes,)
        The children of each node; negative where it is a leaf.
    column : array of int, shape (nodes,)
        What an inner node asks for.
    columns : int
        How many columns there are.

    Raises
    ------
    ValueError
        When a child is no node, a node has one child only or is reached twice, or a column is none of the model's.
    """
    count = len(left)
    if not count or len(right) != count or len(column) != count:
        raise ValueError("a tree has lists of nodes of several lengths")
    if ((left < 0) != (right < 0)).any() or max(left.max(), right.max()) >= count:
        raise ValueError("a tree has a child that is none of its nodes")
    seen = np.zeros(count, dtype=bool)
    level = np.zeros(1, dtype=np.int64)
    while len(level):
        if seen[level].any() or len(np.unique(level)) < len(level):
            raise ValueError("a tree has a node that is reached twice")
        seen[level] = True
        inner = level[left[level] >= 0]
        asked = column[inner]
        if len(asked) and (asked.min() < 0 or asked.max() >= columns):
            raise ValueError(f"a tree asks for column {int(asked.max()):,} of {columns:,}")
        level = np.concatenate([left[inner], right[inner]])


def whole_numbers(values: object) -> NDArray[np.int64]:
    """Return a list of whole numbers, or one of single bytes; raise ValueError for anything else."""
    made = np.asarray(values) if isinstance(values, (list, np.ndarray)) else np.empty((0, 0))
    if made.ndim == 1 and not len(made):
        return np.empty(0, dtype=np.int64)
    if made.ndim != 1 or made.dtype.kind not in "iub":
        raise ValueError("a tree has nodes that are no list of whole numbers")
    return made.astype(np.int64)


def numbers(values: object, count: int) -> None:
    """Check that there are so many numbers; raise ValueError otherwise."""
    made = np.asarray(values) if isinstance(values, (list, np.ndarray)) else np.empty((0, 0))
    if made.shape != (count,) or (count and made.dtype.kind not in "iuf"):
        raise ValueError(f"a tree has no list of {count:,} numbers where one is needed")


def bounded(told: object, least: int, most: int, what: str) -> int:
    """Return a whole number, written as a number or as text; raise ValueError where it is none between two."""
    try:
        found = int(str(told))
    except ValueError:
        found = least - 1
    if not least <= found <= most:
        raise ValueError(f"its {what} is no whole number from {least:,} to {most:,}")
    return found


def is_map(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a value is a table of a document."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Whether a value is a list of a document."""
    return isinstance(value, (list, np.ndarray))
