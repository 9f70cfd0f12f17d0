"""The door for arrays and tables: everything that comes in is in one order of rows, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from evenhand.data.columns import each_column
from evenhand.errors import InputError, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def join_columns(name: str, columns: Mapping[str, object]) -> pd.DataFrame:
    """Return a table of columns that must be equally long; `refuse_misaligned` goes before it.

    Raises
    ------
    InputError
        When lengths differ, or a column is none.
    """
    series = each_column(name, list(columns.items()))
    lengths = {column: len(values) for column, values in series.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"'{shorten(column)}' has {length:,}" for column, length in lengths.items())
        raise InputError(f"{name}: the columns must be equally long: {shorten(told, 300)} rows.")
    return pd.DataFrame({column: values.reset_index(drop=True) for column, values in series.items()})


def refuse_misaligned(name: str, parts: Mapping[str, object]) -> None:
    """Refuse pandas objects whose indexes differ from one another, or from the order of arrays given with them.

    Nothing is aligned here. Arrays have no index: their rows are paired by position, unless the only index there is
    numbers the rows in another order.

    Parameters
    ----------
    name : str
        How sentences call the set.
    parts : mapping of name to what was given
        Columns, tables, and mappings of columns.

    Raises
    ------
    InputError
        When rows would be paired that are called differently.
    """
    given = dict(_flat(parts))
    indexed = {what: index for what, part in given.items() if (index := index_of(part)) is not None}
    first = next(iter(indexed), "")
    for what, index in indexed.items():
        if not index.equals(indexed[first]):
            raise InputError(
                f"{name}: '{shorten(what)}' and '{shorten(first)}' are pandas objects with different indexes, and rows "
                "are not aligned silently. Align them, or pass .to_numpy() to pair them by position."
            )
    if len(indexed) == 1 and len(given) > 1 and in_other_order(indexed[first]):
        raise InputError(_other_order(name, first))


def refuse_other_rows(name: str, index: pd.Index | None, rows: int, parts: Mapping[str, object]) -> None:
    """Refuse pandas objects that do not name the rows of a set: neither by its own index nor by position.

    Parameters
    ----------
    name : str
        How sentences call the set.
    index : pd.Index or None
        The index of what the set was made from, if it had one.
    rows : int
        Rows of the set.
    parts : mapping of name to what was given
        As for `refuse_misaligned`.
    """
    refuse_misaligned(name, parts)
    by_position = index is None or not in_other_order(index)
    for what, part in _flat(parts):
        held = index_of(part)
        if held is None or (index is not None and held.equals(index)):
            continue
        if in_other_order(held) or not by_position:
            raise InputError(_other_order(name, what))
        if index is not None and not held.equals(pd.RangeIndex(rows)):
            raise InputError(
                f"{name}: '{shorten(what)}' has another index than the rows, and rows are not aligned silently. Align "
                "them, or pass .to_numpy() to pair them by position."
            )


def _other_order(name: str, what: str) -> str:
    return (
        f"{name}: the index of '{shorten(what)}' numbers the rows in another order than they are given in. Sort it by "
        "its index, or pass .to_numpy() to pair rows by position."
    )


def in_other_order(index: pd.Index) -> bool:
    """Whether an index holds the positions of all rows, in another order."""
    if isinstance(index, pd.RangeIndex) and index.step > 0:
        return False
    if not pd.api.types.is_integer_dtype(index.dtype) or index.is_monotonic_increasing:
        return False
    values = index.to_numpy()
    return bool(values.min() == 0 and values.max() == len(values) - 1 and index.is_unique)


def index_of(part: object) -> pd.Index | None:
    """Return the index of a pandas object; None of anything else."""
    if isinstance(part, (pd.Series, pd.DataFrame)):
        return part.index
    if isinstance(part, (np.ndarray, list, tuple, Mapping)) or part is None:
        return None
    import narwhals as nw

    native = nw.to_native(cast("Any", part), pass_through=True)
    return native.index if isinstance(native, (pd.Series, pd.DataFrame)) else None


def common_index(parts: Mapping[str, object]) -> pd.Index | None:
    """Return the index of the first pandas object among the parts; None without one."""
    return next((index for _, part in _flat(parts) if (index := index_of(part)) is not None), None)


def _flat(parts: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for what, part in parts.items():
        if isinstance(part, Mapping):
            yield from _flat({f"{what}[{column}]": each for column, each in part.items()})
        elif part is not None:
            yield what, part
