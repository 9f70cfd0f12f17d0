"""Columns that name rows or people: inputs that a model can only memorize, and people who stand in several rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.values import is_number
from evenhand.data.vocabulary import is_name_of_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DENSE: Final = 0.5
"""Whole numbers that fill so much of their range are numbered rows."""
DISTINCT: Final = 0.98
"""Share of the rows with a value of their own in a column that names rows."""
SPACED: Final = 0.02
"""Share of texts with blanks above which they are no names of rows."""
LEAST: Final = 30
"""Rows below which whole numbers that are all different say nothing."""
PER_PERSON: Final = 20
"""Rows of one person, on average, above which a column names no people."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A column that names people, some of them in several rows.

    See Also
    --------
    evenhand.data.checks.repeated_persons : Makes it.
    """

    column: str
    """The column."""
    rows: int
    """Rows with a name."""
    repeats: int
    """Rows whose name occurred before."""


def naming_columns(table: pd.DataFrame, columns: Iterable[str]) -> Iterator[str]:
    """Yield columns that name rows: whole numbers in order or without gaps, or single words, all of them different.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns a model may read.

    Examples
    --------
    >>> rows = pd.DataFrame({"case": range(100, 200), "income": [float(n) ** 1.5 for n in range(100)]})
    >>> list(naming_columns(rows, rows.columns))
    ['case']
    """
    for name in columns:
        if len(table) >= LEAST and _names_rows(table[name]):
            yield name


def _names_rows(column: pd.Series) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype) and len(column.cat.categories) < DISTINCT * len(column):
        return False
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return False
    return _numbered(column) if is_number(column) and column.dtype != object else _named(column)


def _numbered(column: pd.Series) -> bool:
    """Whether numbers are whole, all different, and in order or without gaps."""
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    for part in (numbers[:1000], numbers):  # most columns are known by a few rows
        if not np.isfinite(part).all() or (part != np.floor(part)).any():
            return False
        if len(np.unique(part)) < DISTINCT * len(part):
            return False
    steps = np.diff(numbers)
    filled = len(numbers) / (numbers.max() - numbers.min() + 1)
    return bool(filled >= DENSE or (steps > 0).all() or (steps < 0).all())


def _named(column: pd.Series) -> bool:
    """Whether texts are single words, all different, and neither amounts nor times."""
    few = column.iloc[:1000].dropna().astype(str)
    if len(few) < LEAST or few.nunique() < DISTINCT * len(few) or few.str.contains(r"\s", regex=True).mean() > SPACED:
        return False
    amounts = pd.to_numeric(few, errors="coerce").notna().mean() > 0.5 and few.str.contains(".", regex=False).any()
    times = few.str.fullmatch(r"\d{4}-\d\d-\d\d.*").mean() > 0.5
    return not amounts and not times and bool(column.nunique() >= DISTINCT * len(column))


def repeated_persons(table: pd.DataFrame, columns: Iterable[str]) -> Iterator[Repeated]:
    """Yield columns that are called like names of people or cases, where a name stands in several rows.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns that are looked at, by their names first.

    Examples
    --------
    >>> rows = pd.DataFrame({"patient_id": [1, 2, 3, 3, 4, 5], "age": [30, 41, 52, 52, 60, 61]})
    >>> [(found.column, found.repeats) for found in repeated_persons(rows, rows.columns)]
    [('patient_id', 1)]
    """
    for name in columns:
        if not is_name_of_rows(str(name)):
            continue
        known = table[name].dropna()
        people = known.nunique()
        if people and people < len(known) <= PER_PERSON * people:
            yield Repeated(str(name), len(known), len(known) - int(people))
