"""How well a column tells the groups: its values are put in order once, and all groups are counted in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pandas as pd

from evenhand.explaining.dependence import is_number
from evenhand.metrics.counts.score_tally import ScoreTally
from evenhand.metrics.values.ranking_curves import roc_auc_of_tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]

FOLDS: Final = 5
BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Predictability:
    """How well a column predicts one group against all others."""

    auc: float
    """The area under the ROC curve, at least 0.5: 0.5 is chance, 1 is certainty."""
    low: float
    """The low end of its interval."""
    high: float
    """The high end."""


class Telling:
    """A column whose values may tell a group.

    A number is taken as it is. A category is taken by the share of the group among the rows of its value in other
    folds, so that a column of many values is not memorized.

    Parameters
    ----------
    column : (n,) Series
    seed : int
        Seed of the folds.

    Examples
    --------
    >>> Telling(pd.Series([1.0, 2.0, 3.0, 4.0])).predicts(np.array([False, False, True, True])).auc
    1.0
    """

    def __init__(self, column: pd.Series, seed: int = 0) -> None:
        self.number = is_number(column)
        if self.number:
            known, at = np.unique(_numbers(column), return_inverse=True)
            self._order, cells = np.arange(len(known), dtype=np.int64), at
        else:
            codes = pd.factorize(column)[0] + 1
            fold = np.random.default_rng(seed).integers(0, FOLDS, len(codes))
            self._values = int(codes.max(initial=0)) + 1
            cells = fold * self._values + codes
            self._order = np.arange(FOLDS * self._values)
        self._cells = np.asarray(cells, dtype=np.int64)
        """(n,) the place of each row: of its number in order, or of its fold and value."""
        self._rows = np.bincount(self._cells, minlength=len(self._order)).astype(np.int64)

    def predicts(self, member: NDArray[np.bool_], level: float = 0.95) -> Predictability | None:
        """Return how well it predicts a group; None where the group or the rest has no row.

        Parameters
        ----------
        member : (n,) array of bool
            Which rows are of the group.
        level : float
            Two-sided confidence of its interval.
        """
        hits = np.bincount(self._cells[member], minlength=len(self._rows)).astype(np.int64)
        if not 0 < hits.sum() < len(member):
            return None
        counts = np.column_stack([self._rows - hits, hits])
        scores, at = (self._order, self._order) if self.number else self._shares(hits)
        if not self.number:
            counts = np.column_stack([_summed(at, counts[:, side], len(scores)) for side in range(2)])
        blocks = np.zeros(len(scores), dtype=np.int64)
        found = roc_auc_of_tally(ScoreTally(blocks, scores.astype(np.float64), counts, 1), level)
        area, low, high = float(found.estimate[0]), float(found.low[0]), float(found.high[0])
        return Predictability(area, low, high) if area >= 0.5 else Predictability(1 - area, 1 - high, 1 - low)

    def shares(self, codes: NDArray[np.integer], groups: int) -> float:
        """Return its mutual information with the groups in bits, less what chance adds (Miller 1955).

        Parameters
        ----------
        codes : (n,) integer array
            The group of each row.
        groups : int
            The number of groups.
        """
        kinds = self._kinds()
        table = np.bincount(kinds * groups + codes, minlength=(kinds.max() + 1) * groups).reshape(-1, groups)
        table = table[table.sum(axis=1) > 0]
        joint = table / table.sum()
        expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            plain = float(np.nansum(np.where(joint > 0, joint * np.log2(joint / expected), 0.0)))
        chance = (len(table) - 1) * (int((table.sum(axis=0) > 0).sum()) - 1) / (2 * np.log(2) * table.sum())
        return float(max(plain - chance, 0.0))

    def _kinds(self) -> Ints:
        """Return (n,) the bin of each number: its value where there are few, else a tenth of the rows; ties share one.

        A value is binned by the middle of the ranks of its rows, so that a frequent value never draws others to it.
        """
        if not self.number:
            return self._cells % self._values
        if len(self._rows) <= BINS:
            return self._cells
        middle = (np.cumsum(self._rows) - self._rows / 2) / len(self._cells)
        return np.asarray(np.floor(middle * BINS), dtype=np.int64)[self._cells]

    def _shares(self, hits: Ints) -> tuple[Floats, Ints]:
        """Return the distinct shares of a group by value in other folds, in order, and the place of each cell's."""
        rows, found = self._rows.reshape(FOLDS, -1), hits.reshape(FOLDS, -1)
        other_rows, other_hits = rows.sum(axis=0) - rows, found.sum(axis=0) - found
        with np.errstate(invalid="ignore"):  # few rows may all be in one fold
            share = other_hits.sum(axis=1, keepdims=True) / other_rows.sum(axis=1, keepdims=True)
        # an unseen value gets the overall share, a rare one is shrunk to it
        scores, at = np.unique((other_hits + share) / (other_rows + 1), return_inverse=True)
        return scores, at.ravel()


def _numbers(column: pd.Series) -> Floats:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nanmin(values) - 1 if np.isfinite(values).any() else 0.0)


def _summed(at: Ints, counts: Ints, size: int) -> Ints:
    return np.bincount(at, weights=counts, minlength=size).astype(np.int64)
