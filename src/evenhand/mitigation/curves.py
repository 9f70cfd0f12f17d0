"""ROC points: what each threshold selects of each cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.mitigation.rates import weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.mitigation.rates import Cells

MOST_POINTS: Final = 400
"""Thresholds of a cell that are looked at: all of them where there are fewer, else evenly spaced over its rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The shares of a cell's positives and negatives at or above each threshold.

    Examples
    --------
    >>> import numpy as np
    >>> scores, truth = np.array([0.9, 0.4, 0.1]), np.array([1, 0, 0])
    >>> Curve.of(scores, truth, np.ones(3)).shares.tolist()
    [[0.0, 0.0], [1.0, 0.0], [1.0, 0.5], [1.0, 1.0]]
    """

    thresholds: NDArray[np.float64]
    """(p,) falling: above all scores first, at the least score last."""
    shares: NDArray[np.float64]
    """(p, 2) of positives, and of negatives."""

    @classmethod
    def of(cls, scores: NDArray[np.float64], truth: NDArray[np.int8], weight: NDArray[np.float64]) -> Curve:
        """Return the curve of rows.

        Parameters
        ----------
        scores, truth, weight : NDArray
            (n,) each.
        """
        order = np.argsort(-scores, kind="stable")
        ordered, counted, positive = scores[order], weight[order], truth[order] == 1
        last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        selected = np.stack([np.cumsum(counted * positive), np.cumsum(counted * ~positive)], axis=1)
        whole = np.maximum(selected[-1], np.finfo(float).tiny)
        # a threshold between two scores stands in their middle: no score of other rows is decided by rounding
        found = ordered[last]
        middle = np.append((found[:-1] + found[1:]) / 2, np.nextafter(found[-1], -np.inf))
        middle[:-1] = np.where(middle[:-1] <= found[:-1], middle[:-1], found[:-1])
        thresholds = np.append(np.nextafter(found[0], np.inf), middle)
        shares = np.vstack([[0.0, 0.0], selected[last] / whole])
        kept = _spread(shares, MOST_POINTS)
        return cls(thresholds[kept], shares[kept])

    @classmethod
    def at(
        cls,
        scores: NDArray[np.float64],
        truth: NDArray[np.int8],
        weight: NDArray[np.float64],
        thresholds: NDArray[np.float64],
    ) -> Curve:
        """Return the curve at given thresholds.

        Parameters
        ----------
        scores, truth, weight : NDArray
            (n,) each.
        thresholds : NDArray[np.float64]
            (p,) falling.
        """
        order = np.argsort(scores, kind="stable")
        parts = []
        for wanted in (1, 0):
            above = np.append(np.cumsum((weight * (truth == wanted))[order][::-1])[::-1], 0.0)
            parts.append(above / max(float(above[0]), np.finfo(float).tiny))
        place = np.searchsorted(scores[order], thresholds, side="left")
        return cls(thresholds, np.stack([part[place] for part in parts], axis=1))

    def hull(self) -> NDArray[np.intp]:
        """Return the points at the corners of the convex hull, of both its sides: mixing them gives all others."""
        upper, lower = (_chain(self.shares, side) for side in (1, -1))
        return np.unique(np.concatenate([upper, lower]))


def curves(rows: EvaluationSet, scores: NDArray[np.float64], cells: Cells, *, alike: bool = False) -> list[Curve]:
    """Return the curve of each cell, at its own thresholds or, `alike`, at those of all rows together.

    Parameters
    ----------
    rows : EvaluationSet
        The rows.
    scores : NDArray[np.float64]
        (n,) their scores.
    cells : Cells
        Their cells.
    alike : bool
        Whether all have the same thresholds.
    """
    weight = weights(rows)
    make = partial(Curve.at, thresholds=Curve.of(scores, rows.y_true, weight).thresholds) if alike else Curve.of
    parts = (cells.codes == at for at in range(len(cells)))
    return [make(scores[here], rows.y_true[here], weight[here]) for here in parts]


def shares_of(rows: EvaluationSet, decided: NDArray[np.float64], cells: Cells) -> NDArray[np.float64]:
    """Return (2 k,) which shares of each cell's positives, then of its negatives, are selected.

    Parameters
    ----------
    rows : EvaluationSet
        The rows.
    decided : NDArray[np.float64]
        (n,) decisions, or chances of positive ones.
    cells : Cells
        Their cells.
    """
    weight, found = weights(rows) * decided, []
    for truth, people in ((1, cells.positives), (0, cells.negatives)):
        there = np.bincount(cells.codes, weight * (rows.y_true == truth), len(cells))
        found.append(there / np.maximum(people, np.finfo(float).tiny))
    return np.concatenate(found)


def _spread(shares: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Return the points to keep: those of the hull, and others evenly spaced."""
    if len(shares) <= most:
        return np.arange(len(shares))
    corners = [_chain(shares, side) for side in (1, -1)]
    even = np.linspace(0, len(shares) - 1, most).round().astype(np.intp)
    return np.unique(np.concatenate([*corners, even]))


def _chain(shares: NDArray[np.float64], side: int) -> NDArray[np.intp]:
    """Return the corners of one side of the hull (Andrew 1979): 1 the upper, -1 the lower."""
    kept: list[int] = []
    for at in np.lexsort((side * shares[:, 0], shares[:, 1])):
        while len(kept) > 1 and side * _turn(shares[kept[-2]], shares[kept[-1]], shares[at]) >= 0:
            kept.pop()
        kept.append(int(at))
    return np.array(kept, dtype=np.intp)


def _turn(one: NDArray[np.float64], other: NDArray[np.float64], new: NDArray[np.float64]) -> float:
    """Return above 0 where the way turns left, seen with negatives to the right and positives upwards."""
    return float((other[1] - one[1]) * (new[0] - one[0]) - (other[0] - one[0]) * (new[1] - one[1]))
