"""Scores of all rows that were followed in time, those censored before the horizon among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.evidence.predictions import ask, inputs
from evenhand.subjects.outputs import checked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.subjects import Subject


def followed_scores(subject: Subject, data: EvaluationSet, known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores of all rows that were followed; those of the rows of `data` are `known`.

    Raises
    ------
    ModelError
        As `predict`.
    """
    assert data.follow_up is not None  # only asked of sets that have it
    lost, scores = data.follow_up.unresolved, np.empty(len(data.follow_up.known))
    scores[data.follow_up.known] = known
    if len(lost):
        rest = ask(subject, inputs(subject, lost))
        checked(rest, len(lost), subject.name, subject.score_kind, float(subject.threshold))
        scores[~data.follow_up.known] = rest
    return scores
