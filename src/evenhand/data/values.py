"""Single values: as plain Python, as text, and whether two of them mean the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray


def plain(value: object) -> object:
    """Return a value as a Python object; whole floats become integers."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def show(value: object) -> str:
    """Return a value as the page shows it: ``1.0`` as "1", ``np.float32(0.1)`` as "0.1"."""
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else str(value)
    return str(value)


def absence(said: str, column: pd.Series, way: str = "Fill them or drop the rows.") -> Iterator[str]:
    """Yield the sentence about missing values of a column; it begins with `said`."""
    if absent := int(column.isna().sum()):
        yield f"{said} no value in {absent:,} of {len(column):,} rows. {way}"


def is_number(column: pd.Series) -> bool:
    """Return whether a column holds numbers, of which true and false are none."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return is_numeric_dtype(column.dtype) and not is_bool_dtype(column.dtype)


def order(values: Sequence[object]) -> list[int]:
    """Return the positions of `values` in order: numbers (and False before True) by size, then all else by its text."""
    return sorted(range(len(values)), key=lambda at: _rank(values[at]))


def match(value: object, known: Iterable[object]) -> object | None:
    """Return the one of `known` that `value` means, or None.

    A value from a command line or a configuration file may be text where the table holds numbers: "1" means 1, 1.0
    and True when nothing equals it more closely.
    """
    candidates = list(known)
    for same in (_equal, _equal_text, _equal_number):
        for candidate in candidates:
            if same(value, candidate):
                return candidate
    return None


def listed(values: Iterable[object], most: int = 8) -> str:
    """Return values in words for a sentence: ``'no', 'yes'``."""
    found = [repr(masked(plain(value))) for value in values]
    return ", ".join(found[:most]) + (f" and {len(found) - most:,} more" if len(found) > most else "")


def _rank(value: object) -> tuple[bool, float, str]:
    number = _number(value) if not isinstance(value, str) else None
    return number is None, 0.0 if number is None else number, show(value)


def _number(value: object) -> float | None:
    if not isinstance(value, (bool, int, float, str, np.number, np.bool_)):
        return None
    if isinstance(value, str) and value.strip().casefold() in ("true", "false"):
        return float(value.strip().casefold() == "true")
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _equal(left: object, right: object) -> bool:
    return type(left) is type(right) and left == right


def _equal_text(left: object, right: object) -> bool:
    return show(left) == show(right)


def _equal_number(left: object, right: object) -> bool:
    first, second = _number(left), _number(right)
    return first is not None and first == second


CHUNK = 1 << 18
"""Rows looked at together: the table that finds distinct values is as long as the rows that it is given."""


def distinct(column: pd.Series) -> list[object]:
    """Return the distinct values of a column, but missing ones, as plain Python values, in the order they appear in."""
    if (two := _neighbours(column)) is not None:
        return [plain(value) for value in two]
    parts = [column.iloc[start : start + CHUNK].dropna().unique() for start in range(0, len(column), CHUNK)]
    return [plain(value) for value in dict.fromkeys(value for part in parts for value in part)]


def coded(column: pd.Series) -> tuple[NDArray[np.intp], list[object]]:
    """Return the place of each value in the distinct ones, and these; a missing value's place is -1."""
    import pandas as pd

    if (two := _neighbours(column)) is not None:
        return (column.to_numpy() != two[0]).astype(np.intp), [plain(value) for value in two]
    codes, found = pd.factorize(column)
    return codes, [plain(value) for value in found]


def _neighbours(column: pd.Series) -> list[object] | None:
    """Return the values of a column of one whole number or of two that follow each other, such as 0 and 1.

    The least and the greatest say it, at a fraction of what a table of distinct values costs. None of others.
    """
    if not len(column) or not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "iub":
        return None
    values = column.to_numpy()
    low, high = values.min(), values.max()
    if int(high) - int(low) > 1:
        return None
    return [low] if low == high else [values[0], high if values[0] == low else low]


def categories_of(column: pd.Series) -> list[object]:
    """Return the categories of a categorical column that rows have, in their order."""
    rows = np.bincount(column.cat.codes.to_numpy().astype(np.intp) + 1, minlength=len(column.cat.categories) + 1)
    return list(column.cat.categories[rows[1:] > 0])
