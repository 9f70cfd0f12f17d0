"""What a reader gives: the trees, and the numbers that the estimator makes of the columns it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from evenhand.explaining.choosing import NotThisWay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.trees.forest import Forest, Tree

Encode: TypeAlias = Callable[[object], "NDArray[np.float64]"]
"""From a table, an array or a sparse matrix, as the estimator is given it, to numbers (n, columns)."""


def as_numbers(given: object) -> NDArray[np.float64]:
    """Return a table, an array or a sparse matrix as float64, NaN where missing."""
    if isinstance(given, pd.DataFrame):
        return given.to_numpy(dtype=np.float64, na_value=np.nan)
    dense = given.toarray() if hasattr(given, "toarray") else given
    return np.asarray(dense, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A fitted ensemble as trees over the numbers that it makes of its columns."""

    forest: Forest
    """The trees, and the scale on which they add up."""
    encode: Encode = as_numbers
    """What its inputs become before a tree asks for them."""

    @property
    def plain(self) -> bool:
        """Whether the trees ask for the columns as they are."""
        return self.encode is as_numbers


def two_classes(estimator: object, positive: object) -> int:
    """Return the place, 0 or 1, of the explained class; raise where the classes are not two."""
    classes = list(getattr(estimator, "classes_", ()))
    if len(classes) != 2:
        raise NotThisWay("The ensemble does not have two classes.")
    # A wrong guess would show in the sums, which are compared with the model's scores.
    return classes.index(positive) if positive in classes else 1


def scaled(tree: Tree, by: float, add: float = 0.0) -> Tree:
    """Return a tree whose leaves add ``by * value + add``."""
    return replace(tree, value=by * tree.value + add)


def moved(tree: Tree, columns: Sequence[int]) -> Tree:
    """Return a tree over more columns, of which it was fitted on `columns` in this order."""
    places = np.asarray(columns, dtype=np.int32)
    inner, passes = tree.column >= 0, tree.passes
    column = np.where(inner, places[np.maximum(tree.column, 0)], -1).astype(np.int32)
    return replace(tree, column=column, passes=lambda X: passes(X[:, places]))


def in_order(
    left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the nodes that the root leads to, parents before their children, and both children by their new places.

    `left`, `right` (nodes,): the children of each node, negative at a leaf.
    """
    levels = [np.zeros(1, dtype=np.int64)]
    while len(levels[-1]):
        inner = levels[-1][left[levels[-1]] >= 0]
        levels.append(np.stack([left[inner], right[inner]], axis=1).ravel())
    kept = np.concatenate(levels)
    place = np.full(len(left), -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    leaf = left[kept] < 0
    return kept, np.where(leaf, -1, place[left[kept]]), np.where(leaf, -1, place[right[kept]])
