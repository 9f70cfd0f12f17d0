"""Scores and decisions of one model on one evaluation set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

import numpy as np

from evenhand.data.inputs import as_inputs
from evenhand.errors import InputError, ModelError, did_you_mean, raise_all
from evenhand.evidence.own_decisions import classes_decided, decided
from evenhand.subjects import reads_of
from evenhand.subjects.outputs import answer_of, checked, refuse_squashed, squashed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Inputs
    from evenhand.findings import Reads
    from evenhand.subjects import Subject

GREATEST: Final = 1e70
"""The greatest amount whose differences, to the fourth power and added up, are finite."""
ScoreKind: TypeAlias = Literal["probability", "ranking", "label", "value"]


@dataclass(frozen=True, slots=True)
class Predictions:
    """The predictions of a subject for an evaluation set.

    See Also
    --------
    evenhand.evidence.Evidence : Has the predictions of its subject.
    """

    y_true: NDArray[Any]
    """(n,) 1 = positive; for other tasks as in `EvaluationSet.y_true`."""
    y_score: NDArray[np.float64] | None
    """(n,) scores of the positive class, or (n, C) of each class; None when the subject gives decisions only."""
    y_pred: NDArray[Any]
    """(n,) decisions, 1 = predicted positive; or classes, numbers, (n, L) labels, (n, 8) edits of transcripts."""
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
    if (proof := getattr(subject, "proof", None)) is not None:
        proof.refuse_turned(data.y_true, y_pred)
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


def of_task(
    data: EvaluationSet,
    values: NDArray[np.float64],
    kind: ScoreKind,
    decided: NDArray[Any] | None = None,
    threshold: float = 0.5,
) -> Predictions:
    """Return predictions from numbers (n,) or from one column a class or label.

    Decisions are made from the numbers when `decided` is not given: the class of the greatest, or each label whose
    number is `threshold` or more.
    """
    if data.task in ("regression", "ranking"):
        refuse_too_great(data.name, data.y_true, values)
        return Predictions(data.y_true, None, values, float("nan"), "value")
    scores = values if kind != "label" else None
    if data.task == "multilabel":
        decided = values >= threshold if decided is None else decided
        return Predictions(data.y_true, scores, decided.astype(np.int8), threshold, kind)
    decided = values.argmax(axis=1) if decided is None else decided
    return Predictions(data.y_true, scores, decided.astype(np.int32), float("nan"), kind)


def refuse_too_great(name: str, *numbers: NDArray[np.float64]) -> None:
    """Refuse amounts whose errors have no finite fourth powers, which the intervals of squared errors need.

    Raises
    ------
    InputError
    """
    most = max(float(np.abs(part).max(initial=0)) for part in numbers)
    if most > GREATEST:
        raise InputError(f"{name}: amounts as great as {most:.3g} cannot be squared and added up. Change their unit.")


def outside_unit(scores: NDArray[np.float64]) -> int:
    """Return how many scores are outside [0, 1]."""
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


def row_hashes(subject: Subject, data: EvaluationSet, rows: EvaluationSet | None = None) -> NDArray[np.uint64]:
    """Return (n,) fingerprints of rows by what the subject reads of `data`, under a rule what the model under it reads.

    Parameters
    ----------
    subject : Subject
        The model.
    data : EvaluationSet
        Rows that it can be asked about.
    rows : EvaluationSet, optional
        Other rows with the same columns; those of `data` when absent.
    """
    columns = getattr(subject, "base_columns", ()) or columns_read(subject, data)
    return (data if rows is None else rows).row_hashes(columns, reads(subject, data))


def table_of(subject: Subject, data: EvaluationSet) -> pd.DataFrame:
    """Return the columns that a subject reads, which is one of tables."""
    return cast("pd.DataFrame", inputs(subject, data).whole())
