"""Whether an exported file answers as its model does, on every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.findings import Plain, Task

TOLERANCE: Final = 1e-6
"""By how much a probability may differ, or a number as a share of its size: rounding of float32 in another order."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How an exported file answered beside its model.

    See Also
    --------
    evenhand.compression.export_model : Compares them.
    """

    rows: int
    """Rows that both answered: all that were given."""
    largest: float
    """The largest difference of two scores; of numbers, as a share of the number where that is above 1."""
    tolerance: float
    """The largest that is allowed."""
    decisions_changed: int
    """Rows that are decided otherwise; 0, or nothing is exported."""

    def to_plain(self) -> dict[str, Plain]:
        """Return the figures as plain data."""
        return {
            "rows": self.rows,
            "largest_difference": self.largest,
            "tolerance": self.tolerance,
            "decisions_changed": self.decisions_changed,
        }


def compare(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    decided: NDArray[np.int64] | None,
    task: Task,
    threshold: float,
    tolerance: float,
) -> Compared:
    """Return how scores differ, and how many decisions do.

    Parameters
    ----------
    before, after : arrays
        Scores of the model and of the exported file, (n,) or (n, C).
    decided : array, optional
        (n,) the decisions that the file itself gives.
    task : Task
    threshold, tolerance : float

    Examples
    --------
    >>> scores = np.array([0.2, 0.6])
    >>> compare(scores, scores + 1e-9, None, "binary", 0.5, 1e-6).decisions_changed
    0
    """
    if before.shape != after.shape:
        raise ModelError(f"The exported file gives scores of shape {after.shape}, and the model {before.shape}.")
    size = 1.0 if task in ("binary", "multiclass") else np.maximum(1.0, np.abs(before))
    largest = float((np.abs(before - after) / size).max(initial=0.0))
    changed = 0
    if task in ("binary", "multiclass"):
        own, other = _decisions(before, threshold), _decisions(after, threshold)
        wrong = own != other
        if decided is not None:
            wrong |= own != decided
        changed = int(wrong.sum())
    return Compared(len(before), largest, tolerance, changed)


def refuse_difference(found: Compared, name: str) -> None:
    """Raise ModelError where a decision changed or a score differs by more than is allowed."""
    if found.decisions_changed or not found.largest <= found.tolerance:
        raise ModelError(
            f"'{name}' is not exported: of {found.rows:,} rows {found.decisions_changed:,} are decided otherwise by "
            f"the exported file, and scores differ by up to {found.largest:.3g} ({found.tolerance:.3g} is allowed as "
            "rounding). Nothing was written."
        )


def _decisions(scores: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    if scores.ndim > 1:
        return np.asarray(scores.argmax(axis=1), dtype=np.int64)
    return np.asarray(scores >= threshold, dtype=np.int64)
