"""Boosted trees that evenhand fitted and keeps as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.trees.forest import Forest, Tree
from evenhand.explaining.trees.questions import Questions
from evenhand.explaining.trees.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class ColumnRead(Protocol):
    """One column that the trees ask."""

    places: int


class ColumnsRead(Protocol):
    """What the trees ask."""

    columns: Sequence[ColumnRead]

    def transform(self, batch: object, /) -> NDArray[np.float64]:
        """Return (n, columns), NaN where missing."""
        ...


class Arrays(Protocol):
    """What is read of the trees."""

    columns: ColumnsRead
    starts: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    column: NDArray[np.int32]
    threshold: NDArray[np.float64]
    value: NDArray[np.float64]
    missing: NDArray[np.uint8]
    chosen: NDArray[np.int32]
    sets: NDArray[np.int64]
    base: NDArray[np.float64]


def read_arrays(estimator: object, positive: object) -> Reading:
    """Return the trees of a model that `evenhand.training.fit_boosting` made.

    Raises NotThisWay for more than two classes.
    """
    arrays = cast("Arrays", estimator)
    if len(arrays.base) != 1:
        raise NotThisWay("The ensemble does not have two classes.")
    most = max(column.places for column in arrays.columns.columns)
    trees = [
        _tree(arrays, slice(int(first), int(end)), most)
        for first, end in zip(arrays.starts[:-1], arrays.starts[1:], strict=True)
    ]
    forest = Forest(trees, float(arrays.base[0]), "logit", len(arrays.columns.columns))
    return Reading(forest, arrays.columns.transform)


def _tree(arrays: Arrays, nodes: slice, most: int) -> Tree:
    left, right, column = arrays.left[nodes], arrays.right[nodes], arrays.column[nodes]
    missing, chosen = arrays.missing[nodes] == 1, arrays.chosen[nodes]
    questions = Questions(column, arrays.threshold[nodes], missing)
    asking = np.flatnonzero(chosen >= 0)
    if len(asking):
        sets = arrays.sets[chosen[asking]].astype(np.uint64)
        bits = ((sets[:, :, None] >> np.arange(32, dtype=np.uint64)) & np.uint64(1)).reshape(len(sets), -1)
        members = np.concatenate([bits[:, :most].astype(bool), missing[asking, None]], axis=1)
        member_of = np.full(len(left), -1, dtype=np.int32)
        member_of[asking] = np.arange(len(asking))
        questions = Questions(column, arrays.threshold[nodes], missing, members=members, member_of=member_of)
    return Tree(left, right, column, arrays.value[nodes], questions)
