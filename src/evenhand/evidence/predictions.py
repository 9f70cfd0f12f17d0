"""Scores and decisions of one model on one evaluation set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from evenhand.data.batches import as_array
from evenhand.data.inputs import as_inputs
from evenhand.data.values import absence, distinct
from evenhand.errors import InputError, ModelError, did_you_mean, raise_all
from evenhand.evidence.own_decisions import classes_decided, decided
from evenhand.subjects import reads_of
from evenhand.subjects.outputs import answer_of, checked, refuse_squashed, squashed, threshold_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from evenhand.data import EvaluationSet, Inputs
    from evenhand.findings import Reads
    from evenhand.subjects import Subject

ScoreKind: TypeAlias = Literal["probability", "ranking", "label", "value"]


@dataclass(frozen=True, slots=True)
class Predictions:
    """The predictions of a subject for an evaluation set."""

    y_true: NDArray[Any]
    """(n,) 1 = positive; for other tasks as in `EvaluationSet.y_true`."""
    y_score: NDArray[np.float64] | None
    """(n,) scores of the positive class, or (n, C) of each class; None when the subject gives decisions only."""
    y_pred: NDArray[Any]
    """(n,) decisions, 1 = predicted positive; or classes, numbers, (n, L) labels."""
    threshold: float
    """A score at or above it is predicted positive; nan where nothing is cut."""
    kind: ScoreKind
    """``probability`` in [0, 1]; ``ranking`` on any scale; ``label`` for decisions; ``value`` for numbers."""


def predict(subject: Subject, data: EvaluationSet) -> Predictions:
    """Let `subject` predict `data`, once, and check its scores.

    Raises
    ------
    ModelError
        When the result has another length, has NaN or infinite scores, or scores outside [0, 1] of a subject that
        claims probabilities.
    InputError
        When the data lack a column that the subject needs.
    """
    if data.task != "binary":
        return answers(subject, data)
    rows = inputs(subject, data)
    scores = ask(subject, rows)
    checked(scores, len(data), subject.name, subject.score_kind, float(subject.threshold))
    if squashed(scores) and subject.facts.get("output") == "logit":
        refuse_squashed(len(scores), subject.name)
    y_pred = decided(subject, rows, scores).astype(np.int8)
    kind: ScoreKind = subject.score_kind
    return Predictions(data.y_true, None if kind == "label" else scores, y_pred, float(subject.threshold), kind)


def proven(subject: Subject, data: EvaluationSet) -> Subject:
    """Return the subject, bound to the label of `data`.

    Raises
    ------
    ModelError
        When its kind or its classes say that it does not predict that label.
    """
    from evenhand.subjects.binding import bound
    from evenhand.subjects.target import Target

    return bound(subject, Target(data.task, tuple(data.classes)))


def answers(subject: Subject, data: EvaluationSet) -> Predictions:
    """Let `subject` predict `data` of another task: one number a row, or one column a class or label.

    Raises
    ------
    ModelError
        When the result has another shape, or has NaN or infinite numbers.
    """
    rows = inputs(subject, data)
    values = ask(subject, rows)
    wanted = (len(data),) if data.task in ("regression", "ranking") else (len(data), len(data.classes))
    if values.shape != wanted:
        raise ModelError(f"The model '{subject.name}' answered with shape {values.shape}; needed is {wanted}.")
    broken = int((~np.isfinite(values)).sum())
    if broken:
        raise ModelError(f"The model '{subject.name}' gave {broken:,} values that are no finite numbers.")
    found = of_task(data, values, subject.score_kind)
    return replace(found, y_pred=classes_decided(subject, rows, values)) if data.task == "multiclass" else found


def of_task(data: EvaluationSet, values: NDArray[np.float64], kind: ScoreKind) -> Predictions:
    """Return predictions from numbers (n,) or from one column a class or label."""
    if data.task in ("regression", "ranking"):
        return Predictions(data.y_true, None, values, float("nan"), "value")
    scores = values if kind != "label" else None
    if data.task == "multilabel":
        return Predictions(data.y_true, scores, (values >= 0.5).astype(np.int8), 0.5, kind)
    return Predictions(data.y_true, scores, values.argmax(axis=1).astype(np.int32), float("nan"), kind)


def given_of_task(data: EvaluationSet, y_pred: object, y_score: object) -> Predictions:
    """Return the predictions that someone else's model made for data of another task.

    Raises
    ------
    InputError
        When shapes do not fit, a decision is none of the classes, or a number is not finite.
    """
    import pandas as pd

    if y_score is not None:
        values = np.asarray(y_score, dtype=np.float64)
        kind: ScoreKind = "probability"
    elif data.task == "multiclass":
        place = {value: at for at, value in enumerate(data.classes)}
        codes = pd.Series(np.asarray(y_pred).ravel()).map(place)
        if codes.isna().any():
            strange = np.asarray(y_pred).ravel()[codes.isna().to_numpy()][0]
            raise InputError(f"{data.name}: y_pred holds {strange!r}, which is no class of the label.")
        values, kind = np.eye(len(data.classes))[codes.to_numpy(dtype=np.intp)], "label"
    else:
        values, kind = np.asarray(y_pred, dtype=np.float64), "label"
    wanted = (len(data),) if data.task in ("regression", "ranking") else (len(data), len(data.classes))
    if values.shape != wanted:
        raise InputError(f"{data.name}: predictions have shape {values.shape}; needed is {wanted}.")
    if not np.isfinite(values).all():
        raise InputError(f"{data.name}: {int((~np.isfinite(values)).sum()):,} predictions are no finite numbers.")
    return of_task(data, values, kind)


def given(
    data: EvaluationSet,
    y_pred: ArrayLike | None,
    y_score: ArrayLike | None,
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
    y_pred = y_pred if y_pred is None or not hasattr(y_pred, "detach") else as_array(y_pred)
    scores = None if y_score is None else as_array(y_score).astype(np.float64, copy=False)
    if kind is None:
        own_scale = threshold is not None and not 0 < threshold < 1 and scores is not None and _outside(scores)
        kind = "ranking" if own_scale else "probability"  # no probability is cut there
    raise_all(InputError, _given_problems(data, y_pred, scores, threshold, kind))
    cut = 0.5 if threshold is None else float(threshold)
    if y_pred is None:
        assert scores is not None  # one of both was required above
        return Predictions(data.y_true, scores, (scores >= cut).astype(np.int8), cut, kind)
    import pandas as pd

    decided = (pd.Series(np.asarray(y_pred)) == data.roles.positive).to_numpy().astype(np.int8)
    return Predictions(data.y_true, scores, decided, cut, "label" if scores is None else kind)


def _given_problems(
    data: EvaluationSet,
    y_pred: ArrayLike | None,
    scores: NDArray[np.float64] | None,
    threshold: float | None,
    kind: ScoreKind,
) -> Iterator[str]:
    if y_pred is None and scores is None:
        yield f"{data.name}: neither decisions nor scores are given; an audit needs one of them."
    for what, column in (("y_pred", y_pred), ("y_score", scores)):
        length = len(data) if column is None else len(np.asarray(column))
        if length != len(data):
            yield f"{data.name}: {what} has {length:,} rows and y_true has {len(data):,}; they must be equal."
            return
    if y_pred is not None:
        yield from _decision_problems(data, y_pred)
    if scores is not None:
        yield from _score_problems(data.name, scores, threshold if y_pred is None else 0.5, kind)


def _decision_problems(data: EvaluationSet, y_pred: ArrayLike) -> Iterator[str]:
    import pandas as pd

    column = pd.Series(np.asarray(y_pred))
    yield from absence(f"{data.name}: y_pred has", column)
    known = set(data.classes)
    strange = [value for value in distinct(column) if value not in known]
    if strange:
        way = " Scores belong in y_score." if any(isinstance(value, float) for value in strange) else ""
        yield (
            f"{data.name}: y_pred holds {strange[0]!r}, which is no value of the label "
            f"({', '.join(repr(value) for value in data.classes)}).{way}"
        )


def _score_problems(name: str, scores: NDArray[np.float64], threshold: float | None, kind: ScoreKind) -> Iterator[str]:
    broken = int((~np.isfinite(scores)).sum())
    if broken:
        yield f"{name}: y_score is no finite number in {broken:,} of {len(scores):,} rows. Mend or drop the rows."
    outside = _outside(scores)
    if outside and kind == "probability":
        yield (
            f"{name}: y_score lies outside [0, 1] in {outside:,} of {len(scores):,} rows. If they only rank, give "
            'a threshold on their own scale (and score_kind="ranking"); calibration is then not applicable.'
        )
    if kind == "ranking" and threshold is None:
        yield f"{name}: ranking scores need a threshold on their own scale; from it on a row is predicted positive."
    elif threshold is not None and not outside and (wrong := threshold_problem(threshold, kind)):
        yield f"{name}: {wrong}"


def _outside(scores: NDArray[np.float64]) -> int:
    return int(((scores < 0) | (scores > 1)).sum())


def ask(subject: Subject, rows: Inputs) -> NDArray[np.float64]:
    """Return the subject's predictions of all rows, batch by batch; a table is one batch.

    Raises
    ------
    ModelError
        When it answers to a batch with another number of rows.
    """
    said = []
    for batch in rows.batches():
        found = np.asarray(answer_of(subject.predict, batch, subject.name), dtype=np.float64)
        if rows.kind != "table" and (found.ndim == 0 or len(found) != len(batch)):
            raise ModelError(
                f"The model '{subject.name}' answered with shape {found.shape} to a batch of {len(batch):,} rows."
            )
        said.append(found)
    return said[0] if len(said) == 1 else np.concatenate(said)


def inputs(subject: Subject, data: EvaluationSet) -> Inputs:
    """Return the subject's inputs from `data`: of a table the columns it names, else all features.

    Raises
    ------
    InputError
        When the data lack a column, or have another kind of inputs.
    """
    kind = reads(subject, data)
    if kind != "table":
        return data.inputs_as(kind, subject.name)
    return as_inputs(data.table[list(columns_read(subject, data))])


def reads(subject: Subject, data: EvaluationSet) -> Reads:
    """Return the kind of inputs of the subject: as declared, else that of the data."""
    return reads_of(subject, "table" if data.held is None else data.held.kind)


def columns_read(subject: Subject, data: EvaluationSet) -> tuple[str, ...]:
    """Return the columns of `data` that the subject reads; none where it reads no table.

    Raises
    ------
    InputError
        When one is absent.
    """
    if reads(subject, data) != "table":
        return ()
    wanted = subject.facts.get("features")
    if not isinstance(wanted, list) or not wanted:
        return data.features
    names = tuple(str(name) for name in wanted)
    known = [str(name) for name in data.table.columns]
    raise_all(
        InputError,
        (
            f"{data.name}: column '{name}' is missing; model '{subject.name}' reads it.{did_you_mean(name, known)}"
            for name in names
            if name not in known
        ),
    )
    return names
