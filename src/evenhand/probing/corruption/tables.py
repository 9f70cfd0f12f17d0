"""Corruptions of tables: noise, missing cells, slips of unit, rounding, other categories, misspelt ones.

Whole numbers stay whole, numbers stay within the range of the training rows (but for slips of unit, which leave it),
categories are others of the same column, and immutable columns stay as they are. One draw serves all severities: a
cell that is hit at one is hit at every greater one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from evenhand.messages import message
from evenhand.probing.corruption.corruption import Corruption
from evenhand.probing.corruption.texts import misspelt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.probing.corruption.ranges import Column, Ranges

SLIPS: Final = np.array([10.0, 0.1, 12.0, 1 / 12, 100.0, 0.01, 1000.0, 0.001])
"""What amounts are multiplied by: a decimal place, a month for a year, cents, thousands; and back."""
WAYS: Final = 8
"""Ways in which a category is misspelt."""
LEAST_RANGE: Final = 10.0
"""A column of amounts in some unit reaches at least so far; counts of a few things do not."""
STEPS: Final = (1.0, 2.0, 5.0, 10.0)
"""What people round to, times a power of ten."""


def noise(table: pd.DataFrame, amount: float, rng: np.random.Generator, ranges: Ranges) -> pd.DataFrame:
    """Add normal noise to numbers, so many standard deviations of the training rows wide.

    A cell that holds what more than half of the training rows do, such as no capital gain at all, stays as it is.
    """
    changed = table.copy()
    for name, column in ranges.of("number").items():
        own, drawn = _floats(table[name]), rng.standard_normal(len(table))
        moved = np.where(own == column.usual, own, own + amount * column.spread * drawn)
        changed[name] = _within(table[name], moved, column)
    return changed


def rounding(table: pd.DataFrame, amount: float, rng: np.random.Generator, ranges: Ranges) -> pd.DataFrame:
    """Round numbers to a step of 1, 2 or 5 times a power of ten, at most so many standard deviations."""
    changed = table.copy()
    for name, column in ranges.of("number").items():
        step = _step(amount * column.spread)
        if step > 0:
            changed[name] = _within(table[name], np.rint(_floats(table[name]) / step) * step, column)
    return changed


def missing(table: pd.DataFrame, amount: float, rng: np.random.Generator, ranges: Ranges) -> pd.DataFrame:
    """Empty a share of cells; fill them with mean or most frequent value where the model takes no missing ones."""
    changed = table.copy()
    for name, column in ranges.of("number", "category").items():
        hit = (rng.random(len(table)) < amount) & table[name].notna().to_numpy()
        if column.kind in ranges.takes_missing:
            changed[name] = table[name].mask(hit)
        elif column.kind == "number":
            mean = np.rint(column.mean) if column.whole else column.mean
            changed[name] = _put(table[name], hit, np.full(len(table), mean))
        else:
            changed[name] = _put(table[name], hit, _objects([column.values[0]] * len(table)))
    return changed


def units(table: pd.DataFrame, amount: float, rng: np.random.Generator, ranges: Ranges) -> pd.DataFrame:
    """Multiply a share of amounts as if they were in another unit."""
    changed = table.copy()
    for name, column in _amounts(ranges).items():
        hit, factor = rng.random(len(table)) < amount, SLIPS[rng.integers(0, len(SLIPS), len(table))]
        slipped = _floats(table[name]) * factor
        changed[name] = _put(table[name], hit, np.rint(slipped) if column.whole else slipped)
    return changed


def categories(table: pd.DataFrame, amount: float, rng: np.random.Generator, ranges: Ranges) -> pd.DataFrame:
    """Give a share of cells another category of their column, as often as training rows have it."""
    changed = table.copy()
    for name, column in ranges.of("category").items():
        hit, drawn = rng.random(len(table)) < amount, rng.random(len(table))
        hit &= table[name].notna().to_numpy()
        changed[name] = _put(table[name], hit, _objects(column.values)[_others(table[name], column, drawn)])
    return changed


def typos(table: pd.DataFrame, amount: float, rng: np.random.Generator, ranges: Ranges) -> pd.DataFrame:
    """Misspell a share of cells: one slip of the finger in a category, one in so many letters of a text."""
    changed = table.copy()
    for name, column in _strings(ranges).items():
        hit, way = rng.random(len(table)) < amount, rng.integers(0, WAYS, len(table))
        codes, known = pd.factorize(table[name].astype(object))
        values, there = table[name].astype(object).to_numpy().copy(), codes >= 0
        if column.kind == "category":
            each = [[misspelt(str(word), 0.0, one, once=True) for one in rng.spawn(WAYS)] for word in known]
            values[there & hit] = _objects(each)[codes, way][there & hit] if each else values[there & hit]
        else:
            texts = [str(value) for value in values[there]]
            drawn = rng.spawn(len(texts))
            values[there] = [misspelt(text, amount / 10, one) for text, one in zip(texts, drawn, strict=True)]
        categorical = isinstance(table[name].dtype, pd.CategoricalDtype)
        changed[name] = pd.Series(values, index=table.index, dtype=object if categorical else table[name].dtype)
    return changed


def _floats(values: pd.Series) -> NDArray[np.float64]:
    return np.asarray(pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan))


def _within(values: pd.Series, moved: NDArray[np.float64], column: Column) -> pd.Series:
    """Return moved numbers, whole where the column is, and no farther out than training rows or the value itself."""
    own = _floats(values)
    moved = np.rint(moved) if column.whole else moved
    inside = np.clip(moved, np.fmin(own, column.low), np.fmax(own, column.high))
    return _put(values, np.isfinite(own), inside)


def _put(values: pd.Series, hit: NDArray[np.bool_], other: NDArray[Any]) -> pd.Series:
    """Return a column in which some cells have another value, of the same type where it can hold them."""
    if not hit.any():
        return values
    kind = values.dtype
    if pd.api.types.is_integer_dtype(kind):
        bounds = np.iinfo(getattr(kind, "numpy_dtype", kind))
        other = np.clip(np.where(hit, other, 0).astype(np.float64), bounds.min, np.nextafter(float(bounds.max), 0))
    found = values.copy()
    found[hit] = pd.Series(other[hit], index=values.index[hit]).astype(kind)
    return found


def _objects(values: Any) -> NDArray[np.object_]:
    """Return values, or rows of as many values each, as an array of objects."""
    shape = (len(values), len(values[0])) if len(values) and isinstance(values[0], list) else (len(values),)
    made = np.empty(shape, dtype=object)
    made[:] = values
    return made


def _step(most: float) -> float:
    """Return the greatest step that people round to, at most so large; 0 for no number above 0."""
    if not most > 0 or not math.isfinite(most):
        return 0.0
    power = 10.0 ** math.floor(math.log10(most))
    return max((step * power for step in STEPS if step * power <= most * (1 + 1e-9)), default=power)


def _others(values: pd.Series, column: Column, drawn: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the position of another category for each cell, by the shares of all but its own."""
    ends = np.cumsum(column.shares)
    own = pd.Index(_objects(column.values)).get_indexer(pd.Index(values.astype(object)))
    share = np.where(own >= 0, column.shares[own], 0.0)
    start = np.where(own >= 0, ends[own] - column.shares[own], np.inf)
    at = drawn * (ends[-1] - share)
    found = np.searchsorted(ends, np.where(at >= start, at + share, at), side="right")
    found = np.minimum(found, len(ends) - 1)
    same = found == own  # by rounding at an end alone
    return np.asarray(np.where(same, np.where(own == 0, 1, own - 1), found), dtype=np.intp)


