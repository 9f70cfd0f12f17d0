"""Boosted trees as arrays: made of what scikit-learn fitted, scored without it, and nothing that could run code."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.training.trees.columns import TreeColumns

WORDS: Final = 8
"""A set of categories is so many words of 32 bits."""
AT_ONCE: Final = 1 << 15
"""Rows that go through the trees in one piece."""
BASE: Final = "base"


@dataclass(frozen=True, slots=True, eq=False)
class BoostedTrees:
    """A score (n, outputs) that is `base` plus one leaf of each tree; tree t adds to output t modulo outputs.

    A node sends a row left where its value is at most the threshold, or where its place is in the set of the node; a
    missing value goes where `missing` says.
    """

    columns: TreeColumns
    """What the trees ask."""
    starts: NDArray[np.int32]
    """(trees + 1,): where each tree begins among the nodes."""
    left: NDArray[np.int32]
    """(nodes,): the child of rows that go left, counted from the tree's start; -1 at a leaf."""
    right: NDArray[np.int32]
    """(nodes,): the child of the others."""
    column: NDArray[np.int32]
    """(nodes,): the column asked, -1 at a leaf."""
    threshold: NDArray[np.float64]
    """(nodes,): what a number is compared with."""
    value: NDArray[np.float64]
    """(nodes,): what a leaf adds, 0 elsewhere."""
    missing: NDArray[np.uint8]
    """(nodes,): 1 where a missing value goes left."""
    chosen: NDArray[np.int32]
    """(nodes,): the set of a node that asks a category, -1 at others."""
    sets: NDArray[np.int64]
    """(sets, 8): places that go left, as bits of 32-bit words."""
    base: NDArray[np.float64]
    """(outputs,): the score without trees."""

    @property
    def outputs(self) -> int:
        """Scores of a row: one, or one a class."""
        return len(self.base)

    @property
    def trees(self) -> int:
        """How many trees there are."""
        return len(self.starts) - 1

    def rounds(self, count: int) -> BoostedTrees:
        """Return the first rounds of boosting alone; a round is one tree for each output."""
        starts = self.starts[: count * self.outputs + 1]
        per_node = ("left", "right", "column", "threshold", "value", "missing", "chosen")
        return replace(self, starts=starts, **{name: getattr(self, name)[: starts[-1]] for name in per_node})

    def score(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores (n, outputs) of prepared rows (n, columns)."""
        total = np.repeat(self.base[None, :], len(rows), axis=0)
        for at in range(0, len(rows), AT_ONCE):
            for tree, added in enumerate(self.added(rows[at : at + AT_ONCE])):
                total[at : at + AT_ONCE, tree % self.outputs] += added
        return total

    def added(self, rows: NDArray[np.float64], first: int = 0) -> Iterator[NDArray[np.float64]]:
        """Yield what each tree, from the `first` on, adds to the scores of rows (n, columns)."""
        values = np.ascontiguousarray(rows.T)
        for tree in range(first, self.trees):
            yield self._leaf_values(values, slice(self.starts[tree], self.starts[tree + 1]))

    def _leaf_values(self, values: NDArray[np.float64], nodes: slice) -> NDArray[np.float64]:
        left, right, column = self.left[nodes], self.right[nodes], self.column[nodes]
        at, going = np.zeros(values.shape[1], dtype=np.int32), np.arange(values.shape[1])
        while left[0] >= 0 and len(going):
            node = at[going]
            there = values[column[node], going]
            passes = there <= self.threshold[nodes][node]
            if len(self.sets):
                chosen = self.chosen[nodes][node]
                asking = chosen >= 0
                passes[asking] = self._in_set(there[asking], chosen[asking])
            unknown = np.isnan(there)
            passes[unknown] = self.missing[nodes][node[unknown]] == 1
            at[going] = np.where(passes, left[node], right[node])
            going = going[left[at[going]] >= 0]
        return self.value[nodes][at]

    def _in_set(self, there: NDArray[np.float64], chosen: NDArray[np.int32]) -> NDArray[np.bool_]:
        place = np.where(np.isnan(there), 0, there).astype(np.int64)
        return np.asarray((self.sets[chosen, place >> 5] >> (place & 31)) & 1, dtype=bool)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as a file keeps them."""
        return {field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)[1:]}

    @classmethod
    def from_tensors(cls, columns: TreeColumns, held: Mapping[str, NDArray[Any]]) -> BoostedTrees:
        """Return the trees of a file's arrays; raise ValueError, KeyError or TypeError where they are no trees."""
        wanted = {"threshold": np.float64, "value": np.float64, "base": np.float64, "sets": np.int64}
        made = {field.name: _of_type(field.name, held, wanted.get(field.name, np.int32)) for field in fields(cls)[1:]}
        trees = cls(columns, **made)
        trees.check()
        return trees

    def check(self) -> None:
        """Raise ValueError unless every row ends at a leaf, with a finite score."""
        nodes = len(self.left)
        sizes = np.diff(self.starts)
        if len(self.starts) < 1 or self.starts[0] != 0 or self.starts[-1] != nodes or (sizes < 1).any():
            raise ValueError("its trees are not where they are said to be")
        of_nodes = (self.right, self.column, self.threshold, self.value, self.missing, self.chosen)
        if any(part.shape != (nodes,) for part in of_nodes) or not len(self.base):
            raise ValueError("its nodes are not told alike")
        own = np.arange(nodes) - np.repeat(self.starts[:-1], sizes)
        size, inner = np.repeat(sizes, sizes), self.left >= 0
        for child in (self.left[inner], self.right[inner]):
            if (child <= own[inner]).any() or (child >= size[inner]).any():
                raise ValueError("a child does not follow its parent")
        places = np.array([column.places for column in self.columns.columns])
        asked, sets = self.column[inner], self.chosen[inner]
        if ((asked < 0) | (asked >= len(places))).any() or ((sets < -1) | (sets >= len(self.sets))).any():
            raise ValueError("a node asks what there is not")
        if ((places[asked] > 0) != (sets >= 0)).any() or self.sets.shape[1:] != (WORDS,):
            raise ValueError("a node asks a number for its category, or a category for its number")
        if np.isnan(self.threshold).any() or not (np.isfinite(self.value).all() and np.isfinite(self.base).all()):
            raise ValueError("a threshold or a leaf is no number")
        if len(self.sets) and (self.sets.min() < 0 or self.sets.max() > 0xFFFFFFFF):
            raise ValueError("a set of categories is no set")


