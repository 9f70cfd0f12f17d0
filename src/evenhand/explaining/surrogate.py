"""A surrogate: a small tree that imitates the model, and its fidelity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

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

    def walk(node: int, said: tuple[str, ...]) -> None:
        if inner.children_left[node] < 0:
            answers = joined(" and ", said) if said else message("any row")
            rules.append((answers, float(inner.value[node].ravel()[0]), int(leaves[node])))
            return
        yes, no = names[inner.feature[node]](float(inner.threshold[node]))
        walk(inner.children_left[node], (*said, yes))
        walk(inner.children_right[node], (*said, no))

    walk(0, ())
    return Surrogate(tuple(rules), held, np.asarray(tree.predict(matrix[held]), dtype=np.float64))


def _more_or_less(name: str, cut: float) -> tuple[str, str]:
    return f"{name} ≤ {cut:.4g}", f"{name} > {cut:.4g}"


def _one_or_other(name: str, value: object, _: float) -> tuple[str, str]:
    places = {"column": name, "value": str(value)}
    return message("{column} is not {value}", **places), message("{column} is {value}", **places)


def _asked(X: pd.DataFrame) -> tuple[NDArray[np.float64], list[Callable[[float], tuple[str, str]]]]:
    """Return the columns that a tree may ask about, and how it words its questions."""
    columns: list[NDArray[np.float64]] = []
    names: list[Callable[[float], tuple[str, str]]] = []
    for name in X.columns:
        if is_number(X[name]):
            columns.append(X[name].to_numpy(dtype=np.float64, na_value=np.nan))
            names.append(partial(_more_or_less, str(name)))
            continue
        for value in X[name].value_counts().index[:MOST_LEVELS]:
            columns.append((X[name] == value).fillna(False).to_numpy(dtype=np.float64))
            names.append(partial(_one_or_other, str(name), value))
    return np.stack(columns, axis=1), names
