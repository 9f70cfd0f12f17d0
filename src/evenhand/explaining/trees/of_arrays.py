"""Boosted trees that evenhand fitted and keeps as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.trees.forest import Forest, Tree
from evenhand.explaining.trees.questions import Questions
from evenhand.explaining.trees.reading import Reading, scaled

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


class Scale(Protocol):
    """How sums of leaves become numbers."""

    quantiles: tuple[float, ...]
    place: int
    mean: float
    deviation: float
    logarithm: bool


class Numbers(Protocol):
    """Trees whose sums are numbers."""

    trees: Arrays
    target: Scale


def read_numbers(estimator: object, positive: object) -> Reading:
    """Return the trees of a model of numbers that `evenhand.training.fit_boosting` made.

    Of quantiles it reads those of the one that is shown. Raises NotThisWay where logarithms were learnt.
    """
    arrays, scale = cast("Numbers", estimator).trees, cast("Numbers", estimator).target
    if scale.logarithm:
        raise NotThisWay("Of a label whose logarithm was learnt the prediction is no sum of leaves.")
    shown = scale.place if scale.quantiles else 0
    base = scale.mean + scale.deviation * float(arrays.base[shown])
    trees = [scaled(tree, scale.deviation) for tree in _trees(arrays, shown)]
    return Reading(Forest(trees, base, "identity", len(arrays.columns.columns)), arrays.columns.transform)


def read_arrays(estimator: object, positive: object) -> Reading:
    """Return the trees of a model that `evenhand.training.fit_boosting` made.

    Raises NotThisWay for more than two classes.
    """
    arrays = cast("Arrays", estimator)
    if len(arrays.base) != 1:
        raise NotThisWay("The ensemble does not have two classes.")
    forest = Forest(_trees(arrays), float(arrays.base[0]), "logit", len(arrays.columns.columns))
    return Reading(forest, arrays.columns.transform)


def _trees(arrays: Arrays, output: int = 0) -> list[Tree]:
    """Return the trees of one output."""
    most = max(column.places for column in arrays.columns.columns)
    parts = [slice(int(first), int(end)) for first, end in zip(arrays.starts[:-1], arrays.starts[1:], strict=True)]
    return [_tree(arrays, nodes, most) for nodes in parts[output :: len(arrays.base)]]


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
