"""Predictions without a model: all an audit needs when the model cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, ModelError
from evenhand.subjects.adapter import NOT_KNOWN, Adapter
from evenhand.subjects.outputs import check_probabilities, check_scores, default_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from evenhand.findings import Batch, Plain
    from evenhand.subjects.protocol import ScoreKind


class PredictionsSubject:
    """Scores or labels in the order of the rows.

    `scores`: scores, or labels 0 and 1 with ``score_kind="label"``; `name`: what the report calls them; `threshold`:
    0.5, or 0 for a ranking score, when not given; `score_kind`: the kind of scores; `other_decisions`: rows that were
    decided otherwise than their scores at the threshold are. Raises InputError when a score is
    not finite, a probability is outside [0, 1], or a label is neither 0 nor 1.
    """

    def __init__(
        self,
        scores: ArrayLike,
        *,
        name: str = "predictions",
        threshold: float | None = None,
        score_kind: ScoreKind = "probability",
        other_decisions: int = 0,
    ) -> None:
        self.name, self.other_decisions = name, other_decisions
        self.score_kind: ScoreKind = score_kind
        self.threshold = default_threshold(score_kind) if threshold is None else float(threshold)
        self.scores = _checked(scores, score_kind, name)

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Return the facts, which are unknown without a model."""
        others = {"other_decisions": self.other_decisions} if self.other_decisions else {}
        return {"kind": "predictions", "features": None, **others, **NOT_KNOWN}

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the stored scores; `batch` must be the table they were made from, in its order.

        Raises ModelError when `batch` has another number of rows, as it has when something needs predictions of
        changed rows.
        """
        if len(batch) != len(self.scores):
            raise ModelError(
                f"'{self.name}' holds {len(self.scores):,} predictions and was asked for {len(batch):,} rows. Without "
                "the model only the rows it was made from can be audited, all of them and in their order."
            )
        return self.scores.copy()


def _checked(scores: ArrayLike, kind: ScoreKind, name: str) -> NDArray[np.float64]:
    import numpy as np

    values = np.asarray(scores)
    try:
        checked = check_scores(values, len(values) if values.ndim else 0, name)
        if kind == "probability":
            check_probabilities(checked, name)
    except ModelError as problem:
        raise InputError(*problem.problems) from None
    if kind == "label" and not np.isin(checked, (0.0, 1.0)).all():
        raise InputError(f"'{name}' holds labels other than 0 and 1: {np.unique(checked)[:6].tolist()}.")
    return checked


ADAPTER: Final = Adapter(PredictionsSubject)
