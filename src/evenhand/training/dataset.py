"""Rows with their targets, and how they are served in batches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Inputs
    from evenhand.training.preparing import Preparing

MOST_KEPT: Final = 1 << 28
"""Most bytes of prepared rows kept in memory; above it, each batch is read and prepared on demand."""
Prepared: TypeAlias = "NDArray[np.float32] | PreparedRows"
"""Prepared rows (n, ...) in memory, or what makes them."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRows:
    """Rows that are read and prepared on access, like those of an array of any size."""

    inputs: Inputs
    """What is read."""
    preparing: Preparing
    """What is done to it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...)."""
        return (len(self), *self.preparing.shape)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.inputs)

    def __getitem__(self, rows: slice | list[int] | NDArray[np.intp]) -> NDArray[np.float32]:
        """Return these rows, prepared."""
        return self.preparing.transform(self.inputs.take(np.arange(len(self))[rows]).whole())

    def take(self, rows: NDArray[np.intp]) -> PreparedRows:
        """Return some of the rows; nothing is read."""
        return PreparedRows(self.inputs.take(rows), self.preparing)


def prepared(preparing: Preparing, data: EvaluationSet) -> Prepared:
    """Return the rows as a network takes them, in memory where they are not too many."""
    inputs = data.inputs_as(preparing.reads, "network")
    if 4 * len(inputs) * math.prod(preparing.shape) > MOST_KEPT:
        return PreparedRows(inputs, preparing)
    if inputs.kind == "table":
        return preparing.transform(inputs.whole())
    first, *more = (preparing.transform(batch) for batch in inputs.batches())
    return np.concatenate([first, *more]) if more else first


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Rows with their targets.

    Examples
    --------
    >>> rows = Dataset(np.zeros((4, 2), "float32"), np.ones(4, "float32"), np.ones(4, "float32"))
    >>> [len(part.target) for part in rows.hold_out(0.25, seed=0)]
    [3, 1]
    """

    columns: Prepared
    """(n, columns) prepared, or (n, ...) arrays."""
    target: NDArray[np.float32]
    """(n,) the label, or a teacher's probability, in [0, 1]; of several classes (n, C) their probabilities."""
    weight: NDArray[np.float32]
    """(n,) of mean 1."""
    members: NDArray[np.float32] | None = None
    """(n, F + 2) group in each sensitive feature, class, and weight in the rates, where gaps are made small."""

    def take(self, rows: NDArray[np.intp]) -> Dataset:
        """Return some of the rows."""
        columns = self.columns[rows] if isinstance(self.columns, np.ndarray) else self.columns.take(rows)
        members = None if self.members is None else self.members[rows]
        return Dataset(columns, self.target[rows], self.weight[rows], members)

    def hold_out(self, share: float, seed: int) -> tuple[Dataset, Dataset]:
        """Return the dataset without a random share of its rows, and that share; one row is both."""
        order = np.random.default_rng(seed).permutation(len(self.target))
        held = max(1, round(share * len(order)))
        return (self.take(order[held:]), self.take(order[:held])) if len(order) > 1 else (self, self)

    def answer(self) -> NDArray[np.float32]:
        """Return (n, 2) or (n, C + 1) target and weight, as the loss takes them; membership stands before them."""
        before = () if self.members is None else (self.members,)
        return np.column_stack([*before, self.target, self.weight])
