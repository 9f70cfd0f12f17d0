"""What a subject makes of moved rows: whether it decides rightly, and by what margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from evenhand.data import as_inputs
from evenhand.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.subjects import Subject

    Floats = NDArray[np.float64]
    Marks = NDArray[np.bool_]

Answer: TypeAlias = "Callable[[NDArray[Any], NDArray[Any]], tuple[Marks, Floats]]"
"""From rows (n, ...) and their truth (n,) to whether each is decided rightly, and by what margin."""


def answers_of(subject: Subject, several: bool) -> Answer:
    """Return the function that asks a subject about rows: batch by batch, by its own threshold or classes.

    Parameters
    ----------
    subject : Subject
        A model that reads arrays.
    several : bool
        Whether the label has several classes, whose scores it gives.

    Returns
    -------
    callable
        From rows (n, ...) and their truth (n,) to whether each is decided rightly, and by what margin.

    Raises
    ------
    ModelError
        When it is asked and gives no finite score of each row.

    Examples
    --------
    >>> from evenhand.subjects import as_subject
    >>> mean = answers_of(as_subject(lambda rows: rows.mean(axis=1)), several=False)
    >>> mean(np.array([[0.25, 0.5], [1.0, 1.0]]), np.array([1, 1]))[0].tolist()
    [False, True]
    """

    def answer(rows: NDArray[Any], truth: NDArray[Any]) -> tuple[Marks, Floats]:
        if not len(rows):
            return np.zeros(0, dtype=bool), np.zeros(0)
        parts = [np.asarray(subject.predict(batch), dtype=np.float64) for batch in as_inputs(rows).batches()]
        scores = np.concatenate(parts)
        if len(scores) != len(rows) or not np.isfinite(scores).all():
            raise ModelError(f"Model '{subject.name}' gave no finite score for each of {len(rows):,} moved rows.")
        return of_classes(scores, truth) if several else of_two(scores, truth, float(subject.threshold))

    return answer


def of_two(scores: Floats, truth: NDArray[Any], threshold: float) -> tuple[Marks, Floats]:
    """Return whether rows of two classes are decided rightly, and the margin of their scores to the threshold.

    Examples
    --------
    >>> right, margin = of_two(np.array([0.75, 0.25]), np.array([1, 1]), 0.5)
    >>> right.tolist(), margin.tolist()
    ([True, False], [0.25, -0.25])
    """
    positive = np.asarray(truth) == 1
    return (scores >= threshold) == positive, np.where(positive, scores - threshold, threshold - scores)


def of_classes(scores: Floats, truth: NDArray[Any]) -> tuple[Marks, Floats]:
    """Return whether rows of several classes are decided rightly, and the margin to the best other class.

    Examples
    --------
    >>> right, margin = of_classes(np.array([[0.5, 0.25, 0.25]]), np.array([1]))
    >>> right.tolist(), margin.tolist()
    ([False], [-0.25])
    """
    at = np.arange(len(scores))
    others = scores.copy()
    others[at, truth] = -np.inf
    return scores.argmax(axis=1) == truth, scores[at, truth] - others.max(axis=1)
