"""Turn a model's output into finite scores of the positive class, or raise why not."""

from __future__ import annotations

import math
import sys
from numbers import Real
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError, argument, quoted, shorten

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn, TypeVar

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.subjects.protocol import OutputKind, ScoreKind

    Entry = TypeVar("Entry", bound=np.generic)

ROUNDED: Final = 0.02
"""Probabilities of classes add up to 1 within this: half precision and whole-number arithmetic round so far."""
SURELY: Final = 1e-3
"""Numbers that add up to 1 within this in every row are probabilities."""
MANY: Final = 8
"""Rows from which on that is no chance."""
SIGMOID_OF_1: Final = 0.7310585786300049
"""The probability of a logit of 1."""


def answer_of(ask: Callable[..., object], given: object, name: str) -> object:
    """Return the output of any model.

    Raises ModelError with the error it raised, and where it hides numbers or names other rows than those it was given.
    """
    try:
        answer = ask(given)
    except ModelError:
        raise
    except (Exception, SystemExit) as problem:  # a model that ends the process would end an audit without a verdict
        raise ModelError(
            f"Model '{name}' could not predict these rows: {type(problem).__name__}: {shorten(problem, 300)}"
        ) from problem
    _refuse_masked(answer, name)
    _refuse_other_rows(given, answer, name)
    return answer


def _refuse_masked(answer: object, name: str) -> None:
    """Refuse a masked array, whose hidden numbers an array without a mask would show."""
    import numpy as np

    if isinstance(answer, np.ma.MaskedArray) and np.ma.is_masked(answer):
        hidden = int(np.ma.getmaskarray(answer).sum())
        raise ModelError(f"Model '{name}' returned a masked array that hides {hidden:,} of {answer.size:,} numbers.")


def _refuse_other_rows(given: object, answer: object, name: str) -> None:
    """Refuse a pandas answer whose index is neither that of the rows nor counted anew: its order may be another."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(given, pandas.DataFrame):
        return
    if not isinstance(answer, (pandas.Series, pandas.DataFrame)) or len(answer) != len(given):
        return
    if not answer.index.equals(given.index) and not answer.index.equals(pandas.RangeIndex(len(given))):
        raise ModelError(
            f"Model '{name}' returned pandas rows with another index than that of the rows it was given, so their "
            "order may be another: return them in the order of the rows, or as an array."
        )


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


def kind_of(raw: NDArray[np.generic], output: OutputKind) -> ScoreKind:
    """Return the kind of a network's scores: decisions where it gives whole numbers or booleans, else as declared."""
    if output == "ranking":
        return "ranking"
    return "probability" if raw.dtype.kind == "f" else "label"


def to_score(
    raw: object, output: OutputKind, rows: int, name: str, positive_index: int | None = None
) -> NDArray[np.float64]:
    """Return scores from a network's raw output, by its declared kind.

    A declared logit becomes a probability: 1 / (1 + exp(-z)) for one column, softmax for several.

    Raises ModelError when an output declared a probability is outside [0, 1], several columns do not add up to 1, or
    there are more than two and none was named; nothing is guessed.
    """
    import numpy as np

    values = _numbers(raw, name)
    one_a_row = values.ndim == 2 and len(values) == rows
    place = _positive_place(values.shape[1], output, name, positive_index) if one_a_row else 1
    scores = check_scores(values, rows, name, place)
    if np.asarray(raw).dtype.kind in "biu" and output != "ranking":
        return _decided(scores, output, name)
    several = values.ndim == 2 and values.shape[1] > 1
    if output == "ranking":
        return scores
    if output == "probability":
        return check_probabilities(_one_in_all(values, name)[:, place] if several else scores, name)
    if several:
        refuse_softmax(_finite(values, name), name)
        return np.asarray(np.exp(scores - np.logaddexp.reduce(values, axis=1)), dtype=np.float64)
    return sigmoid(scores)


def _positive_place(columns: int, output: OutputKind, name: str, told: int | None) -> int:
    """Return the column of the positive class; of two the second."""
    if told is None and (columns > 2 or (columns == 2 and output == "ranking")):
        what = "probability or a logit for either class" if output != "ranking" else "score"
        raise ModelError(
            f"Model '{name}' returned {columns} columns, and the label has two classes: one {what} is needed. "
            "Return that of the positive class alone."
        )
    return 1 if told is None else told


def _decided(scores: NDArray[np.float64], output: OutputKind, name: str) -> NDArray[np.float64]:
    """Return whole numbers or booleans as decisions, 0 or 1."""
    if output == "logit":
        raise ModelError(f"Model '{name}' was declared to return logits and returned whole numbers: these are none.")
    if ((scores != 0) & (scores != 1)).any():
        raise ModelError(
            f"Model '{name}' returned whole numbers from {scores.min():.4g} to {scores.max():.4g}: decisions are 0 and "
            '1. Return probabilities, or declare output="ranking" with a threshold on their own scale.'
        )
    return scores


