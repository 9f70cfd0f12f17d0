"""Scores and decisions that someone else's model made, checked against the rows that they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.data.columns import matrix, one_column
from evenhand.data.transcripts import transcript_problems, transcripts
from evenhand.data.values import absence, coded, distinct, listed, match
from evenhand.errors import InputError, argument, parameter, raise_all, shorten
from evenhand.evidence.predictions import Predictions, of_task, outside_unit
from evenhand.metrics.values.transcripts import edits_of
from evenhand.subjects.outputs import threshold_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.evidence.predictions import ScoreKind


def given_of_task(
    data: EvaluationSet,
    y_pred: object,
    y_score: object,
    threshold: float | None = None,
    kind: ScoreKind | None = None,
) -> Predictions:
    """Return the predictions that someone else's model made for data of another task.

    Raises
    ------
    InputError
        When shapes do not fit, a decision is none of the classes, a number is not finite, scores of classes or labels
        are no probabilities, or a threshold is given where nothing is cut.
    """
    raise_all(InputError, _setting_problems(data, threshold, kind))
    if data.task == "transcription":
        return _heard(data, y_pred, y_score)
    if data.task in ("regression", "ranking"):
        if y_pred is not None and y_score is not None:
            raise InputError(f"{data.name}: numbers are given as y_pred and as y_score; give one of both.")
        what = "y_pred" if y_score is None else "y_score"
        numbers = _shaped(data, matrix(y_pred if y_score is None else y_score, (), f"{data.name}: {what}"), what)
        return of_task(data, numbers, "value")
    decided: NDArray[Any] | None = None
    if y_pred is not None and data.task == "multiclass":
        decided = _decided(data, one_column(y_pred, f"{data.name}: y_pred"))
    elif y_pred is not None:
        said = _shaped(data, matrix(y_pred, data.classes, f"{data.name}: y_pred"), "y_pred")
        if strange := int((~np.isin(said, (0, 1))).sum()):
            raise InputError(f"{data.name}: y_pred is neither 0 nor 1 in {strange:,} places. Scores belong in y_score.")
        decided = said
    if y_score is None:
        assert decided is not None  # one of both was required before
        values = np.eye(len(data.classes))[decided] if data.task == "multiclass" else decided
        return of_task(data, values, "label", decided)
    scores = _shaped(data, matrix(y_score, data.classes, f"{data.name}: y_score"), "y_score")
    raise_all(InputError, probability_problems(f"{data.name}: y_score", scores, data.task, kind))
    if decided is not None and data.task == "multilabel":
        _refuse_other_decisions(data.name, scores, decided, threshold)
    return of_task(data, scores, kind or "probability", decided, 0.5 if threshold is None else float(threshold))


def _heard(data: EvaluationSet, y_pred: object, y_score: object) -> Predictions:
    """Return the edits between what was said and what was heard, (n, 8)."""
    if y_pred is None or y_score is not None:
        raise InputError(f"{data.name}: what was heard is a text, in {parameter('y_pred')}; leave scores out.")
    column = one_column(y_pred, f"{data.name}: y_pred")
    raise_all(InputError, filter(None, [_length_problem(data, "y_pred", len(column))]))
    raise_all(InputError, transcript_problems(f"{data.name}: {parameter('y_pred')}", column))
    said = transcripts(data.table[data.roles.label], data.spelling)
    counts = edits_of(said, transcripts(column, data.spelling))
    return Predictions(data.y_true, None, counts, float("nan"), "value")


def _setting_problems(data: EvaluationSet, threshold: float | None, kind: ScoreKind | None) -> Iterator[str]:
    several = data.task == "multilabel"
    if threshold is not None and not several:
        yield f"{data.name}: nothing is cut at a threshold where the label is one of {data.task}; leave it out."
    if kind is not None and not (several and kind in ("probability", "ranking")):
        yield f"{data.name}: score_kind={kind!r} is not for {data.task}; leave it out."
    if several and (threshold is not None or kind == "ranking"):
        if threshold is None:
            yield f"{data.name}: ranking scores need a threshold on their own scale ({argument('threshold')})."
        elif wrong := threshold_problem(threshold, kind or "probability"):
            yield f"{data.name}: {wrong}"


def _shaped(data: EvaluationSet, values: NDArray[np.float64], what: str) -> NDArray[np.float64]:
    """Return numbers of the shape that the task needs, all finite."""
    wanted = (len(data),) if data.task in ("regression", "ranking") else (len(data), len(data.classes))
    if values.shape == (len(data), 1) != wanted:
        values = values[:, 0]
    if values.shape != wanted:
        raise InputError(f"{data.name}: {what} has the shape {values.shape}; needed is {wanted}.")
    if broken := int((~np.isfinite(values)).sum()):
        raise InputError(f"{data.name}: {what} is no finite number in {broken:,} of {values.size:,} places.")
    return values


def probability_problems(
    what: str, scores: NDArray[np.float64], task: str, kind: ScoreKind | None = None
) -> Iterator[str]:
    """Yield why finite scores (n, C) of several classes or labels are no probabilities."""
    if kind == "ranking":
        return
    if outside := outside_unit(scores):
        yield (
            f"{what} is outside [0, 1] in {outside:,} of {scores.size:,} places, as logits do. Pass probabilities, "
            f"or the decisions as {parameter('y_pred')}."
        )
    elif task == "multiclass":
        sums = scores.sum(axis=1)
        apart = np.abs(sums - 1) > max(0.01, 0.0005 * scores.shape[1])
        if apart.any():
            yield (
                f"{what} of all classes does not add up to 1 in {int(apart.sum()):,} of {len(scores):,} rows (to "
                f"{sums[apart][0]:.4g} in the first). Pass probabilities, or the decisions as {parameter('y_pred')}."
            )


def given(
    data: EvaluationSet,
    y_pred: object,
    y_score: object,
    *,
    threshold: float | None = None,
    kind: ScoreKind | None = None,
) -> Predictions:
    """Return the predictions that someone else's model made for the rows of `data`.

    Parameters
    ----------
    data : EvaluationSet
        The rows.
    y_pred : (n,), optional
        Decisions in the labels of the truth; made from scores and threshold when absent.
    y_score : (n,), optional
        Scores of the positive class.
    threshold : float, optional
        0.5 for probabilities when absent; ranking scores without decisions need one.
    kind : {"probability", "ranking"}, optional
        What the scores are. By default, those outside [0, 1] rank where the threshold is not a
        probability, and are refused otherwise.

    Raises
    ------
    InputError
        All problems of both columns together.
    """
    if kind not in (None, "probability", "ranking"):
        raise InputError(f'{data.name}: score_kind takes "probability" or "ranking", not {kind!r}.')
    if threshold is not None and (wrong := threshold_problem(threshold, "ranking")):
        raise InputError(f"{data.name}: {wrong}")
    column = None if y_pred is None else one_column(y_pred, f"{data.name}: y_pred")
    scores = None if y_score is None else matrix(y_score, (), f"{data.name}: y_score")
    inferred = kind is None
    if kind is None:
        own_scale = threshold is not None and not 0 < threshold < 1 and scores is not None and outside_unit(scores)
        kind = "ranking" if own_scale else "probability"  # no probability is cut there
    raise_all(InputError, _given_problems(data, column, scores, threshold, kind))
    cut = 0.5 if threshold is None else float(threshold)
    if column is None:
        assert scores is not None  # one of both was required above
        if inferred and kind == "ranking" and not scores.min() < cut <= scores.max():
            raise InputError(
                f"{data.name}: the threshold is {cut:g} and y_score is from {scores.min():g} to {scores.max():g}, so "
                f"that all rows are decided alike. Give one on their scale, or say {argument('score_kind', 'ranking')}."
            )
        return Predictions(data.y_true, scores, (scores >= cut).astype(np.int8), cut, kind)
    decided = _decided(data, column).astype(np.int8)
    if scores is not None:
        _refuse_other_decisions(data.name, scores, decided, threshold)
    return Predictions(data.y_true, scores, decided, cut, "label" if scores is None else kind)


def _refuse_other_decisions(
    name: str, scores: NDArray[np.float64], decided: NDArray[Any], threshold: float | None
) -> None:
    """Refuse decisions that are given with a threshold and differ from those of the scores at it."""
    if threshold is None:
        return
    differ = int((((scores >= threshold) != decided) & (scores != threshold)).sum())
    if differ:
        raise InputError(
            f"{name}: y_pred differs from y_score at the threshold {threshold:g} in {differ:,} of {decided.size:,} "
            "decisions. Leave the threshold away to audit y_pred as it is, or y_pred to decide by the scores."
        )


def _given_problems(
    data: EvaluationSet,
    y_pred: pd.Series | None,
    scores: NDArray[np.float64] | None,
    threshold: float | None,
    kind: ScoreKind,
) -> Iterator[str]:
    if y_pred is None and scores is None:
        yield f"{data.name}: neither decisions nor scores are given; an audit needs one of them."
    for what, column in (("y_pred", y_pred), ("y_score", scores)):
        if column is not None and (wrong := _length_problem(data, what, len(column))):
            yield wrong
            return
    if y_pred is not None:
        yield from _decision_problems(data, y_pred)
    if scores is not None:
        yield from _score_problems(data.name, scores, threshold if y_pred is None else 0.5, kind)


def _length_problem(data: EvaluationSet, what: str, rows: int) -> str:
    if rows == len(data):
        return ""
    return f"{data.name}: {what} has {rows:,} rows and y_true has {len(data):,}; they must be equal."


def _decided(data: EvaluationSet, column: pd.Series) -> NDArray[np.intp]:
    """Return the place of each decision in the classes of the label.

    Raises
    ------
    InputError
        When one is none of them.
    """
    if wrong := _length_problem(data, "y_pred", len(column)):
        raise InputError(wrong)
    raise_all(InputError, _decision_problems(data, column))
    codes, found = coded(column)
    known = list(data.classes)
    places = [known.index(match(value, known)) for value in found]
    return codes if places == list(range(len(places))) else np.asarray(places, dtype=np.intp)[codes]


def _decision_problems(data: EvaluationSet, column: pd.Series) -> Iterator[str]:
    yield from absence(f"{data.name}: {parameter('y_pred')} has", column)
    strange = next((value for value in distinct(column) if match(value, data.classes) is None), None)
    if strange is not None:
        way = f" Scores belong in {parameter('y_score')}." if isinstance(strange, float) else ""
        yield (
            f"{data.name}: {parameter('y_pred')} holds {strange!r}, which is no value of the label "
            f"({shorten(listed(data.classes), 200)}).{way}"
        )


def _score_problems(name: str, scores: NDArray[np.float64], threshold: float | None, kind: ScoreKind) -> Iterator[str]:
    broken, rows = int((~np.isfinite(scores)).sum()), len(scores)
    where, on_scale = f"{name}: {parameter('y_score')} is", f"a threshold on their own scale ({argument('threshold')}"
    if broken:
        yield f"{where} no finite number in {broken:,} of {rows:,} rows. Mend or drop the rows."
    outside = outside_unit(scores)
    if outside and kind == "probability":
        yield (
            f"{where} outside [0, 1] in {outside:,} of {rows:,} rows. If they only rank, give {on_scale}, and "
            f"{argument('score_kind', 'ranking')}); calibration is then not applicable."
        )
    if kind == "ranking" and threshold is None:
        yield f"{name}: ranking scores need {on_scale}); from it on a row is predicted positive."
    elif threshold is not None and not outside and (wrong := threshold_problem(threshold, kind)):
        yield f"{name}: {wrong}"