def _amounts(ranges: Ranges) -> dict[str, Column]:
    """Return the columns whose numbers are amounts in some unit: none below 0, and some far above."""
    return {name: each for name, each in ranges.of("number").items() if each.low >= 0 and each.high >= LEAST_RANGE}


def _strings(ranges: Ranges) -> dict[str, Column]:
    """Return the columns in which letters can be mistyped: free text, and categories if unseen ones are taken."""
    found = ranges.of("category", "text") if ranges.takes_unseen else ranges.of("text")
    return {name: column for name, column in found.items() if column.strings}


def _no_numbers(ranges: Ranges) -> str:
    return "" if ranges.of("number") else message("No column of numbers may change.")


def _no_amounts(ranges: Ranges) -> str:
    return "" if _amounts(ranges) else message("No column of amounts in some unit may change.")


def _no_categories(ranges: Ranges) -> str:
    return "" if ranges.of("category") else message("No column of categories may change.")


def _no_cells(ranges: Ranges) -> str:
    return "" if ranges.of("number", "category") else message("No column may change.")


def _no_strings(ranges: Ranges) -> str:
    if _strings(ranges):
        return ""
    if any(column.strings for column in ranges.of("category").values()):
        return message("The model takes no category that it has not seen.")
    return message("No column of texts may change.")


SPREADS: Final = message("{mild:g}, {medium:g} and {strong:g} standard deviations")
CELLS: Final = message("{mild:g} %, {medium:g} % and {strong:g} % of the cells")
TABLES: Final = (
    Corruption("noise", "table", (0.1, 0.25, 0.5), message("Numbers with normal noise"), SPREADS, noise, _no_numbers),
    Corruption("missing", "table", (0.05, 0.1, 0.3), message("Missing cells"), CELLS, missing, _no_cells, 100),
    Corruption("units", "table", (0.01, 0.05, 0.2), message("Amounts in another unit"), CELLS, units, _no_amounts, 100),
    Corruption(
        "rounding", "table", (0.25, 0.5, 1.0), message("Rounded numbers"),
        message("steps of at most {mild:g}, {medium:g} and {strong:g} standard deviations"), rounding, _no_numbers,
    ),
    Corruption("categories", "table", (0.05, 0.1, 0.3), message("Another category"), CELLS, categories,
        _no_categories, 100,
    ),
    Corruption(
        "typos", "table", (0.05, 0.1, 0.3), message("Misspelt words"),
        message("{mild:g} %, {medium:g} % and {strong:g} % of the cells, of free text a tenth of that of the letters"),
        typos, _no_strings, 100,
    ),
)  # fmt: skip
"""Corruptions of tables; the first tells how far mild noise moves scores."""
