"""Turn a model's output into finite scores of the positive class, or raise why not."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING

from evenhand.errors import ModelError, shorten

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.subjects.protocol import OutputKind, ScoreKind

    Entry = TypeVar("Entry", bound=np.generic)


def answer_of(ask: Callable[..., object], given: object, name: str) -> object:
    """Return the output of any model; raise ModelError with the error it raised."""
    try:
        return ask(given)
    except ModelError:
        raise
    except Exception as problem:
        raise ModelError(
            f"Model '{name}' could not predict these rows: {type(problem).__name__}: {shorten(problem, 300)}"
        ) from problem


def check_scores(raw: object, rows: int, name: str, positive_index: int = 1) -> NDArray[np.float64]:
    """Return the score of the positive class, shape (n,).

    `raw`: shape (n,), (n, 1), or (n, classes) of which column `positive_index` is taken; `rows`: the number of rows
    that were put in; `name`: the model's name, for the sentences; `positive_index`: the column of the positive class.
    Raises ModelError for another length or shape, text, NaN or infinite scores (counted).
    """
    scores = pick_column(_numbers(raw, name), rows, name, positive_index)
    return _finite(scores, name)


def pick_column(values: NDArray[Entry], rows: int, name: str, positive_index: int | None) -> NDArray[Entry]:
    """Return one entry a row from shape (n,), (n, 1) or, where `positive_index` is a column, (n, classes)."""
    shape = "x".join(str(size) for size in values.shape) or "a single number"
    if values.ndim == 0 or values.shape[0] != rows:
        raise ModelError(
            f"Model '{name}' was given {rows:,} rows and returned {shape}: it must return one score a row."
        )
    if values.ndim == 1:
        return values
    if values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    if positive_index is None and values.ndim == 2:
        raise ModelError(f"Model '{name}' returned {values.shape[1]} columns: one label or number a row is meant.")
    if positive_index is not None and values.ndim == 2 and -values.shape[1] <= positive_index < values.shape[1]:
        return values[:, positive_index]
    raise ModelError(f"Model '{name}' returned an array of shape {shape}: (rows,) or (rows, classes) can be read.")


def one_column(raw: object, rows: int, name: str) -> NDArray[np.generic]:
    """Return one label a row, shape (n,), of any type.

    Raises ModelError for another length or shape.
    """
    import numpy as np

    return pick_column(np.asarray(raw), rows, name, None)


def to_score(raw: object, output: OutputKind, rows: int, name: str, positive_index: int = 1) -> NDArray[np.float64]:
    """Return scores from a network's raw output, by its declared kind.

    A declared logit becomes a probability: 1 / (1 + exp(-z)) for one column, softmax for several.

    Raises ModelError when an output declared a probability is outside [0, 1]; nothing is guessed.
    """
    import numpy as np

    if output != "logit":
        scores = check_scores(raw, rows, name, positive_index)
        return scores if output == "ranking" else check_probabilities(scores, name)
    values = _numbers(raw, name)
    logit = check_scores(values, rows, name, positive_index)
    if values.ndim == 2 and values.shape[1] > 1:
        _finite(values, name)
        return np.asarray(np.exp(logit - np.logaddexp.reduce(values, axis=1)), dtype=np.float64)
    return sigmoid(logit)


def to_class_scores(raw: object, output: OutputKind, rows: int, name: str, exclusive: bool) -> NDArray[np.float64]:
    """Return (n, C) scores of classes, of which a row has one where `exclusive`, by the declared kind of output.

    Raises ModelError for another shape, numbers that are not finite, or probabilities outside [0, 1], or not adding up
    to 1.
    """
    values = _finite(_numbers(raw, name), name)
    if values.ndim != 2 or len(values) != rows:
        raise ModelError(f"Model '{name}' was given {rows:,} rows and returned {values.shape}, not one score a class.")
    if output == "logit":
        return softmax(values) if exclusive else sigmoid(values)
    if output == "probability" and exclusive and abs(values.sum(axis=1) - 1).max(initial=0.0) > 1e-3:
        raise ModelError(
            f"Model '{name}' returned rows that do not add up to 1, so they are no probabilities of classes. Declare "
            'what they are: output="logit", say.'
        )
    return check_probabilities(values, name) if output == "probability" else values


def sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-z)) without overflow."""
    import numpy as np

    return np.asarray(np.exp(-np.logaddexp(0.0, -logit)), dtype=np.float64)


