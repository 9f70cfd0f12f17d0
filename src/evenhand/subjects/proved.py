"""What subjects share whose answers are proved: those that say nothing of themselves, such as functions."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from evenhand.subjects.proof import Proof
from evenhand.subjects.target import Declared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from evenhand.subjects.protocol import ScoreKind
    from evenhand.subjects.target import Decide, DeclaredKind, Target


class Proved:
    """A model whose output is what is declared of it, else what its answers show.

    `name`: what the report calls it; `features`: the columns of a table to hand over; the others are those of
    `as_subject`.
    """

    def __init__(
        self,
        name: str,
        features: Sequence[str] | None,
        threshold: float | None,
        positive: object,
        score_kind: DeclaredKind | None,
        decide: Decide | None,
    ) -> None:
        self.name = name
        self.features = None if features is None else tuple(features)
        self.declared = Declared(threshold, positive, "label" if decide is not None else score_kind, decide)
        self.proof = Proof(self.name, self.declared)

    def bound(self, target: Target) -> Self:
        """Return the same model, to be audited on a label of two classes."""
        twin = copy.copy(self)
        twin.proof = Proof(self.name, self.declared, target)
        return twin

    def declaring(self, declared: Declared) -> Self:
        """Return the same model with other declarations about its output."""
        twin = copy.copy(self)
        twin.declared = declared
        twin.proof = Proof(self.name, declared, self.proof.target if self.proof.bound else None)
        return twin

    @property
    def score_kind(self) -> ScoreKind:
        """As declared; else as seen in the last prediction, and a probability before that."""
        return self.proof.score_kind

    @property
    def threshold(self) -> float:
        """A score at or above it is predicted positive."""
        return self.proof.threshold
