"""Rates that are linear in what a threshold does to each group: shares of its positives and negatives selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A number ``constant + weights @ x``: x holds each cell's share of positives selected, then of negatives."""

    constant: float
    """What it is where nobody is selected."""
    weights: NDArray[np.float64]
    """(2 k,) what each share adds."""

    def __sub__(self, other: Linear) -> Linear:
        return Linear(self.constant - other.constant, self.weights - other.weights)

    def times(self, factor: float) -> Linear:
        """Return it multiplied by a number.

        Parameters
        ----------
        factor : float
            The number.
        """
        return Linear(self.constant * factor, self.weights * factor)

    def at(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (...,) its values.

        Parameters
        ----------
        shares : NDArray[np.float64]
            (..., 2 k) shares selected.
        """
        return np.asarray(self.constant + shares @ self.weights)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The smallest groups that rules may tell apart, and how many people of each truth they have.

    Examples
    --------
    >>> import evenhand as eh
    >>> cells = Cells.of(eh.load_loanapp(), ("race",))
    >>> len(cells), int(cells.positives.sum() + cells.negatives.sum())
    (3, 1971)
    """

    columns: tuple[str, ...]
    """The features that make them."""
    codes: NDArray[np.int32]
    """(n,) the cell of each row."""
    labels: tuple[tuple[str, ...], ...]
    """The groups of each cell, as findings name them."""
    positives: NDArray[np.float64]
    """(k,) people whose truth is positive, by weight."""
    negatives: NDArray[np.float64]
    """(k,) the others."""

    @classmethod
    def of(cls, rows: EvaluationSet, columns: tuple[str, ...]) -> Cells:
        """Return the cells of some features.

        Parameters
        ----------
        rows : EvaluationSet
            The rows.
        columns : tuple of str
            The features; none makes one cell of all rows.
        """
        weight = weights(rows)
        if columns:
            grouping = rows.grouping(*columns)
            codes, labels = grouping.codes, grouping.labels
        else:
            codes, labels = np.zeros(len(rows), dtype=np.int32), ((),)
        sums = [np.bincount(codes, weight * (rows.y_true == truth), len(labels)).astype(np.float64) for truth in (1, 0)]
        return cls(columns, codes, labels, *sums)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.labels)

    def members(self, groups: Mapping[str, str | None]) -> NDArray[np.bool_]:
        """Return (k,) which cells belong to groups of some features.

        Parameters
        ----------
        groups : mapping
            Of features the group.
        """
        found = np.ones(len(self), dtype=bool)
        for column, group in groups.items():
            at = self.columns.index(column)
            found &= np.array([label[at] == group for label in self.labels])
        return found

    def rate(self, name: str, members: NDArray[np.bool_]) -> Linear | None:
        """Return a rate of some cells together; None where it is undefined, or no such rate.

        Parameters
        ----------
        name : str
            Of the metric.
        members : NDArray[np.bool_]
            (k,) which cells.
        """
        if name == "balanced_accuracy":
            parts = [self.rate(part, members) for part in ("recall", "specificity")]
            if parts[0] is None or parts[1] is None:
                return None
            return Linear((parts[0].constant + parts[1].constant) / 2, (parts[0].weights + parts[1].weights) / 2)
        known = METRICS.get(name)
        if known is None or not linear(name):
            return None
        above, below = known.numerator, known.denominator
        truths = {1: self.positives * members, 0: self.negatives * members}
        size = sum(float(truths[truth].sum()) for truth in {truth for truth, _ in below})
        if size <= 0:
            return None
        constant, found = 0.0, np.zeros(2 * len(self))
        for truth, decision in above:
            here = slice(0, len(self)) if truth == 1 else slice(len(self), None)
            constant += 0.0 if decision else float(truths[truth].sum()) / size
            found[here] += (1 if decision else -1) * truths[truth] / size
        return Linear(constant, found)


def linear(name: str) -> bool:
    """Return whether no threshold changes a rate's denominator.

    Parameters
    ----------
    name : str
        Of the metric.

    Examples
    --------
    >>> linear("recall"), linear("precision"), linear("roc_auc")
    (True, False, False)
    """
    known = METRICS.get(name)
    below = () if known is None else known.denominator
    return bool(below) and {(truth, 1 - decision) for truth, decision in below} == set(below)


def weights(rows: EvaluationSet) -> NDArray[np.float64]:
    """Return (n,) what each row counts for.

    Parameters
    ----------
    rows : EvaluationSet
        The rows.
    """
    found = np.ones(len(rows))
    for part in (rows.sample_weight, rows.frequency):
        if part is not None:
            found = found * part
    return found
