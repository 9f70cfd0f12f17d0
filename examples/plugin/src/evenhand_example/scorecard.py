"""An adapter: score cards, which give points for the values of columns, become subjects of an audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.subjects.adapter import Adapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Plain
    from evenhand.subjects import ScoreKind


@dataclass(frozen=True)
class Scorecard:
    """Points for each value of each column; the model of this package."""

    points: Mapping[str, Mapping[object, float]]
    """Column, value, points; a value that is not here gets none."""
    passing: float
    """The sum of points from which on the decision is positive."""


class ScorecardSubject:
    """A score card under audit."""

    score_kind: ScoreKind = "ranking"

    def __init__(self, card: Scorecard, *, name: str | None = None, threshold: float | None = None) -> None:
        self.card, self.name = card, name or "score card"
        self.threshold = card.passing if threshold is None else threshold

    @property
    def facts(self) -> Mapping[str, Plain]:
        """The columns that it reads, and how many points it holds."""
        points = self.card.points
        return {"kind": "score card", "features": list(points), "parameters": sum(map(len, points.values()))}

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the sum of points of each row, shape (n,)."""
        columns = [X[column].map(points).fillna(0.0) for column, points in self.card.points.items()]
        return np.sum(columns, axis=0, dtype=np.float64)


ADAPTER = Adapter(ScorecardSubject, lambda model: isinstance(model, Scorecard))