def _one_in_all(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Return rows of probabilities of classes that add up to 1."""
    if abs(_finite(values, name).sum(axis=1) - 1).max(initial=0.0) > ROUNDED:
        raise ModelError(
            f"Model '{name}' returned rows that do not add up to 1, so they are no probabilities of classes. Declare "
            'what they are: output="logit", say.'
        )
    return check_probabilities(values, name)


def refuse_softmax(values: NDArray[np.float64], name: str) -> None:
    """Raise ModelError where declared logits (n, C) are probabilities: in [0, 1], adding up to 1 in each of many rows.

    Of few rows it may be by chance.
    """
    in_range = bool(((values >= 0) & (values <= 1)).all())
    if len(values) >= MANY and in_range and abs(values.sum(axis=1) - 1).max() <= SURELY:
        raise ModelError(
            f"Model '{name}' was declared to return logits, and its rows add up to 1, as probabilities do: their "
            'softmax would be another model. Declare output="probability".'
        )


def squashed(scores: NDArray[np.float64]) -> bool:
    """Whether scores made of logits are those of logits in [0, 1]: read so, probabilities select everybody.

    `scores`: those of all rows, shape (n,) or (n, labels), as some rows may be so by chance.
    """
    return len(scores) >= MANY and bool(scores.min() >= 0.5 and scores.max() <= SIGMOID_OF_1)


def refuse_squashed(rows: int, name: str) -> NoReturn:
    """Raise ModelError for declared logits that are all in [0, 1]."""
    raise ModelError(
        f"Model '{name}' was declared to return logits, and all of {rows:,} rows are in [0, 1], as probabilities are: "
        'read as logits they select everybody. Declare output="probability"; if they are logits indeed, '
        'output="ranking" with threshold=0 decides as they do.'
    )


def to_class_scores(raw: object, output: OutputKind, rows: int, name: str, exclusive: bool) -> NDArray[np.float64]:
    """Return (n, C) scores of classes, of which a row has one where `exclusive`, by the declared kind of output.

    Raises ModelError for another shape, numbers that are not finite, or probabilities outside [0, 1], or not adding up
    to 1.
    """
    values = _finite(_numbers(raw, name), name)
    if values.ndim != 2 or len(values) != rows:
        raise ModelError(f"Model '{name}' was given {rows:,} rows and returned {values.shape}, not one score a class.")
    if output == "logit" and exclusive:
        refuse_softmax(values, name)
        return softmax(values)
    if output == "logit":
        scores = sigmoid(values)
        return refuse_squashed(rows, name) if squashed(scores) else scores
    if output == "ranking":
        return values
    return _one_in_all(values, name) if exclusive else check_probabilities(values, name)


def to_numbers(raw: object, output: OutputKind, rows: int, name: str) -> NDArray[np.float64]:
    """Return one number a row, shape (n,), of a network for a regression or a ranking.

    Raises ModelError for another shape, several numbers a row, numbers that are not finite, or declared logits.
    """
    values = _numbers(raw, name)
    if output == "logit":
        raise ModelError(
            f"Model '{name}' was declared to return logits, and the label holds numbers: leave out output=."
        )
    if values.ndim == 2 and values.shape[1] > 1:
        raise ModelError(f"Model '{name}' returned {values.shape[1]} numbers a row, and the label has one.")
    return check_scores(values, rows, name)


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
            f'or a ranking score with a threshold on its own scale (score_kind="ranking", {argument("threshold")}).'
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
    if kind == "label" and ((scores != 0) & (scores != 1)).any():
        raise ModelError(f"Model '{name}' says that it gives decisions, and some of its scores are neither 0 nor 1.")
    if wrong := threshold_problem(threshold, kind):
        raise ModelError(f"Model '{name}': {wrong}")
    return scores


def threshold_problem(threshold: object, kind: str) -> str:
    """Return why nothing can be decided at a threshold on scores of a kind, or an empty string."""
    cut = _real(threshold)
    if not math.isfinite(cut):
        return f"the threshold is {quoted(threshold)}; it must be a finite number."
    if kind != "ranking" and not 0 <= cut <= 1:
        return f"the threshold is {cut:g}, and all scores in [0, 1] are on one side of it."
    return ""


def _real(value: object) -> float:
    """Return a number as a float; NaN where it is none, or too large."""
    try:
        return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        return math.nan


def _numbers(raw: object, name: str) -> NDArray[np.float64]:
    import numpy as np

    try:
        values = np.asarray(raw)
        if values.dtype.kind not in "cMm":  # numpy would drop the imaginary part with a warning, and count days
            return values.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        pass
    raise ModelError(f"Model '{name}' returned {quoted(raw)}, which is no array of numbers.")


def _finite(scores: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    import numpy as np

    missing, infinite = int(np.isnan(scores).sum()), int(np.isinf(scores).sum())
    if missing or infinite:
        raise ModelError(
            f"Model '{name}' returned {missing:,} NaN and {infinite:,} infinite of {scores.size:,} scores. "
            "A score must be a finite number; look for missing values in these rows of the table."
        )
    return scores