def decisions(scores: NDArray[np.float64], threshold: float) -> NDArray[np.intp]:
    """Return (n,) decisions: 1 at or above the threshold; of (n, C) probabilities the place of the largest."""
    import numpy as np

    return np.asarray(scores >= threshold if scores.ndim == 1 else scores.argmax(axis=1), dtype=np.intp)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exp(z) over the sum of its row, shape (n, classes), without overflow."""
    import numpy as np

    return np.asarray(np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)), dtype=np.float64)


def check_probabilities(scores: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Return the scores when all are in [0, 1].

    Raises ModelError otherwise; with the number outside, the extremes and the ways out.
    """
    outside = int(((scores < 0) | (scores > 1)).sum())
    if outside:
        raise ModelError(
            f"Model '{name}' returned {outside:,} of {len(scores):,} scores outside [0, 1] (from {scores.min():.4g} to "
            f'{scores.max():.4g}), so they are no probabilities. Declare what they are: a logit (score_kind="logit"), '
            'or a ranking score with a threshold on its own scale (score_kind="ranking", threshold=).'
        )
    return scores


def default_threshold(kind: ScoreKind) -> float:
    """Return 0 for a ranking score, as decision functions have it, and 0.5 otherwise."""
    return 0.0 if kind == "ranking" else 0.5


def checked(scores: NDArray[np.float64], rows: int, name: str, kind: str, threshold: float) -> NDArray[np.float64]:
    """Return the scores of a subject, shape (n,), as they are: the last look before decisions are made of them.

    Raises ModelError for another shape, NaN or infinite scores, those of probabilities or labels outside [0, 1], and a
    threshold at which nothing is decided.
    """
    if scores.shape != (rows,):
        raise ModelError(f"Model '{name}' answered with shape {scores.shape} for {rows:,} rows; needed is ({rows},).")
    _finite(scores, name)
    if kind != "ranking":
        check_probabilities(scores, name)
    if wrong := threshold_problem(threshold, kind):
        raise ModelError(f"Model '{name}': {wrong}")
    return scores


def threshold_problem(threshold: object, kind: str) -> str:
    """Return why nothing can be decided at a threshold on scores of a kind, or an empty string."""
    if isinstance(threshold, bool) or not isinstance(threshold, Real):
        return f"the threshold is {shorten(repr(threshold))}; it must be a number."
    cut = float(threshold)
    if not math.isfinite(cut):
        return f"the threshold is {cut:g}; it must be a finite number."
    if kind != "ranking" and not 0 <= cut <= 1:
        return f"the threshold is {cut:g}, and scores in [0, 1] lie all on one side of it."
    return ""


def _numbers(raw: object, name: str) -> NDArray[np.float64]:
    import numpy as np

    try:
        values = np.asarray(raw)
        if values.dtype.kind != "c":  # numpy would drop the imaginary part with a warning
            return values.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        pass
    raise ModelError(f"Model '{name}' returned {shorten(repr(raw))}, which is no array of numbers.")


def _finite(scores: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    import numpy as np

    missing, infinite = int(np.isnan(scores).sum()), int(np.isinf(scores).sum())
    if missing or infinite:
        raise ModelError(
            f"Model '{name}' returned {missing:,} NaN and {infinite:,} infinite of {scores.size:,} scores. "
            "A score must be a finite number; look for missing values in these rows of the table."
        )
    return scores
