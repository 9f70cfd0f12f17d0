"""A subject that is checked, the rows that it is asked about, and what it said first."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pandas as pd

from evenhand.data import pick
from evenhand.evidence.predictions import Predictions, inputs, predict, reads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Batch
    from evenhand.subjects import Subject

SAME: Final = 1e-4
"""Scores of a row that differ by more than this share of their scale are not the same: rounding differs by less."""


class Asked:
    """A subject, the rows that it is asked about, and what it said first."""

    def __init__(self, subject: Subject, data: EvaluationSet, rows: int, seed: int) -> None:
        self.subject, self.data = subject, data
        self.at = np.sort(np.random.default_rng(seed).permutation(len(data))[:rows])
        self.rng = np.random.default_rng(seed)

    @cached_property
    def predictions(self) -> Predictions:
        """The predictions of all rows, as an audit makes them."""
        return predict(self.subject, self.data)

    @cached_property
    def batch(self) -> Batch:
        """The rows that are asked often."""
        return pick(inputs(self.subject, self.data), self.at)

    @cached_property
    def first(self) -> NDArray[np.float64]:
        """The first answer about them."""
        return self.again(self.batch)

    @cached_property
    def features(self) -> list[str] | None:
        """The columns that the subject declares; None where it names none, or reads no table."""
        named = self.subject.facts.get("features")
        table = reads(self.subject, self.data) == "table"
        return cast("list[str]", named) if table and isinstance(named, list) and named else None

    @property
    def table(self) -> pd.DataFrame | None:
        """The rows as the table they are; None for other inputs."""
        return self.batch if isinstance(self.batch, pd.DataFrame) else None

    def again(self, batch: Batch) -> NDArray[np.float64]:
        """Return the subject's answer, without its shape or type being believed."""
        return np.array(self.subject.predict(batch), dtype=np.float64)

    def differ(self, scores: NDArray[np.float64], expected: NDArray[np.float64] | None = None) -> int:
        """Return in how many rows scores are others than at first."""
        expected = self.first if expected is None else expected
        if scores.shape != expected.shape:
            return len(expected)
        scale = 1.0 if self.subject.score_kind != "ranking" and self.predictions.kind != "value" else np.ptp(expected)
        apart = ~np.isclose(scores, expected, rtol=0, atol=SAME * max(float(scale), 1e-12))
        return int(apart.reshape(len(apart), -1).any(axis=1).sum())
