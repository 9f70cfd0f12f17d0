"""Whatever comes in as a column, columns or numbers: pandas columns of plain values, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

from evenhand.data.batches import as_array
from evenhand.errors import InputError, quoted, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

_PLAIN: Final = frozenset(
    {"string", "boolean", "floating", "mixed-integer-float", "decimal", "date", "datetime", "datetime64",
     "time", "timedelta", "timedelta64", "period", "interval", "categorical", "empty"}
)  # fmt: skip
"""Kinds of object columns in which every value is a single one of the same kind."""
MANY: Final = 10_000
"""Texts in an array from which on equal ones are converted once."""
MOST_CATEGORIES: Final = 10_000
"""Different texts up to which a column is kept as categories: as many as make groups."""
MOST_CELLS: Final = 1 << 21
"""Numbers that are counted one by one: there are fewer characters."""
LEAST_ROOM: Final = 1 << 16
"""Numbers up to which they are not closed up, however few rows there are."""
LONG_ROW: Final = 64
"""Texts that are compared at once."""
_MOST_BITS: Final = 1024
"""A whole number of more bits is no number that can be written or compared as one."""


def one_column(values: object, what: str) -> pd.Series:
    """Return one column (list, array, tensor, pandas, Polars, PyArrow) as a pandas one of plain values.

    Masked entries become missing values, and bytes become text.

    Parameters
    ----------
    values : object
        (n,) or (n, 1) values.
    what : str
        How sentences call it.

    Raises
    ------
    InputError
        When it has more dimensions or none, or holds lists, arrays, records or complex numbers.
    """
    series, problems = plain_values(_as_series(values, what), what)
    raise_all(InputError, problems)
    return series


def plain_values(column: pd.Series, what: str) -> tuple[pd.Series, tuple[str, ...]]:
    """Return a column with single values of plain kinds, and a sentence for each kind that is none."""
    if pd.api.types.is_complex_dtype(column.dtype):
        return column, (_COMPLEX.format(what),)
    if column.dtype != object:
        return column, ()
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "bytes":
        return _decoded(column, what)
    problems = () if kind in _PLAIN else tuple(_object_problems(column.dropna(), what))
    return (column if problems or kind == "string" else column.infer_objects()), problems


_COMPLEX: Final = "{} holds complex numbers, which have no order."


def _object_problems(found: pd.Series, what: str) -> Iterator[str]:
    nested = next((type(v).__name__ for v in found if isinstance(v, (list, tuple, dict, set, np.ndarray))), None)
    if nested is not None:
        yield f"{what} holds values that are lists or records ({nested}), and a column holds single values."
    if any(isinstance(value, int) and value.bit_length() > _MOST_BITS for value in found):
        yield f"{what} holds whole numbers of more than 300 digits; keep such codes as text."
    if any(isinstance(value, (complex, np.complexfloating)) for value in found):
        yield _COMPLEX.format(what)


def _decoded(column: pd.Series, what: str) -> tuple[pd.Series, tuple[str, ...]]:
    try:
        return column.map(lambda value: value.decode("utf-8"), na_action="ignore"), ()
    except UnicodeDecodeError:
        return column, (f"{what} holds bytes that are no UTF-8 text; decode them.",)


def _as_series(values: object, what: str) -> pd.Series:
    values = native(values)
    if isinstance(values, pd.Series):
        return values
    if isinstance(values, (pd.Index, pd.Categorical, pd.api.extensions.ExtensionArray)):
        return _series_of(list(values), what) if isinstance(values, pd.MultiIndex) else pd.Series(values)
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise InputError(f"{what} is a {type(values).__name__}, not a column of values.")
    listed = isinstance(values, (list, tuple)) or not (hasattr(values, "__array__") or hasattr(values, "detach"))
    try:
        array = list(cast("Iterable[object]", values)) if listed else as_array(values)
        shape = np.asarray(array, dtype=object).shape if listed else array.shape  # type: ignore[union-attr]
    except ValueError:
        raise InputError(f"{what} is ragged: its rows differ in length, and a column has one value a row.") from None
    if len(shape) == 2 and shape[1] == 1:
        array, shape = np.asarray(array)[:, 0], shape[:1]
    if len(shape) != 1:
        hint = " Pass the scores of the positive class: scores[:, 1]." if what.endswith("y_score") else ""
        raise InputError(f"{what} has the shape {shape}; a column has one dimension.{hint}")
    return _series_of(array, what)


def _series_of(array: Any, what: str) -> pd.Series:
    if not isinstance(array, list) and array.dtype.names:
        raise InputError(f"{what} holds records of {shorten(array.dtype.names)}; pass each of them as a column.")
    try:
        if not isinstance(array, list) and array.dtype.kind == "S":
            array = np.char.decode(array, "utf-8")
        short = not isinstance(array, list) and array.dtype.kind == "U" and len(array) >= MANY
        return _of_few_texts(array) if short else pd.Series(array)
    except OverflowError:  # thousands of digits, which pandas before 3 tries as a float
        return pd.Series(array, dtype=object)
    except UnicodeDecodeError:
        raise InputError(f"{what} holds bytes that are no UTF-8 text; decode them.") from None
    except UnicodeEncodeError as wrong:  # half of a surrogate pair
        raise InputError(f"{what} holds {ascii(wrong.object)[:80]}, which is no Unicode text. Mend the rows.") from None


def _of_few_texts(array: NDArray[np.str_]) -> pd.Series:
    """Return a column of texts, as categories where few differ: only these are converted, which is most of the cost.

    A text is a number whose digits are its characters; numbers are closed up where they become great, so that they
    count the different beginnings. Their order is that of the texts.
    """
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    width = array.dtype.itemsize // 4
    found = _numbered(np.ascontiguousarray(array).view(np.uint32).reshape(len(array), width)) if width else None
    if found is None:
        return pd.Series(array)
    codes, size = found
    first = np.empty(size, dtype=np.intp)
    first[codes] = np.arange(len(array))
    return pd.Series(_categorical(codes, array[first].tolist()))


def _numbered(signs: NDArray[np.uint32]) -> tuple[NDArray[np.integer[Any]], int] | None:
    """Return the place of each row (n, width) among the different rows in order, and their number; None of many."""
    low, high = (_extremes(signs, end) for end in (np.minimum, np.maximum))
    codes, cells, room = np.zeros(len(signs), dtype=np.int32), 1, max(len(signs), LEAST_ROOM)
    for at in np.flatnonzero(high > low):
        part, size = (signs[:, at] - low[at]).astype(np.int32), int(high[at] - low[at]) + 1
        if cells * size > room:
            codes, cells = _closed_up(codes, cells, np.int32)
        if cells * size > room:
            part, size = _closed_up(part, size, np.int32)
        if cells * size > MOST_CELLS:
            return None
        codes *= size
        codes += part
        cells *= size
    found, different = _closed_up(codes, cells, np.int16)
    return None if different > MOST_CATEGORIES else (found, different)


def _closed_up(codes: NDArray[np.integer[Any]], cells: int, kind: type[np.integer[Any]]) -> tuple[NDArray[Any], int]:
    """Return codes numbered anew, without those that no row has, and how many there are."""
    there = np.bincount(codes, minlength=cells) > 0
    return (np.cumsum(there) - 1).astype(kind)[codes], int(there.sum())


def _extremes(signs: NDArray[np.uint32], end: np.ufunc) -> NDArray[np.uint32]:
    """Return the least or greatest of each column; several rows are compared at once, as if they were one long row."""
    width, whole = signs.shape[1], len(signs) // LONG_ROW * LONG_ROW
    long = end.reduce(signs[:whole].reshape(-1, LONG_ROW * width), axis=0).reshape(LONG_ROW, width)
    return np.asarray(end.reduce(np.concatenate([long, signs[whole:]]), axis=0))


def categorized(column: pd.Series) -> pd.Series:
    """Return a column of texts as categories in the order of their text; any other as it is.

    Texts are compared row by row once, here: missing values, groups and hashes are of the categories from there on.
    """
    if not isinstance(column.dtype, pd.StringDtype) and column.dtype != object:
        return column
    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) != "string":
        return column
    codes, found = pd.factorize(column)
    if len(found) > MOST_CATEGORIES:
        return column
    texts = list(found)
    positions = sorted(range(len(texts)), key=texts.__getitem__)
    rank = np.empty(len(texts) + 1, dtype=np.int16)
    rank[positions] = np.arange(len(texts))
    rank[-1] = -1  # where a missing value's code of -1 looks
    ordered = _categorical(rank[codes], [texts[at] for at in positions])
    return pd.Series(ordered, index=column.index, name=column.name)


def _categorical(codes: NDArray[np.integer[Any]], texts: list[str]) -> pd.Categorical[Any]:
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(pd.Index(texts)))


def native(values: object) -> object:
    """Return a column of another library as a pandas one; anything else as it is."""
    if isinstance(values, (pd.Series, pd.DataFrame, np.ndarray, list, tuple, Mapping)):
        return values
    import narwhals as nw

    values = nw.to_native(values, pass_through=True)
    wrapped = nw.from_native(values, pass_through=True, allow_series=True)
    return wrapped.to_pandas() if isinstance(wrapped, nw.Series) else values


def named_columns(values: object, unnamed: str, name: str) -> dict[str, pd.Series]:
    """Return the columns of whatever was given, by name.

    Parameters
    ----------
    values : object
        A column, (n, k) columns, a table, or a mapping of names to columns; None for no column.
    unnamed : str
        The name of one without a name; several take its number up where it ends in ``_0``.
    name : str
        How sentences call the set.

    Raises
    ------
    InputError
        When a column is none, or two have one name.
    """
    if values is None:
        return {}
    values = native(values)
    if isinstance(values, Mapping):
        return each_column(name, [(str(column), part) for column, part in values.items()])
    if isinstance(values, pd.DataFrame):
        return each_column(name, [(str(column), values.iloc[:, at]) for at, column in enumerate(values.columns)])
    if hasattr(values, "columns"):
        import narwhals as nw

        table = nw.from_native(cast("Any", values), eager_only=True)
        return each_column(name, [(column, table[column]) for column in table.columns])
    what = f"{name}: {unnamed.removesuffix('_0')}"
    if unnamed.endswith("_0") and not isinstance(values, pd.Series):
        array = _columns_of(values, what)
        if array is not None:
            parts = [pd.Series(array[:, at]).infer_objects() for at in range(array.shape[1])]
            return each_column(name, [(f"{unnamed[:-1]}{at}", part) for at, part in enumerate(parts)])
    series = one_column(values, what)
    return {unnamed if series.name in (None, "") else str(series.name): series}


def _columns_of(values: object, what: str) -> NDArray[Any] | None:
    """Return values of two dimensions as an array; None for those of another number."""
    try:
        array = np.asarray(values, dtype=object) if isinstance(values, (list, tuple)) else as_array(values)
    except ValueError:
        raise InputError(f"{what} is ragged: its rows differ in length.") from None
    return array if array.ndim == 2 else None


def each_column(name: str, parts: Sequence[tuple[str, object]]) -> dict[str, pd.Series]:
    """Return columns by name, each checked; no two have one name."""
    refuse_repeats(name, [column for column, _ in parts])
    return {column: one_column(part, f"{name}: column '{shorten(column)}'") for column, part in parts}


def matrix(values: object, names: Sequence[object], what: str) -> NDArray[np.float64]:
    """Return numbers (n, k) of named columns, or (n,) without names.

    A table whose columns are called by the names, in any order, is put into their order.

    Raises
    ------
    InputError
        When they are no numbers, or a table has the names of some columns and not of the others.
    """
    values = native(values)
    if not names or isinstance(values, pd.Series):
        return _numbers(one_column(values, what), what)
    if hasattr(values, "columns"):
        return _in_order(values, [str(name) for name in names], what)
    try:
        array = as_array(values)
        if array.dtype.kind not in "cUS":
            return array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        pass
    raise InputError(f"{what} is no array of numbers.")


def _in_order(table: object, names: list[str], what: str) -> NDArray[np.float64]:
    parts = named_columns(table, "", what)
    said = list(parts)
    default = isinstance(table, pd.DataFrame) and isinstance(table.columns, pd.RangeIndex)
    if not default and set(said) & set(names):
        if set(said) != set(names):
            raise InputError(f"{what}: the columns are {shorten(said)}; needed are {shorten(names)}.")
        said = names
    return np.column_stack([_numbers(parts[column], f"{what}: column '{column}'") for column in said])


def _numbers(column: pd.Series, what: str) -> NDArray[np.float64]:
    if not pd.api.types.is_numeric_dtype(column.dtype):
        first = next(iter(column.dropna()), None)
        raise InputError(f"{what} holds {quoted(first)}, which is no number.")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def refuse_repeats(name: str, columns: Sequence[str]) -> None:
    """Refuse a table in which two columns have one name, or one has a name that is no text."""
    if len(set(columns)) < len(columns):
        times = {column: count for column in dict.fromkeys(columns) if (count := columns.count(column)) > 1}
        told = ", ".join(f"'{shorten(column)}' ({count} times)" for column, count in times.items())
        raise InputError(f"{name}: column names are in the table more than once: {told}. Rename or drop them.")
    for column in columns:
        if not is_text(column):
            raise InputError(f"{name}: the column name {ascii(column)[:80]} is no Unicode text. Rename the column.")


def is_text(value: object) -> bool:
    """Whether a text can be written: a half of a surrogate pair cannot."""
    return not isinstance(value, str) or value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)
