"""The decisions of a model: its own where it has any, compared with those that its scores and threshold give.

Asking a model for decisions costs another prediction, so rows are compared that would show a difference: some
thousands, spread over the set and nearest to the threshold. Where they differ, all rows are asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.errors import ModelError, argument

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.data import Inputs
    from evenhand.findings import Batch
    from evenhand.subjects import Subject

Own: TypeAlias = "Callable[[Batch], NDArray[np.intp]]"

SPREAD: Final = 2_000
"""Rows evenly spaced over the set whose decisions are compared."""
NEAREST: Final = 1_000
"""Further rows, those with scores nearest to the threshold."""
ROUNDING: Final = 1e-9
"""Scores this near to the threshold, relative to its size, may lie on either side of it."""


def decided(subject: Subject, rows: Inputs, scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the decisions (n,) of two classes: 1 at or above the threshold, and as the model itself decides.

    Where its own decisions are those of another threshold, the subject takes that one.

    Raises
    ------
    ModelError
        When no threshold on the scores gives the model's own decisions.
    """
    threshold = float(subject.threshold)
    said = (scores >= threshold).astype(np.intp)
    own: Own | None = getattr(subject, "own_decisions", None)
    if own is None:
        return said
    distance = np.abs(scores - threshold)
    near, at = distance <= ROUNDING * max(1.0, abs(threshold)), _compared(distance)
    wrong = at[_ask(own, rows, at) != said[at]]
    if len(wrong) == 0:
        return said
    if near[wrong].all():
        said[near] = _ask(own, rows, np.flatnonzero(near))
        if not said[near].any() and not near.all():
            subject.settle(float(np.nextafter(scores[near].max(), np.inf)))  # type: ignore[attr-defined]
        return said
    said = _ask(own, rows, np.arange(len(scores)))
    subject.settle(_threshold(subject, scores, said))  # type: ignore[attr-defined]
    return said


def classes_decided(subject: Subject, rows: Inputs, scores: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the decisions (n,) of several classes: that of the largest score; of equal ones, as the model decides.

    Raises
    ------
    ModelError
        When the model itself decides for another class than that of its largest score.
    """
    said: NDArray[np.int32] = scores.argmax(axis=1).astype(np.int32)
    own: Own | None = getattr(subject, "own_decisions", None)
    if own is None:
        return said
    first, second = np.partition(scores, -2, axis=1)[:, -2:].T[::-1]
    near, at = first - second <= ROUNDING, _compared(first - second)
    wrong = at[_ask(own, rows, at) != said[at]]
    if not near[wrong].all():
        raise ModelError(
            f"Model '{subject.name}' decides for another class than that of its largest score, in {len(wrong):,} of "
            f"{len(at):,} rows that were compared. Pass {argument('score_kind', 'label')} to audit its decisions alone."
        )
    if len(wrong):
        said[near] = _ask(own, rows, np.flatnonzero(near))
    return said


def _threshold(subject: Subject, scores: NDArray[np.float64], own: NDArray[np.intp]) -> float:
    """Return the threshold that gives its own decisions: the one it names, else the least score decided for."""
    below = float(scores[own == 0].max(initial=-np.inf))
    above = float(scores[own == 1].min(initial=np.inf))
    if below - above > ROUNDING * max(1.0, abs(above)):
        wrong = int(((scores >= subject.threshold) != own).sum())
        raise ModelError(
            f"Model '{subject.name}' decides otherwise than its scores in {wrong:,} of {len(scores):,} rows, and no "
            f"threshold on them gives its decisions. Pass {argument('threshold')} to decide by its "
            f"scores, or {argument('score_kind', 'label')} to "
            "audit its decisions alone."
        )
    named = getattr(subject, "own_threshold", None)
    if named is not None and below < named <= above:
        return float(named)
    return above if np.isfinite(above) else float(np.nextafter(below, np.inf))


def _compared(distance: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the rows that are compared: evenly spaced ones, and the nearest ones."""
    rows = len(distance)
    if rows <= SPREAD + NEAREST:
        return np.arange(rows)
    spread = np.linspace(0, rows - 1, SPREAD).astype(np.intp)
    return np.union1d(spread, np.argpartition(distance, NEAREST)[:NEAREST])


def _ask(own: Own, rows: Inputs, at: NDArray[np.intp]) -> NDArray[np.intp]:
    asked = rows if len(at) == len(rows) else rows.take(at)
    said = [own(batch) for batch in asked.batches()]
    return said[0] if len(said) == 1 else np.concatenate(said)
