"""Whether a model still decides as the one it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenhand.errors import ModelError
from evenhand.subjects.outputs import decisions

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.subjects import Subject


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two models on the same rows."""

    share: float
    """The share of rows on which they decide the same."""
    largest_difference: float
    """The largest difference of two scores of one row."""
    rows: int
    """The rows both predicted."""


def agreement(one: Subject, other: Subject, X: pd.DataFrame) -> Agreement:
    """Compare two models' decisions, each at its own threshold or for the most probable class, and their scores."""
    import numpy as np

    first, second = one.predict(X), other.predict(X)
    same = decisions(first, one.threshold) == decisions(second, other.threshold)
    return Agreement(float(same.mean()), float(np.abs(first - second).max()), len(X))


def check_agreement(before: Subject, after: Subject, X: pd.DataFrame, *, step: str, floor: float) -> Agreement:
    """Return the agreement of a model with the one it was just made from.

    Raises
    ------
    ModelError
        When it lies below `floor`: the step broke the model.
    """
    found = agreement(before, after, X)
    if found.share < floor:
        raise ModelError(
            f"After {step} the model decides as before on only {found.share:.1%} of {found.rows:,} training rows "
            f"(scores differ by up to {found.largest_difference:.2g}); below {floor:.0%} the step counts as failed. "
            "Prune less, give more training rows, or leave the step out."
        )
    return found
