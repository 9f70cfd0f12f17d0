"""Whether the order of the rows, or their time, tells the label; and whether rows were evaluated before fitted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.checks.coding import Told, telling
from evenhand.data.values import is_number
from evenhand.data.vocabulary import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

TIMES: Final = frozenset(
    ("date", "time", "timestamp", "datetime", "day", "month", "year", "week", "日期", "时间", "年")
)
"""Words of columns of times."""


def order_told(truth: ArrayLike, seed: int = 0) -> Told:
    """Return how well a row's place in the table tells a truth of two values.

    Parameters
    ----------
    truth : (n,) array
        0 and 1.
    seed : int
        Seed of the halves.

    Examples
    --------
    >>> order_told([0] * 500 + [1] * 500).auc > 0.99
    True
    """
    true = np.asarray(truth)
    return telling(pd.Series(np.arange(len(true))), true, seed)


def times_of(column: pd.Series) -> NDArray[np.float64] | None:
    """Return (n,) times as numbers, NaN where there is none; None of a column that holds no times.

    Times are columns of dates, texts such as 2021-03-04, and numbers such as 2021 whose name says year.

    Parameters
    ----------
    column : pandas.Series
        (n,) values, with the column's name.

    Examples
    --------
    >>> times_of(pd.Series([2019, 2020], name="year")).tolist()
    [2019.0, 2020.0]
    >>> times_of(pd.Series(["3", "4"], name="rooms")) is None
    True
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        found = pd.to_datetime(column, utc=True)
    elif is_number(column) and column.dtype != object:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        known = values[np.isfinite(values)]
        named = not {"year", "年"}.isdisjoint(words_of(str(column.name)))
        years = named and len(known) > 0 and known.min() >= 1900 and known.max() <= 2100
        return values if years and len(np.unique(known)) > 1 else None
    else:
        few = column.dropna().iloc[:200].astype(str)
        if len(few) < 2 or not few.str.fullmatch(r"\d{4}[-/]\d\d?[-/]\d\d?([T ].*)?").all():
            return None
        found = pd.to_datetime(column.astype(str), errors="coerce", utc=True, format="mixed")
    days = (found - pd.Timestamp("1970-01-01", tz="UTC")) / pd.Timedelta(days=1)
    return np.asarray(days, dtype=np.float64)


def time_columns(table: pd.DataFrame, columns: Iterable[str]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield columns of times, and the times as numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns that are looked at.

    Examples
    --------
    >>> rows = pd.DataFrame({"seen": ["2021-03-04", "2021-03-05"], "rooms": [3, 4]})
    >>> [name for name, _ in time_columns(rows, rows.columns)]
    ['seen']
    """
    for name in columns:
        times = times_of(table[name])
        if times is not None and np.isfinite(times).sum() > 1:
            yield str(name), times


@dataclass(frozen=True, slots=True)
class Early:
    """How many rows were evaluated at a time when rows were still fitted.

    See Also
    --------
    evenhand.data.checks.evaluated_before : Makes it.
    """

    rows: int
    """Evaluation rows with a time."""
    early: int
    """Those before the last row the model was fitted on."""


def evaluated_before(evaluated: NDArray[np.float64], fitted: NDArray[np.float64]) -> Early:
    """Count evaluation rows that are older than the last of the rows a model was fitted on.

    Parameters
    ----------
    evaluated, fitted : (n,) and (m,) arrays
        Times as numbers; NaN where there is none.

    Examples
    --------
    >>> evaluated_before(np.array([3.0, 5.0]), np.array([1.0, 4.0]))
    Early(rows=2, early=1)
    """
    known, last = evaluated[np.isfinite(evaluated)], fitted[np.isfinite(fitted)]
    return Early(len(known), int((known < last.max()).sum()) if len(last) else 0)
