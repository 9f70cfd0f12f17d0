"""What single columns hold: one value, missing values, values that look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.lookalikes import alike, kinds_and_names
from evenhand.data.values import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

NEARLY: Final = 0.999
"""Share of the rows with the most frequent value of a column that is nearly constant."""
MOST_VALUES: Final = 2_000
"""Columns of more values hold texts or names, in which looks are not compared."""


def constants(table: pd.DataFrame, columns: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Yield columns with one value in nearly all rows, missing ones counted as one, and its share.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns that are looked at.

    Examples
    --------
    >>> list(constants(pd.DataFrame({"country": ["US"] * 4, "sex": list("fmfm")}), ["country", "sex"]))
    [('country', 1.0)]
    """
    for name in columns:
        column = table[name]
        first = column.iloc[: min(len(column), 500)]
        if len(first) < 2 or _most(first) < 0.98:  # one that varies in a few rows is not looked through
            continue
        share = _most(column)
        if share >= NEARLY:
            yield str(name), share


def _most(column: pd.Series) -> float:
    codes = pd.factorize(column if column.dtype != object else column.astype(str).where(column.notna()))[0]
    return float(np.bincount(codes + 1).max() / len(codes))


def missing_columns(table: pd.DataFrame, columns: Iterable[str]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield columns that lack values in some rows, and (n,) in which.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns that are looked at.

    Notes
    -----
    Texts that people write for a missing value count: an empty one, "?", "unknown".

    Examples
    --------
    >>> rows = pd.DataFrame({"job": ["cook", "?", None], "age": [30, 41, 52]})
    >>> [(name, absent.tolist()) for name, absent in missing_columns(rows, rows.columns)]
    [('job', [False, True, True])]
    """
    for name in columns:
        column = table[name]
        absent = column.isna().to_numpy(dtype=bool, copy=True)
        if not is_number(column) and not pd.api.types.is_bool_dtype(column.dtype):
            codes, found = pd.factorize(column)
            said = [at for at, value in enumerate(found) if str(value).strip().casefold() in ABSENT]
            if said:
                absent |= np.isin(codes, said)
        if absent.any():
            yield str(name), absent


ABSENT: Final = frozenset(
    ("", "?", "unknown", "n/a", "na", "nan", "null", "(missing)", "not available", "未知", "不详")
)
"""Texts that stand for a missing value."""


def lookalike_columns(table: pd.DataFrame, columns: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """Yield columns some of whose values look alike: how many do, and in how many rows.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns that are looked at.

    Examples
    --------
    >>> rows = pd.DataFrame({"city": ["Lyon", "lyon ", "Paris", "Lyon"]})
    >>> list(lookalike_columns(rows, ["city"]))
    [('city', 2, 3)]
    """
    from evenhand.data.lookalikes import skeleton

    for name in columns:
        column = table[name]
        if (
            is_number(column)
            or pd.api.types.is_bool_dtype(column.dtype)
            or column.iloc[:5000].nunique() > MOST_VALUES / 2
        ):
            continue
        known = kinds_and_names(column)
        if len(known) > MOST_VALUES:
            continue
        found = alike(known)
        if found:
            looks: dict[str, int] = {}
            for _, each in known:
                looks[skeleton(each)] = looks.get(skeleton(each), 0) + 1
            rows = column.dropna().astype(str)
            many = rows.map({each: looks[skeleton(each)] > 1 for each in rows.unique()})
            yield str(name), sum(map(len, found)), int(many.sum())
