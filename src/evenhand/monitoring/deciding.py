"""What was decided of the rows of a table: by its columns of scores or decisions, or by the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from evenhand.data.evaluation_set import EvaluationSet
from evenhand.data.values import coded, listed, match
from evenhand.errors import InputError, argument, raise_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data.roles import Roles
    from evenhand.findings import Task
    from evenhand.subjects import Subject


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions on the rows of a table."""

    codes: NDArray[np.intp]
    """(n,) the place of each decision in the classes."""
    scores: NDArray[np.float64] | None
    """(n,) scores of the positive class; None where there are decisions only."""


def decide(
    table: pd.DataFrame, name: str, roles: Roles, classes: Sequence[str], threshold: float | None,
    subject: Subject | None, data: EvaluationSet | None = None,
) -> Decided:  # fmt: skip
    """Return the decisions on the rows of a table.

    Parameters
    ----------
    table : pandas.DataFrame
        The rows.
    name : str
        How sentences call them.
    roles : Roles
        The columns of scores and decisions.
    classes : sequence of str
        The classes; of two the positive one last.
    threshold : float or None
        Where scores are cut.
    subject : Subject or None
        The model, which is asked in place of the columns.
    data : EvaluationSet, optional
        The same rows as a set; made where it is needed when absent.

    Raises
    ------
    InputError
        When a score is missing or infinite, a decision is none of the classes, or there are neither.
    """
    if subject is not None:
        return _asked(table, name, roles, classes, subject, data)
    scores = None
    if roles.score is not None and len(classes) == 2:
        scores = _scores(table[roles.score], name)
    if roles.prediction is not None:
        return Decided(class_codes(table[roles.prediction], name, "prediction", classes), scores)
    if scores is not None and threshold is not None:
        return Decided((scores >= threshold).astype(np.intp), scores)
    raise InputError(
        f"{name}: nothing says what was decided: name the column of scores ({argument('score')}) or of decisions "
        f"({argument('prediction')}), or the model ({argument('model')})."
    )


def class_codes(
    values: pd.Series, name: str, role: str, classes: Sequence[str], absent: bool = False
) -> NDArray[np.intp]:
    """Return the place of each value in the classes; -1 for missing ones, which are refused unless `absent`.

    Raises
    ------
    InputError
        When a value is none of the classes.
    """
    places, known = coded(values)
    found = [match(value, classes) for value in known]
    raise_all(
        InputError, _strange(values, name, role, classes, [v for v, f in zip(known, found, strict=True) if f is None])
    )
    table = np.asarray([*(list(classes).index(cast("str", one)) for one in found), -1], dtype=np.intp)
    codes = table[places]
    if not absent and (gone := int((codes < 0).sum())):
        raise InputError(f"{name}: the {role} column '{values.name}' has no value in {gone:,} of {len(values):,} rows.")
    return codes


def _strange(values: pd.Series, name: str, role: str, classes: Sequence[str], strange: list[object]) -> Iterator[str]:
    if strange:
        yield (
            f"{name}: the {role} column '{values.name}' holds {listed(strange)}; at the audit it was one of "
            f"{listed(classes)}."
        )


def _scores(values: pd.Series, name: str) -> NDArray[np.float64]:
    try:
        scores = values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError(f"{name}: the score column '{values.name}' holds no numbers.") from None
    if broken := int((~np.isfinite(scores)).sum()):
        raise InputError(f"{name}: the score column '{values.name}' is missing or infinite in {broken:,} rows.")
    return scores


def _asked(
    table: pd.DataFrame, name: str, roles: Roles, classes: Sequence[str], subject: Subject, data: EvaluationSet | None
) -> Decided:
    from evenhand.evidence.own_decisions import decided
    from evenhand.evidence.predictions import answers, ask, inputs
    from evenhand.subjects.outputs import checked

    several = len(classes) > 2
    task: Task = "multiclass" if several else "binary"
    rows = data or EvaluationSet(
        name, table, roles, np.zeros(len(table), dtype=np.intp), classes=tuple(classes), task=task
    )
    if several:
        return Decided(answers(subject, rows).y_pred.astype(np.intp), None)
    batch = inputs(subject, rows)
    scores = ask(subject, batch)
    checked(scores, len(rows), subject.name, subject.score_kind, float(subject.threshold))
    said = decided(subject, batch, scores)
    return Decided(said, None if subject.score_kind == "label" else scores)
