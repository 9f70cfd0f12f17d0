"""A tree ensemble as arrays, whichever library fitted it: what a reader makes and every computation takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.scores import Link


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """One binary tree over the columns that the estimator reads; node 0 is its root, children follow their parent."""

    left: NDArray[np.int32]
    """(nodes,): the child of the rows that a node lets pass, -1 at a leaf."""
    right: NDArray[np.int32]
    """(nodes,): the child of the other rows, -1 at a leaf."""
    column: NDArray[np.int32]
    """(nodes,): the column that a node asks, -1 at a leaf."""
    value: NDArray[np.float64]
    """(nodes,): what a leaf adds to the score; of no meaning at other nodes."""
    passes: Callable[[NDArray[np.float64]], NDArray[np.bool_]]
    """From rows (n, columns), NaN where missing, to (nodes, n): who goes to the left child; of no meaning at leaves.
    Thresholds, missing values, categories and a library's rounding to single precision are its affair."""


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """A score that is `base` plus one leaf of every tree, on the scale where that is so."""

    trees: Sequence[Tree]
    base: float
    link: Link
    """``logit`` where leaves add up to log-odds, ``identity`` where to the prediction itself."""
    columns: int
    """How many columns the estimator reads."""

    def score(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the score (n,) of rows (n, columns)."""
        total = np.full(len(X), self.base)
        for tree in self.trees:
            total += tree.value[leaves(tree, X)]
        return total


def leaves(tree: Tree, X: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the leaf (n,) of each row."""
    passes, rows = tree.passes(X), np.arange(len(X))
    at = np.zeros(len(X), dtype=np.int64)
    while True:
        inner = tree.left[at] >= 0
        if not inner.any():
            return at
        at = np.where(inner, np.where(passes[at, rows], tree.left[at], tree.right[at]), at)
