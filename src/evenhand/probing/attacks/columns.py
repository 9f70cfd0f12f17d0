"""Attacks on tables: columns of numbers that can change, moved within the range of known rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.errors import InputError, ModelError, did_you_mean, raise_all
from evenhand.probing.attacks.answers import of_classes, of_two
from evenhand.probing.attacks.attacking import Attacked, Found, doubts
from evenhand.probing.attacks.climbing import noise
from evenhand.probing.attacks.square import search_squares
from evenhand.probing.attacks.threat import Threat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.subjects import Subject

    Floats = NDArray[np.float64]
    Marks = NDArray[np.bool_]

__all__ = ["attack_columns"]

SHARE: Final = 0.05
"""The longest move of each column, as a share of its range, where no budget is given."""


def attack_columns(
    subject: Subject, table: pd.DataFrame, y_true: NDArray[Any], columns: Sequence[str], known: pd.DataFrame, *,
    budget: float | None = None, several: bool = False, queries: int = 500, seed: int = 0,
) -> Attacked:  # fmt: skip
    """Search for moves of some columns that turn decisions, each by at most a share of its range among known rows.

    Whole numbers stay whole, missing cells stay missing, and no number leaves the range of the known rows unless it was
    outside it.

    Parameters
    ----------
    subject : Subject
        A model that reads a table.
    table : table
        (n, m) rows as it reads them.
    y_true : (n,) array of int
        Their classes.
    columns : sequence of str
        Columns of numbers that can change.
    known : table
        Rows with the same columns, such as training rows.
    budget : float, optional
        The longest move of each column as a share of its range; 0.05 when not given.
    several : bool
        Whether the label has several classes, whose scores the subject gives.
    queries : int
        How often the search asks about a row at most.
    seed : int
        Of all that is drawn.

    Returns
    -------
    Attacked
        Its rows are shares of the columns' ranges.

    Raises
    ------
    InputError
        When a column is absent, is not one of numbers, or has a single value among the known rows.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.subjects import as_subject
    >>> data = eh.load_loanapp()
    >>> rich = as_subject(lambda rows: (rows["appinc"] > 60).astype(float))
    >>> found = attack_columns(rich, data.X, (data.X["appinc"] > 60).astype(int).to_numpy(), ["appinc"], data.X)
    >>> bool(found.right["none"].all()), bool(found.standing.all())
    (True, False)
    """
    raise_all(InputError, _problems(table, columns, known))
    asked = _Asked(subject, table, np.asarray(y_true).astype(np.int64), columns, known, several)
    threat = Threat("linf", SHARE if budget is None else budget, -np.inf, np.inf)
    found = Found(asked.answer, asked.start, np.arange(len(table)), threat)
    found.tried("noise", lambda mine, of: noise(mine, threat, seed))
    found.tried("square", lambda mine, of: search_squares(asked.answer, mine, of, threat, queries, seed))
    return Attacked(threat, found.right, found.moved, tuple(doubts(found.right, gradients=False)), gradients=False)


class _Asked:
    """A table as rows of shares of the columns' ranges, and what the subject says of moved ones."""

    def __init__(
        self, subject: Subject, table: pd.DataFrame, truth: NDArray[np.int64], columns: Sequence[str],
        known: pd.DataFrame, several: bool,
    ) -> None:  # fmt: skip
        self.subject, self.table, self.truth, self.columns, self.several = subject, table, truth, list(columns), several
        self.values, ranges = (frame[self.columns].to_numpy(dtype=np.float64) for frame in (table, known))
        self.low, high = np.nanmin(ranges, axis=0), np.nanmax(ranges, axis=0)
        self.span = high - self.low
        self.whole = np.array([bool((part[~np.isnan(part)] % 1 == 0).all()) for part in ranges.T])
        self.start = np.nan_to_num((self.values - self.low) / self.span)

    def answer(self, moved: NDArray[Any], rows: NDArray[Any]) -> tuple[Marks, Floats]:
        """Return whether rows, named by their positions, are decided rightly where they were moved to."""
        own, start = self.values[rows], self.start[rows]
        inside = np.clip(moved, np.minimum(0, start), np.maximum(1, start))
        change = (inside - start) * self.span
        change = np.where(self.whole, np.trunc(np.round(change, 9)), change)
        numbers, asked = own + change, self.table.iloc[rows].copy()
        for at, column in enumerate(self.columns):
            kept = asked[column]
            part = numbers[:, at] if kept.dtype.kind == "f" or not self.whole[at] else np.round(numbers[:, at])
            asked[column] = part.astype(kept.dtype) if kept.dtype.kind in "iuf" and self.whole[at] else part
        scores = np.asarray(self.subject.predict(asked), dtype=np.float64)
        if len(scores) != len(rows) or not np.isfinite(scores).all():
            raise ModelError(f"Model '{self.subject.name}' gave no finite score for each of {len(rows):,} moved rows.")
        truth = self.truth[rows]
        return of_classes(scores, truth) if self.several else of_two(scores, truth, float(self.subject.threshold))


def _problems(table: pd.DataFrame, columns: Sequence[str], known: pd.DataFrame) -> Iterator[str]:
    names = [str(name) for name in table.columns]
    for column in columns:
        if column not in names:
            yield f"attack_columns: the model reads no column '{column}'.{did_you_mean(column, names)}"
        elif table[column].dtype.kind not in "iuf":
            yield f"attack_columns: '{column}' is no column of numbers, and only these can be moved a little."
        elif not known[column].nunique() > 1:
            yield f"attack_columns: '{column}' has a single value, and no range to move in."
