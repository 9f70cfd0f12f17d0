"""What one row is answered, before it is written as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evenhand.serving.predicting.rows import Row


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one row is answered."""

    id: str
    """Its name in the log."""
    row: Row
    """What was asked."""
    score: float | None
    """The score of the positive class, or the predicted number; None of several classes."""
    scores: tuple[float, ...]
    """The score of each class, where there are several; else empty."""
    decision: str | None
    """What is decided; None of numbers."""
