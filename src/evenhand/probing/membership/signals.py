"""What a model answers for a row, as the confidence in the row's truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["confidence", "logit", "nearest"]

LEAST: Final = 1e-6
"""How near 0 and 1 a confidence may come before it has a logit."""


def confidence(
    y_true: NDArray[np.generic], y_score: Floats | None, y_pred: NDArray[np.generic], kind: str, threshold: float
) -> Floats:
    """Return the probability that a model gives to the truth of each row; of one that decides only, 1 or 0.

    Parameters
    ----------
    y_true : (n,) array of int
        The truth: 0 or 1, or positions of classes.
    y_score : (n,) or (n, C) array, optional
        Scores of the positive class, or of each class; None where there are decisions alone.
    y_pred : (n,) array of int
        The decisions.
    kind : "probability", "ranking" or "label"
        What the scores are. Those that rank only are put through the logistic function, on the scale of their
        quartiles around the threshold, which keeps their order.
    threshold : float
        A score at or above it is decided positive.

    Returns
    -------
    (n,) array in [0, 1]

    Examples
    --------
    >>> confidence(np.array([1, 0]), np.array([0.9, 0.2]), np.array([1, 0]), "probability", 0.5).tolist()
    [0.9, 0.8]
    """
    truth = np.asarray(y_true).astype(np.intp)
    if y_score is None or kind == "label":
        return np.asarray(np.asarray(y_pred) == truth, dtype=np.float64)
    scores = np.asarray(y_score, dtype=np.float64)
    if kind != "probability":
        scores = _squashed(scores, threshold)
    if scores.ndim == 1:
        return np.asarray(np.where(truth == 1, scores, 1 - scores))
    return np.asarray(scores[np.arange(len(truth)), truth])


def _squashed(scores: Floats, threshold: float) -> Floats:
    low, high = np.quantile(scores, [0.25, 0.75])
    scale = float(high - low) or 1.0
    if scores.ndim == 1:
        return np.asarray(1 / (1 + np.exp(-np.clip((scores - threshold) / scale, -50, 50))))
    raised = np.exp(np.clip((scores - scores.max(axis=1, keepdims=True)) / scale, -50, 0))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def nearest(*shares: Floats) -> float:
    """Return half of how near any confidence between 0 and 1 is to either, but no less than a millionth.

    A forest of 100 trees says 0.99 or 1 and nothing between: to take 1 for 1 - 1e-6 would make it a different answer
    altogether, and logits of such answers drown all others.

    Parameters
    ----------
    *shares : arrays in [0, 1]
        The confidences.

    Examples
    --------
    >>> nearest(np.array([0.0, 0.25, 1.0])), nearest(np.array([0.0, 1.0]))
    (0.125, 0.25)
    """
    distance = np.concatenate([np.minimum(share, 1 - share).ravel() for share in shares])
    inside = distance[distance > 0]
    return max(float(inside.min(initial=0.5)) / 2, LEAST)


def logit(share: Floats, least: float = LEAST) -> Floats:
    """Return the log odds of confidences, those nearer to 0 or 1 than `least` cut.

    Parameters
    ----------
    share : (n, ...) array in [0, 1]
        The confidences.
    least : float
        How near they may come.

    Examples
    --------
    >>> logit(np.array([0.5])).tolist()
    [0.0]
    """
    inside = np.clip(share, least, 1 - least)
    return np.asarray(np.log(inside) - np.log1p(-inside))
