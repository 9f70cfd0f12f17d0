"""Columns of a table as trees ask for them: one column each, numbers as they are, categories by their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pandas as pd

from evenhand.subjects.inputs import as_table
from evenhand.training.columns import numbers_as_text, read_as_numbers, to_numbers
from evenhand.training.levels import count_levels, place_levels
from evenhand.training.preprocessing import check_columns, unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads

MOST_LEVELS: Final = 254
"""Levels of a category that a tree tells apart, the most frequent ones; all others are one more."""


@dataclass(frozen=True, slots=True)
class TreeColumn:
    """One column: a number, or a category whose levels have places; what is missing or never seen is NaN."""

    name: str
    """The column of the table."""
    levels: tuple[str, ...] | None
    """The levels of a category, as text, in order; None for a number."""
    rare: int = 0
    """Training rows whose level has no place of its own."""
    missing: int = 0
    """Missing cells among the training rows."""
    converted: int = 0
    """Cells of the training rows that were text and were read as numbers."""

    @classmethod
    def fit(cls, name: str, values: pd.Series) -> TreeColumn:
        """Learn from training rows."""
        missing = int(values.isna().sum())
        text = numbers_as_text(values)
        if text or pd.api.types.is_numeric_dtype(values.dtype):
            return cls(name, None, 0, missing, int(read_as_numbers(values).notna().sum()) if text else 0)
        counts = count_levels(values)
        ranked = list(counts)
        rare = sum(counts[level] for level in ranked[MOST_LEVELS:])
        return cls(name, tuple(sorted(ranked[:MOST_LEVELS])), rare, missing)

    @property
    def places(self) -> int:
        """How many places a category has; 0 for a number."""
        return 0 if self.levels is None else len(self.levels) + bool(self.rare)

    def read(self, values: pd.Series) -> NDArray[np.float64]:
        """Return (n,) numbers, or places of levels; NaN where missing, infinite or never seen."""
        if self.levels is None:
            numbers = to_numbers(self.name, values, bool(self.converted))
            return np.where(np.isfinite(numbers), numbers, np.nan)
        places = place_levels(values, self.levels)
        found = np.where(places < 0, np.nan, places)
        if self.rare:
            found[places == -1] = len(self.levels)
        return found

    def describe(self) -> dict[str, Plain]:
        """Return the description for a report."""
        told: dict[str, Plain] = {"column": self.name, "kind": "number" if self.levels is None else "category"}
        if self.levels is not None:
            told |= {"levels": len(self.levels), "rare_cells": self.rare}
        return {**told, "columns": 1, "missing_cells": self.missing}

    def to_plain(self) -> dict[str, Plain]:
        """Return all that was learnt."""
        levels: Plain = None if self.levels is None else list(self.levels)
        kept: dict[str, Plain] = {"name": self.name, "levels": levels}
        return {**kept, "rare": self.rare, "missing": self.missing, "converted": self.converted}


@dataclass(frozen=True, slots=True)
class TreeColumns:
    """Fitted columns, in the order of the table they were fitted on."""

    columns: tuple[TreeColumn, ...]
    """One for each input column."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Columns that trees cannot read, each with the reason."""

    @classmethod
    def fit(cls, X: pd.DataFrame) -> TreeColumns:
        """Learn the levels from training rows; raise InputError where no column can be read."""
        left_out = unreadable(X)
        names = [name for name in X.columns if str(name) not in left_out]
        return cls(tuple(TreeColumn.fit(str(name), X[name]) for name in names), tuple(left_out.items()))

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are read."""
        return tuple(column.name for column in self.columns)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one prepared row."""
        return (len(self.columns),)

    @property
    def reads(self) -> Reads:
        """A table."""
        return "table"

    def transform(self, batch: Batch) -> NDArray[np.float64]:
        """Return (n, columns) numbers, NaN where missing; raise ModelError for absent columns and text for numbers."""
        X = as_table(batch, "boosted model")
        check_columns(X, self.features)
        return np.column_stack([column.read(X[column.name]) for column in self.columns])

    def describe(self) -> list[Plain]:
        """Return the steps of each column, as plain records for a report."""
        told: list[Plain] = [column.describe() for column in self.columns]
        return told + [{"column": name, "kind": "left out", "reason": reason} for name, reason in self.left_out]

    def to_plain(self) -> dict[str, Plain]:
        """Return everything as plain JSON data."""
        left_out: list[Plain] = [[name, reason] for name, reason in self.left_out]
        return {"kind": "trees", "columns": [column.to_plain() for column in self.columns], "left_out": left_out}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> TreeColumns:
        """Return what `to_plain` was called on.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
        """
        columns = cast("list[dict[str, Plain]]", plain["columns"])
        left_out = cast("list[tuple[str, str]]", plain["left_out"])
        return cls(tuple(map(_column, columns)), tuple((str(name), str(reason)) for name, reason in left_out))


def _column(plain: Mapping[str, Plain]) -> TreeColumn:
    levels = cast("list[Plain] | None", plain["levels"])
    counts = (int(cast("int", plain[field])) for field in ("rare", "missing", "converted"))
    return TreeColumn(str(plain["name"]), None if levels is None else tuple(map(str, levels)), *counts)
