"""Which of the rows given as members the subject was fitted on, where coins decided about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError
from evenhand.messages import Message, message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.subjects import Subject

    Flipped = tuple[NDArray[np.bool_], NDArray[np.bool_]]

NO_COIN: Final = message(
    "Membership was not drawn by coin, so guesses of it bound nothing: fit with canary_share, and give the candidates "
    "as members."
)
NO_MEMBERS: Final = message("The candidates of the fit, those left out among them, were not given as members.")
OTHER_ROWS: Final = message(
    "The rows given as members are not the candidates that coins were tossed for; give the training rows as they were, "
    "those left out among them."
)


def told_by(subject: Subject, name: str) -> Mapping[str, Plain] | None:
    """Return what a model's file says of its ``privacy``, or of its ``coin``; None where it says nothing."""
    told = subject.facts.get("training")
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, dict) else None


def flipped(subject: Subject, rows: EvaluationSet | None, column: str) -> Flipped | Message:
    """Return about which rows a coin decided, and which were in; why that is not known.

    Parameters
    ----------
    subject : Subject
        The model, whose file may hold the coins.
    rows : EvaluationSet, optional
        The rows given as members.
    column : str
        A column of them that says who was in; empty for none.

    Raises
    ------
    InputError
        When the column is not there, or says anything but 0 and 1.
    """
    told = told_by(subject, "coin")
    if told is None and not column:
        return NO_COIN
    if rows is None:
        return NO_MEMBERS
    if column:
        if column not in rows.table:
            raise InputError(f"{rows.name}: there is no column '{column}' that says who was in.")
        values = rows.table[column].to_numpy()
        if not np.isin(values, (0, 1)).all():
            raise InputError(f"{rows.name}: '{column}' says who was in by 1 and who was not by 0, and nothing else.")
        return np.ones(len(rows), dtype=np.bool_), values.astype(np.float64) == 1
    from evenhand.data.coin import Coin

    assert told is not None  # else a column is named

    coin = Coin.from_plain(told)
    return coin.flipped(rows) if coin.knows(rows) else OTHER_ROWS


def fitted_on(subject: Subject, rows: EvaluationSet | None, column: str) -> EvaluationSet | None:
    """Return the rows that were in: all that were given, but for those that a coin left out."""
    found = flipped(subject, rows, column)
    if rows is None or isinstance(found, Message):
        return rows
    return rows.take(np.flatnonzero(found[1]))


def places_fitted_on(subject: Subject, rows: EvaluationSet, column: str) -> NDArray[np.intp]:
    """Return where the rows that were in are among those given."""
    found = flipped(subject, rows, column)
    return np.arange(len(rows)) if isinstance(found, Message) else np.flatnonzero(found[1])


def without_column(rows: EvaluationSet, column: str) -> EvaluationSet:
    """Return the rows without the column that says who was in; all of it where there is none."""
    if column not in rows.table:
        return rows
    return replace(rows, table=rows.table.drop(columns=column), _kept={})


def truth_known(rows: EvaluationSet | None, like: EvaluationSet) -> bool:
    """Whether the label and the groups of further rows are known, as those of the evaluation rows are."""
    if rows is None or any(column not in rows.table for column in like.roles.sensitive_features):
        return False
    return bool(rows.roles.label or rows.roles.labels) or not (like.roles.label or like.roles.labels)
