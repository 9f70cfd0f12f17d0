"""Numbers that are the label's mean within a category: what an encoder of categories makes of the label itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.values import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

FITS: Final = 0.95
"""Share of a number's variance that categories have to explain."""
MOST_VALUES: Final = 5_000
"""Columns of more values are no categories."""
MOST_FOLDS: Final = 20
"""Values of one category that folds make at most."""
APART: Final = 0.25
"""How far, in standard deviations of the means, encoded numbers are from the means of the label at most."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A number that is the mean of the label by the values of a category.

    See Also
    --------
    evenhand.data.checks.target_encodings : Makes it.
    """

    column: str
    """The number."""
    category: str
    """The category; empty where it is none of the table's columns."""
    fit: float
    """The share of the number's variance that the label's means by category explain."""


def target_encodings(
    table: pd.DataFrame, columns: Iterable[str], truth: NDArray[np.generic], others: Iterable[str] = ()
) -> Iterator[Encoding]:
    """Yield numbers that are the label's mean by a category, over all rows or over other folds.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns a model may read.
    truth : (n,) array
        The label as a number.
    others : iterable of str
        Further columns that may be the category.

    Notes
    -----
    Of a category that the table has, the number has to have nearly one value for each of its values, or a few that no
    other one has, and be near the label's mean there. Of one that the table lacks, each value of the number, in at
    least 20 rows, has to be the mean of the label in its rows to six digits.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> city, paid = rng.integers(0, 8, 900), rng.random(900)
    >>> paid = (paid < 0.2 + 0.08 * city).astype(int)
    >>> rows = pd.DataFrame({"city": city.astype(str)})
    >>> rows["city_code"] = pd.Series(paid).groupby(rows["city"]).transform("mean")
    >>> [(found.column, found.category) for found in target_encodings(rows, rows.columns, paid)]
    [('city_code', 'city')]
    """
    names = list(columns)
    true = np.asarray(truth, dtype=np.float64)
    numbers = {name: values for name in names if (values := _encoded(table[name], true)) is not None}
    if not numbers or not true.std():
        return
    categories = {
        name: codes
        for name in dict.fromkeys((*names, *others))
        if name not in numbers and (codes := _categories(table[name])) is not None
    }
    for name, values in numbers.items():
        fits = [
            (fit, category)
            for category, codes in categories.items()
            if category != name and (fit := _fit(values, codes, true)) is not None
        ]
        if fits:
            fit, category = max(fits)
            yield Encoding(name, category, fit)
        elif _is_own_mean(values, true):
            yield Encoding(name, "", 1.0)


def _encoded(column: pd.Series, true: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return numbers that repeat each other, are no whole ones, and have the label's mean; None of others."""
    if not is_number(column) or column.dtype == object:
        return None
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    first = values[:2000]
    if not np.isfinite(values).all() or (first == np.floor(first)).all() or len(np.unique(first)) > 0.5 * len(first):
        return None
    spread = float(values.std())
    return values if 0 < spread < true.std() and abs(values.mean() - true.mean()) <= 0.1 * true.std() else None


def _categories(column: pd.Series) -> NDArray[np.int64] | None:
    codes = pd.factorize(column)[0].astype(np.int64) + 1
    values = int(codes.max(initial=0)) + 1
    return codes if 3 <= values <= min(MOST_VALUES, len(codes) // 5 + 1) else None


def _fit(values: NDArray[np.float64], codes: NDArray[np.int64], true: NDArray[np.float64]) -> float | None:
    """Return how much of a number's variance the label's means explain; None where it is no encoding of these."""
    rows = np.bincount(codes)
    many = np.maximum(rows, 1)
    within, label = np.bincount(codes, values) / many, np.bincount(codes, true) / many
    kept = rows >= 10
    if kept.sum() < 3 or rows[kept].sum() < 0.8 * len(values):
        return None
    at = kept[codes]
    total = float(values[at].var())
    explained = 1 - float(((values - within[codes])[at] ** 2).mean()) / total if total else 0.0
    spread = float(np.sqrt(np.average((label - true.mean())[kept] ** 2, weights=rows[kept])))
    apart = float(np.sqrt(np.average((within - label)[kept] ** 2, weights=rows[kept])))
    few = explained >= FITS or _few_in_each(values[at], codes[at])
    return explained if few and spread > 0 and apart <= APART * spread else None


def _few_in_each(values: NDArray[np.float64], codes: NDArray[np.int64]) -> bool:
    """Whether each category has few values of its own, as it has one for each fold."""
    cells = np.unique(np.column_stack([codes.astype(np.float64), values]), axis=0)
    each = np.unique(cells[:, 0], return_counts=True)[1]
    return bool(each.max() <= MOST_FOLDS and len(np.unique(cells[:, 1])) >= 0.8 * len(cells))


def _is_own_mean(values: NDArray[np.float64], true: NDArray[np.float64]) -> bool:
    known, at, rows = np.unique(values, return_inverse=True, return_counts=True)
    if not 3 <= len(known) <= len(values) // 20:
        return False
    means = np.bincount(at, true) / rows
    kept = rows >= 20
    return bool(kept.sum() >= 3 and np.abs(means - known)[kept].max() <= 1e-6)
