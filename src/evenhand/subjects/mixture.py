"""Several models, each with a weight: a row's score is the weight of those that decide for it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import ModelError
from evenhand.subjects.adapter import NOT_KNOWN
from evenhand.subjects.binding import bound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.protocol import ScoreKind, Subject
    from evenhand.subjects.target import Target


class Mixture:
    """A lottery of models: the score is the chance that the model drawn decides for the row.

    `members`: the models; `weights`: the chance of each, which add up to 1; `name`: what the report calls it. Raises
    ModelError when there are none, or the weights are no chances.
    """

    def __init__(self, members: Sequence[Subject], weights: Sequence[float], name: str) -> None:
        self.members, self.weights, self.name = tuple(members), tuple(map(float, weights)), name
        added = sum(self.weights)
        if not self.members or len(self.members) != len(self.weights) or min(self.weights) < 0 or added <= 0:
            raise ModelError(f"'{name}': a mixture has models, and of each a weight that is 0 or more.")
        self.weights = tuple(weight / added for weight in self.weights)
        self.threshold = 0.5
        self.score_kind: ScoreKind = "probability"
        self.reads: Reads | None = getattr(self.members[0], "reads", "table")

    @property
    def facts(self) -> Mapping[str, Plain]:
        """What the members are, and their weights."""
        first = self.members[0].facts
        return {
            **NOT_KNOWN,
            "kind": first.get("kind"),
            "class": first.get("class"),
            "features": first.get("features"),
            "members": len(self.members),
            "weights": list(self.weights),
        }

    def bound(self, target: Target) -> Mixture:
        """Return the same mixture, to be audited on a label."""
        twin = copy.copy(self)
        twin.members = tuple(bound(member, target) for member in self.members)
        return twin

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the weight of the members that decide for each row."""
        found = np.zeros(len(batch))
        for member, weight in zip(self.members, self.weights, strict=True):
            scores = member.predict(batch)
            found += weight * (scores >= member.threshold)
        return np.asarray(np.clip(found, 0.0, 1.0))
