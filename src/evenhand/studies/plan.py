"""What a study does, fixed before its first model is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet, Grouping
    from evenhand.studies.candidates import Candidate
    from evenhand.training import NetworkModel

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called for each model: its number, how many there are, and which it is."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study does; all of it is fixed before the first model is made.

    See Also
    --------
    evenhand.studies.study : Makes the models of one.
    """

    original: NetworkModel
    """The model to be made smaller; of the first seed, and what others are trained like."""
    candidates: tuple[Candidate, ...]
    """What is tried."""
    train: EvaluationSet
    """The rows it was trained on."""
    evaluation: EvaluationSet
    """The rows that models are compared on; never the training rows."""
    folder: Path
    """Where models and units are kept, so that a killed study can be resumed."""
    validation: EvaluationSet | None = None
    """Rows to stop training and fine-tuning by; a part of `train` when None."""
    seeds: int = 1
    """How often training and compression are repeated."""
    seed: int = 0
    """The first seed."""
    level: float = 0.95
    """Two-sided confidence of every interval."""
    intersections: int = 2
    """How many sensitive features are crossed at most."""
    footprint: bool = True
    """Whether latency is measured."""
    progress: Progress | None = None
    """Called for each model."""

    def say(self, done: int, total: int, text: str) -> None:
        """Report progress, if a callback is given."""
        if self.progress is not None:
            self.progress(done, total, text)

    @property
    def groupings(self) -> tuple[Grouping, ...]:
        """Each sensitive feature, then their crossings."""
        features = sorted(self.evaluation.roles.sensitive_features)
        depth = min(self.intersections, len(features))
        return tuple(
            self.evaluation.grouping(*columns)
            for size in range(1, depth + 1)
            for columns in combinations(features, size)
        )
