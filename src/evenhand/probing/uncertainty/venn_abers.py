"""Venn-Abers predictors: two probabilities for each score, from isotonic regression with either truth added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["VennAbers"]


class VennAbers:
    """Inductive Venn-Abers predictor: see Vovk, Petej and Fedorova (2015), NeurIPS.

    Parameters
    ----------
    score : (n,) array
        Scores of rows whose truth is known.
    y_true : (n,) array of 0 and 1
        The truth.

    Examples
    --------
    >>> low, high = VennAbers([0.1, 0.4, 0.6, 0.9], [0, 0, 1, 1]).pair([0.5])
    >>> low.tolist(), high.tolist()
    ([0.0], [1.0])
    """

    def __init__(self, score: ArrayLike, y_true: ArrayLike) -> None:
        scores, true = np.asarray(score, dtype=np.float64), np.asarray(y_true, dtype=np.float64)
        order = np.argsort(scores, kind="stable")
        self._places, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
        hits = np.add.reduceat(true[order], first)
        rows = np.asarray(counts, dtype=np.float64)
        self._high = _with_a_positive(rows, hits)
        self._low = 1 - _with_a_positive(rows[::-1], (rows - hits)[::-1])[::-1]

    def pair(self, score: ArrayLike) -> tuple[Floats, Floats]:
        """Return the probabilities with the row itself added as a negative, and as a positive.

        Between two known scores they are that of the lower one as a negative, and that of the higher one as a positive.

        Parameters
        ----------
        score : (m,) array
            Scores.

        Returns
        -------
        low, high : (m,) arrays

        Examples
        --------
        >>> VennAbers([0.1, 0.9], [0, 1]).pair([0.95])[1].tolist()
        [1.0]
        """
        scores = np.asarray(score, dtype=np.float64)
        low = np.concatenate([[0.0], self._low])[np.searchsorted(self._places, scores, "right")]
        high = np.concatenate([self._high, [1.0]])[np.searchsorted(self._places, scores, "left")]
        return low, high

    def predict(self, score: ArrayLike) -> Floats:
        """Return one probability of each score, that of least loss in the worse of both cases.

        Parameters
        ----------
        score : (m,) array
            Scores.

        Examples
        --------
        >>> VennAbers([0.1, 0.4, 0.6, 0.9], [0, 0, 1, 1]).predict([0.5]).tolist()
        [0.5]
        """
        low, high = self.pair(score)
        return np.asarray(high / (1 - low + high))


def _with_a_positive(rows: Floats, hits: Floats) -> Floats:
    """Return at each place the isotonic fit there when one positive row is added to it (algorithms 1 and 2 there).

    The fit is the slope at the place of the greatest convex minorant of cumulative positives over cumulative rows.
    """
    points = [(0.0, 0.0), *zip(np.cumsum(rows).tolist(), np.cumsum(hits).tolist(), strict=True)]
    corners = [(-1.0, -1.0)]
    for point in points:
        while len(corners) > 1 and not _turns_left(corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    corners.reverse()
    fits = np.empty(len(rows))
    before = (-1.0, -1.0)
    for at, (point, last) in enumerate(zip(points[1:], points, strict=False)):
        top, following = corners[-1], corners[-2]
        fits[at] = (following[1] - top[1]) / (following[0] - top[0])
        before = (before[0] + point[0] - last[0], before[1] + point[1] - last[1])
        if _across(top, following, before) >= 0:
            continue
        corners.pop()
        while len(corners) > 1 and not _turns_left(before, corners[-1], corners[-2]):
            corners.pop()
        corners.append(before)
    return fits


def _across(start: tuple[float, float], end: tuple[float, float], point: tuple[float, float]) -> float:
    """Return how far a point is above the line through two others, times their distance."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


def _turns_left(one: tuple[float, float], two: tuple[float, float], three: tuple[float, float]) -> bool:
    return _across(one, two, three) > 0
