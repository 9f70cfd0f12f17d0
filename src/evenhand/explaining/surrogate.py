"""A surrogate: a small tree that imitates the model, and its fidelity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from evenhand.explaining.dependence import is_number
from evenhand.messages import joined, message

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

DEPTH: Final = 3
"""The greatest depth of the tree."""
MOST_LEVELS: Final = 20
"""Most values of a category that the tree may split on, the most frequent ones."""


IS: Final = "is"
"""The kind of reply that names the one value of a category."""


class Reply(NamedTuple):
    """A reply to a question of the tree: the column, what kind of condition it sets, and its words."""

    column: str
    kind: str
    """A later reply of the same kind about the same column is narrower."""
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Surrogate:
    """A tree fitted to the model's scores on half of the rows, and tried on the other half."""

    rules: tuple[tuple[str, float, int], ...]
    """For each leaf: the answers that lead there, its mean score, and the tried rows in it."""
    held_out: NDArray[np.int64]
    """The positions of the rows it was tried on."""
    scores: NDArray[np.float64]
    """(held out,): its scores there."""

    def fidelity(self, wanted: NDArray[np.float64]) -> float:
        """Return the share of the variance of the model's scores of the tried rows that it gives, below 0 for none."""
        total = float(((wanted - wanted.mean()) ** 2).sum())
        return 1.0 - float(((wanted - self.scores) ** 2).sum()) / total if total > 0 else 1.0


def surrogate(X: pd.DataFrame, scores: NDArray[np.float64], seed: int = 0) -> Surrogate:
    """Fit a tree to the model's scores.

    `X`: (n, m) rows, n at least 20; `scores` (n,): the model's scores, on the explained scale; `seed`: seed of the
    halves.
    """
    from sklearn.tree import DecisionTreeRegressor

    matrix, names = _asked(X)
    order = np.random.default_rng([seed, 19]).permutation(len(X))
    fitted, held = np.sort(order[: len(X) // 2]), np.sort(order[len(X) // 2 :])
    tree = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=max(5, len(fitted) // 50), random_state=0)
    tree.fit(matrix[fitted], scores[fitted])
    inner = tree.tree_
    leaves = np.bincount(tree.apply(matrix[held]), minlength=inner.node_count)
    rules: list[tuple[str, float, int]] = []

    def walk(node: int, said: tuple[Reply, ...]) -> None:
        if inner.children_left[node] < 0:
            answers = joined(" and ", (reply.text for reply in said)) if said else message("any row")
            rules.append((answers, float(inner.value[node].ravel()[0]), int(leaves[node])))
            return
        yes, no = names[inner.feature[node]](float(inner.threshold[node]))
        walk(inner.children_left[node], narrowed(said, yes))
        walk(inner.children_right[node], narrowed(said, no))

    walk(0, ())
    return Surrogate(tuple(rules), held, np.asarray(tree.predict(matrix[held]), dtype=np.float64))


def narrowed(said: tuple[Reply, ...], new: Reply) -> tuple[Reply, ...]:
    """Return the replies on the way to a node without those that the newest one implies.

    Examples
    --------
    >>> at_most_12, at_most_2, above_0 = Reply("n", "≤", "n ≤ 12"), Reply("n", "≤", "n ≤ 2"), Reply("n", ">", "n > 0")
    >>> [reply.text for reply in narrowed((at_most_12, above_0), at_most_2)]
    ['n > 0', 'n ≤ 2']
    """
    implied = {new.kind} | ({reply.kind for reply in said} if new.kind == IS else set())
    return (*(reply for reply in said if reply.column != new.column or reply.kind not in implied), new)


def _more_or_less(name: str, cut: float) -> tuple[Reply, Reply]:
    return Reply(name, "≤", f"{name} ≤ {cut:.4g}"), Reply(name, ">", f"{name} > {cut:.4g}")


def _one_or_other(name: str, value: object, _: float) -> tuple[Reply, Reply]:
    places = {"column": name, "value": str(value)}
    without = Reply(name, f"is not {value}", message("{column} is not {value}", **places))
    return without, Reply(name, IS, message("{column} is {value}", **places))


def _asked(X: pd.DataFrame) -> tuple[NDArray[np.float64], list[Callable[[float], tuple[Reply, Reply]]]]:
    """Return the columns that a tree may ask about, and how it words its questions."""
    columns: list[NDArray[np.float64]] = []
    names: list[Callable[[float], tuple[Reply, Reply]]] = []
    for name in X.columns:
        if is_number(X[name]):
            columns.append(X[name].to_numpy(dtype=np.float64, na_value=np.nan))
            names.append(partial(_more_or_less, str(name)))
            continue
        for value in X[name].value_counts().index[:MOST_LEVELS]:
            columns.append((X[name] == value).fillna(False).to_numpy(dtype=np.float64))
            names.append(partial(_one_or_other, str(name), value))
    most = float(np.finfo(np.float32).max)  # scikit-learn's trees compare in single precision
    return np.clip(np.stack(columns, axis=1), -most, most), names
