"""Whole numbers that are codes: read as categories, and as numbers too, since a guess may be wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pandas as pd

from evenhand.training.columns import MOST_LEVELS, CategoryColumn, Column, NumberColumn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.findings import Plain

ROWS_A_CODE: Final = 50
"""A code stands, on average, in so many training rows at least; a count or an amount has more values than that."""
MOST_CODES: Final = 2048
"""More different values are no codes."""
FILLED: Final = 0.5
"""Of more than `MOST_LEVELS` values, codes leave at least this share of the numbers between them out."""


def looks_like_codes(values: pd.Series) -> bool:
    """Return whether a column of numbers may be one of codes: told by its values alone, never by the label.

    Whole numbers, of three different values at least, each of which stands in 50 rows on average. Up to 64 values may
    be codes; of more, at least half of the numbers between the least and the highest must be missing, as in
    occupations 10, 20, 40, 110, ..., where ages and hours leave few out.

    Examples
    --------
    >>> import pandas as pd
    >>> looks_like_codes(pd.Series([101, 202, 303] * 50)), looks_like_codes(pd.Series([0.5, 1.5, 2.5] * 50))
    (True, False)
    >>> looks_like_codes(pd.Series(range(150)))
    False
    """
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return False
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = numbers[np.isfinite(numbers)]
    found = np.unique(numbers)
    if not 3 <= len(found) <= min(MOST_CODES, len(numbers) / ROWS_A_CODE) or (found != np.floor(found)).any():
        return False
    return len(found) <= MOST_LEVELS or bool(len(found) <= FILLED * (found[-1] - found[0] + 1))


@dataclass(frozen=True, slots=True)
class CodeColumn:
    """A whole number that looks like a code: the columns of the number, then those of the category."""

    number: NumberColumn
    """Its place among the others, which helps where the codes are in an order, and for codes never seen."""
    category: CategoryColumn
    """Its level; that it is missing is marked by the number."""

    @classmethod
    def fit(cls, number: NumberColumn, values: pd.Series) -> CodeColumn:
        """Learn the levels from training rows."""
        category = CategoryColumn.fit(number.name, values, MOST_LEVELS)
        return cls(number, replace(category, missing=0))

    @property
    def name(self) -> str:
        """The column of the table."""
        return self.number.name

    @property
    def width(self) -> int:
        """Those of both."""
        return self.number.width + self.category.width

    def write(self, values: pd.Series, out: NDArray[np.float32]) -> None:
        """Write the number, then the level."""
        self.number.write(values, out[:, : self.number.width])
        self.category.write(values, out[:, self.number.width :])

    def describe(self) -> dict[str, Plain]:
        """Return the description for a report."""
        told = {**self.category.describe(), **self.number.describe()}
        return {**told, "kind": "code", "columns": self.width}

    def to_plain(self) -> dict[str, Plain]:
        """Return all that was learnt."""
        return {"kind": "code", "number": self.number.to_plain(), "category": self.category.to_plain()}


def column_from_plain(plain: Mapping[str, Plain]) -> Column:
    """Return the column that wrote `plain`.

    Raises KeyError, TypeError or ValueError when `plain` is something else.
    """
    if plain["kind"] == "number":
        return _number(plain)
    if plain["kind"] == "category":
        return _category(plain)
    if plain["kind"] == "code":
        return CodeColumn(
            _number(cast("Mapping[str, Plain]", plain["number"])),
            _category(cast("Mapping[str, Plain]", plain["category"])),
        )
    raise ValueError(f"no kind of column: {plain['kind']!r}")


def _number(plain: Mapping[str, Plain]) -> NumberColumn:
    median, mean, scale = (float(cast("float", plain[field])) for field in ("median", "mean", "scale"))
    missing, held, converted = (int(cast("int", plain.get(field, 0))) for field in ("missing", "held", "converted"))
    edges = tuple(float(cast("float", edge)) for edge in cast("list[Plain]", plain.get("edges", [])))
    if edges and not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
        raise ValueError("the pieces of a number do not grow")
    return NumberColumn(str(plain["name"]), median, mean, scale, missing, held, converted, edges)


def _category(plain: Mapping[str, Plain]) -> CategoryColumn:
    levels = tuple(str(level) for level in cast("list[Plain]", plain["levels"]))
    return CategoryColumn(
        str(plain["name"]), levels, int(cast("int", plain["missing"])), int(cast("int", plain["rare"]))
    )
