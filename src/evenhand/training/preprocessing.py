"""From the columns of a table to the columns of a network, fitted on training rows and kept with the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pandas as pd

from evenhand.errors import InputError, ModelError, did_you_mean, raise_all, shorten
from evenhand.subjects.inputs import as_table
from evenhand.training.codes import CodeColumn, column_from_plain, looks_like_codes
from evenhand.training.columns import MOST_LEVELS, CategoryColumn, Column, NumberColumn, numbers_as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.training.config import Scaling


ROWS_A_PIECE: Final = 50
"""Training rows for each piece of a number."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Fitted columns, in the order of the table they were fitted on.

    See Also
    --------
    evenhand.training.fit : Fits one on the training rows and keeps it with the model.
    """

    columns: tuple[Column, ...]
    """One for each input column."""
    rows: int
    """Rows it was fitted on."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Columns that the network cannot read, each with the reason."""

    @classmethod
    def fit(cls, X: pd.DataFrame, scaling: Scaling = "standard", pieces: int = 0, codes: bool = False) -> Preprocessing:
        """Learn medians, means, deviations and levels from training rows, and from nothing else.

        Parameters
        ----------
        X : pandas.DataFrame
            (n, m) numbers and booleans, which are scaled, and texts or categories, which are one-hot coded.
            Missing values are taken for the median, or for a separate level, and marked by a column. Columns of
            dates, of names or free text and without any value are left out, each with the reason.
        scaling : {"standard", "unit", "signed"}
            Mean 0 and deviation 1, onto [0, 1], or onto [-1, 1].
        pieces : int
            Above 0, a number is also cut at so many quantiles, and how much of each piece lies below it is a column
            each (Gorishniy, Rubachev and Babenko 2022, "On embeddings for numerical features"); fewer with few rows.
        codes : bool
            Whether whole numbers that look like codes are read as categories, too.

        Raises
        ------
        InputError
            When no column is left; all reasons are given.
        """
        left_out = unreadable(X)
        columns: list[Column] = []
        for name, values in X.items():
            if str(name) in left_out:
                continue
            if pd.api.types.is_numeric_dtype(values.dtype) or numbers_as_text(values):
                number = NumberColumn.fit(str(name), values, scaling, min(pieces, len(X) // ROWS_A_PIECE))
                of_code = codes and looks_like_codes(values)
                columns.append(CodeColumn.fit(number, values) if of_code else number)
            else:
                columns.append(CategoryColumn.fit(str(name), values, MOST_LEVELS))
        return cls(tuple(columns), len(X), tuple(left_out.items()))

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are read."""
        return tuple(column.name for column in self.columns)

    @property
    def width(self) -> int:
        """The number of prepared columns."""
        return sum(column.width for column in self.columns)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one prepared row."""
        return (self.width,)

    @property
    def widths(self) -> tuple[int, ...]:
        """For each column of the table that is read, how many prepared columns it has."""
        return tuple(column.width for column in self.columns)

    @property
    def reads(self) -> Reads:
        """A table."""
        return "table"

    def transform(self, batch: Batch) -> NDArray[np.float32]:
        """Return the prepared columns, shape (n, width), finite.

        A level that no training row had is coded as no level at all (or as the shared column of rare ones).

        Raises
        ------
        ModelError
            When columns are absent, or hold text where training rows held numbers.
        """
        X = as_table(batch, "network")
        check_columns(X, self.features)
        prepared = np.empty((len(X), self.width), dtype=np.float32)
        at = 0
        for column in self.columns:
            column.write(X[column.name], prepared[:, at : at + column.width])
            at += column.width
        return prepared

    def describe(self) -> list[Plain]:
        """Return the steps of each column, as plain records for a report."""
        told: list[Plain] = [column.describe() for column in self.columns]
        return told + [{"column": name, "kind": "left out", "reason": reason} for name, reason in self.left_out]

    def cleaning(self) -> dict[str, Plain]:
        """Return how many cells of the training rows were dealt with in which way."""
        told = [column.describe() for column in self.columns]

        def cells(name: str) -> int:
            return sum(int(cast("int", column.get(name, 0))) for column in told)

        return {
            "cells": self.rows * (len(self.columns) + len(self.left_out)),
            "missing_filled": cells("missing_cells"),
            "outliers_held": cells("held_cells"),
            "text_read_as_numbers": cells("converted_cells"),
            "rare_levels_joined": cells("rare_cells"),
            "columns_left_out": len(self.left_out),
        }

    def to_plain(self) -> dict[str, Plain]:
        """Return everything as plain JSON data."""
        return {
            "rows": self.rows,
            "columns": [column.to_plain() for column in self.columns],
            "left_out": [[name, reason] for name, reason in self.left_out],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> Preprocessing:
        """Return what `to_plain` was called on.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
        """
        columns = cast("list[dict[str, Plain]]", plain["columns"])
        left_out = cast("list[tuple[str, str]]", plain.get("left_out", []))
        return cls(
            tuple(column_from_plain(column) for column in columns),
            int(cast("int", plain["rows"])),
            tuple((str(name), str(reason)) for name, reason in left_out),
        )


def check_columns(X: pd.DataFrame, features: Iterable[str]) -> None:
    """Raise ModelError that names each of the columns that a table lacks."""
    present = {str(name) for name in X.columns}
    raise_all(
        ModelError,
        (
            f"The model needs column '{shorten(name)}', which the table does not have.{did_you_mean(name, present)}"
            for name in features
            if name not in present
        ),
    )


def unreadable(X: pd.DataFrame) -> dict[str, str]:
    """Return the columns that no model can read, each with the reason; raise InputError where none is left."""
    left_out = {str(name): reason for name, values in X.items() if (reason := why_left_out(values))}
    if len(left_out) == X.shape[1]:
        raise InputError(*(f"Column '{shorten(name)}' {reason}." for name, reason in left_out.items()))
    return left_out


def why_left_out(column: pd.Series) -> str:
    """Return why a column cannot be an input; empty when it can."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        return "holds dates or times; turn them into numbers, such as days, to use them"
    if not column.count():
        return f"has no value in any of the {len(column):,} training rows"
    if pd.api.types.is_numeric_dtype(column.dtype) or numbers_as_text(column):
        return ""
    levels = column.nunique()
    if levels > 200 and levels > len(column) / 2:
        return f"holds {levels:,} different values in {len(column):,} rows: names, dates or free text, no category"
    return ""