def _of_type(name: str, held: Mapping[str, NDArray[Any]], wanted: type) -> NDArray[Any]:
    wanted = np.uint8 if name == "missing" else wanted
    if held[name].dtype != wanted:
        raise ValueError(f"'{name}' is of {held[name].dtype}")
    return held[name]


def one_or_more(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scores (n, 1) as (n,), those of several outputs (n, C) as they are."""
    return score[:, 0] if score.shape[1] == 1 else score


def trees_of(estimators: Sequence[Any], columns: TreeColumns) -> BoostedTrees:
    """Return the trees of a fitted HistGradientBoostingClassifier or -Regressor over these columns.

    Of several estimators, of as many rounds, each has outputs of its own.

    Raises
    ------
    ModelError
        When the trees do not give the scores of the estimator, as of a version of scikit-learn that keeps them
        otherwise.
    """
    is_category = np.array([column.places > 0 for column in columns.columns])
    # the estimator's own encoding puts categories first
    order = np.concatenate([np.flatnonzero(is_category), np.flatnonzero(~is_category)]).astype(np.int32)
    rounds = zip(*(estimator._predictors for estimator in estimators), strict=True)
    parts = [_nodes(predictor, order) for stages in rounds for stage in stages for predictor in stage]
    base = np.concatenate([np.ravel(estimator._baseline_prediction) for estimator in estimators])
    return BoostedTrees(columns, **_joined(parts, base.astype(np.float64)))


def check_against(trees: BoostedTrees, estimators: Sequence[Any], rows: NDArray[np.float64]) -> None:
    """Raise ModelError unless the trees give the estimators' own scores of these rows."""
    said = [getattr(estimator, "decision_function", estimator.predict)(rows) for estimator in estimators]
    own, ours = np.column_stack(said).astype(np.float64), trees.score(rows)
    if not np.allclose(own.reshape(ours.shape), ours, rtol=1e-9, atol=1e-9):
        raise ModelError(
            "The trees that scikit-learn fitted cannot be read: this version keeps them in a way that is not known."
        )


def _nodes(predictor: Any, order: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    asks_category = nodes["is_categorical"].astype(bool) & ~leaf
    return {
        "left": np.where(leaf, -1, nodes["left"].astype(np.int64)).astype(np.int32),
        "right": np.where(leaf, -1, nodes["right"].astype(np.int64)).astype(np.int32),
        "column": np.where(leaf, -1, order[np.where(leaf, 0, nodes["feature_idx"])]).astype(np.int32),
        "threshold": np.where(leaf | asks_category, 0.0, nodes["num_threshold"].astype(np.float64)),
        "value": np.where(leaf, nodes["value"].astype(np.float64), 0.0),
        "missing": nodes["missing_go_to_left"].astype(np.uint8),
        "chosen": np.where(asks_category, nodes["bitset_idx"].astype(np.int64), -1).astype(np.int32),
        "sets": np.asarray(predictor.raw_left_cat_bitsets, dtype=np.int64).reshape(-1, WORDS),
    }


def _joined(parts: Sequence[dict[str, NDArray[Any]]], base: NDArray[np.float64]) -> dict[str, Any]:
    """Return the arrays of all trees, one after another."""
    starts = np.concatenate([[0], np.cumsum([len(part["left"]) for part in parts])]).astype(np.int32)
    before = np.concatenate([[0], np.cumsum([len(part["sets"]) for part in parts])])
    for part, ahead in zip(parts, before[:-1], strict=True):
        part["chosen"] = np.where(part["chosen"] < 0, -1, part["chosen"] + ahead).astype(np.int32)
    return {
        "starts": starts,
        "base": base,
        **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
    }
