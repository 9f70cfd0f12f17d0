"""From the columns of a table to the columns of a network, fitted on training rows and kept with the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pandas as pd

from evenhand.errors import InputError, ModelError, did_you_mean, raise_all, shorten
from evenhand.training.columns import CategoryColumn, Column, NumberColumn, column_from_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.findings import Plain

MOST_LEVELS: Final = 64
"""Levels of a category that get a column of their own, the most frequent ones; the others share one."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Fitted columns, in the order of the table they were fitted on."""

    columns: tuple[Column, ...]
    """One for each input column."""
    rows: int
    """Rows it was fitted on."""

    @classmethod
    def fit(cls, X: pd.DataFrame) -> Preprocessing:
        """Learn medians, means, deviations and levels from training rows, and from nothing else.

        Parameters
        ----------
        X : pandas.DataFrame
            (n, m) numbers and booleans, which are standardized, and texts or categories, which are one-hot coded.
            Missing values are taken for the median, or for a level of their own, and marked by a column.

        Raises
        ------
        InputError
            For columns of dates, of free text or without any value; all of them are named.
        """
        raise_all(InputError, (problem for name in X.columns for problem in _problems(str(name), X[name])))
        columns: list[Column] = []
        for name in X.columns:
            if pd.api.types.is_numeric_dtype(X[name].dtype):
                columns.append(NumberColumn.fit(str(name), X[name]))
            else:
                columns.append(CategoryColumn.fit(str(name), X[name], MOST_LEVELS))
        return cls(tuple(columns), len(X))

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are read."""
        return tuple(column.name for column in self.columns)

    @property
    def width(self) -> int:
        """The number of prepared columns."""
        return sum(column.width for column in self.columns)

    @property
    def origins(self) -> tuple[str, ...]:
        """For each prepared column, the column of the table that it comes from."""
        return tuple(column.name for column in self.columns for _ in range(column.width))

    def transform(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """Return the prepared columns, shape (n, width), finite.

        A level that no training row had is coded as no level at all (or as the shared column of rare ones).

        Raises
        ------
        ModelError
            When columns are absent, or hold text where training rows held numbers.
        """
        self._check(X)
        prepared = np.empty((len(X), self.width), dtype=np.float32)
        at = 0
        for column in self.columns:
            column.write(X[column.name], prepared[:, at : at + column.width])
            at += column.width
        return prepared

    def describe(self) -> list[Plain]:
        """Return what is done to each column, as plain records for a report."""
        return [column.describe() for column in self.columns]

    def to_plain(self) -> dict[str, Plain]:
        """Return everything as JSON can say it."""
        return {"rows": self.rows, "columns": [column.to_plain() for column in self.columns]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> Preprocessing:
        """Return what `to_plain` was called on.

        Raises
        ------
        KeyError, TypeError, ValueError
            When `plain` is something else.
        """
        columns = cast("list[dict[str, Plain]]", plain["columns"])
        return cls(tuple(column_from_plain(column) for column in columns), int(cast("int", plain["rows"])))

    def _check(self, X: pd.DataFrame) -> None:
        present = {str(name) for name in X.columns}
        raise_all(
            ModelError,
            (
                f"The model needs column '{shorten(name)}', which the table does not have.{did_you_mean(name, present)}"
                for name in self.features
                if name not in present
            ),
        )


def _problems(name: str, column: pd.Series) -> Iterator[str]:
    """Yield why a column cannot be an input."""
    way_out = f"Exclude it (exclude=['{shorten(name)}'], --exclude), or turn it into numbers or categories first."
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        yield f"Column '{shorten(name)}' holds dates or times, which the network cannot read. {way_out}"
    elif not column.notna().any():
        yield f"Column '{shorten(name)}' has no value in any of the {len(column):,} training rows. {way_out}"
    elif not pd.api.types.is_numeric_dtype(column.dtype):
        levels = column.nunique()
        if levels > 200 and levels > len(column) / 2:
            yield (
                f"Column '{shorten(name)}' holds {levels:,} different values in {len(column):,} rows, so it is a name "
                f"or free text and no category. {way_out}"
            )
