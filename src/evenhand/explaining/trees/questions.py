"""What the nodes of one tree ask of rows, all at once: thresholds, missing values and sets of categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """The questions of a tree's nodes; called with rows it answers who goes to the left child."""

    column: NDArray[np.int32]
    """(nodes,): the column asked, -1 at a leaf."""
    threshold: NDArray[np.float64]
    """(nodes,): a value at most this large goes left, or below it where `strict`."""
    missing: NDArray[np.bool_]
    """(nodes,): whether a missing value goes left."""
    strict: bool = False
    """Whether a value equal to the threshold goes right."""
    single: bool = False
    """Whether values are rounded to single precision before they are compared."""
    members: NDArray[np.bool_] | None = None
    """(sets, categories + 1): which categories go left; the last place is for missing and for all other values."""
    member_of: NDArray[np.int32] | None = None
    """(nodes,): the set that a node asks, -1 for a threshold."""

    def __call__(self, X: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return (nodes, n) of rows (n, columns), NaN where missing."""
        inner = np.flatnonzero(self.column >= 0)
        values = np.ascontiguousarray((X.astype(np.float32).astype(np.float64) if self.single else X).T)
        answers = np.zeros((len(self.column), len(X)), dtype=bool)
        answers[inner] = self._compared(values, inner)
        if self.members is not None and self.member_of is not None:
            asking = np.flatnonzero(self.member_of >= 0)
            answers[asking] = self._contained(X.T[self.column[asking]], self.members, self.member_of[asking])
        return answers

    def _compared(self, values: NDArray[np.float64], inner: NDArray[np.int64]) -> NDArray[np.bool_]:
        column, threshold = self.column[inner], self.threshold[inner, None]
        there = values[column]
        passes = there < threshold if self.strict else there <= threshold
        unknown = np.isnan(values)
        if unknown.any():
            passes = np.where(unknown[column], self.missing[inner, None], passes)
        return np.asarray(passes, dtype=bool)

    @staticmethod
    def _contained(
        there: NDArray[np.float64], members: NDArray[np.bool_], sets: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        rest = members.shape[1] - 1
        known = (there >= 0) & (there < rest)  # false where missing
        places = np.where(known, there, rest).astype(np.int64)
        return np.asarray(members[sets[:, None], places], dtype=bool)
