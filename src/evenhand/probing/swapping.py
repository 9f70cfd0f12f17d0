"""Rows given the sensitive value of another group, with its proxies at the same place in that group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evenhand.data import Grouping

__all__ = ["as_another_group"]

LEAST: Final = 10
"""Rows of the other group that places are taken from, at least."""


def as_another_group(
    table: pd.DataFrame, rows: NDArray[np.intp], grouping: Grouping, to: int, proxies: Sequence[str],
    order: NDArray[np.float64], seed: int = 0,
) -> pd.DataFrame | None:  # fmt: skip
    """Return rows as they would be in another group: its sensitive value, and its proxies at the row's quantile.

    A number goes to the number at the same quantile of the other group (its nearest value that occurs). A category has
    no order of its own: the categories are ordered by the mean of `order` over all rows, and rows of one category
    spread evenly over its part, by the seed.

    Parameters
    ----------
    table : table
        (n, m) all rows; may or may not have the sensitive column.
    rows : (k,) array of int
        Positions of the rows that are changed.
    grouping : Grouping
        The groups of the sensitive column, over all rows.
    to : int
        The other group.
    proxies : sequence of str
        Columns that are changed with it.
    order : (n,) array
        A number of each row, such as the model's score, by which categories are ordered.
    seed : int
        Of the places of rows with equal values.

    Returns
    -------
    table or None
        None where the other group has too few rows to take places from.

    Examples
    --------
    >>> import evenhand as eh
    >>> sexes = eh.read_evaluation_set(
    ...     {"sex": ["f"] * 10 + ["m"] * 10, "pay": [*range(10), *range(100, 110)], "y": [0, 1] * 10}, label="y",
    ...     sensitive_features="sex",
    ... )
    >>> places = as_another_group(sexes.table, np.arange(3), sexes.grouping("sex"), 1, ["pay"], np.zeros(20))
    >>> places[["sex", "pay"]].values.tolist()
    [['m', 100], ['m', 101], ['m', 102]]
    """
    column, codes = grouping.columns[0], grouping.codes
    others = np.flatnonzero(codes == to)
    if len(others) < LEAST:
        return None
    changed = table.iloc[rows].copy()
    if column in table.columns:
        changed[column] = pd.Series([table[column].iloc[others[0]]] * len(rows), index=changed.index).astype(
            table[column].dtype
        )
    drawn = np.random.default_rng([seed, 35]).permutation(len(table))
    for proxy in proxies:
        ranked = _ranked(table[proxy], order)
        places = _quantiles(ranked, codes, drawn)[rows]
        theirs = others[np.lexsort((drawn[others], ranked[others]))]
        at = theirs[np.minimum((places * len(theirs)).astype(np.intp), len(theirs) - 1)]
        changed[proxy] = table[proxy].iloc[at].set_axis(changed.index)
    return changed


def _ranked(values: pd.Series, order: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers that order a column: its own, or the means of `order` over each category; missing ones last."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(np.where(np.isnan(numbers), np.inf, numbers))
    codes, known = pd.factorize(values, use_na_sentinel=False)
    means = np.bincount(codes, weights=order, minlength=len(known)) / np.bincount(codes, minlength=len(known))
    return np.asarray(np.lexsort((np.arange(len(known)), means)).argsort()[codes], dtype=np.float64)


def _quantiles(ranked: NDArray[np.float64], codes: NDArray[np.int32], drawn: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return (n,) the quantile of each row within its own group, the middle of its step."""
    found = np.empty(len(ranked))
    for group in np.unique(codes):
        mine = np.flatnonzero(codes == group)
        by = mine[np.lexsort((drawn[mine], ranked[mine]))]
        found[by] = (np.arange(len(by)) + 0.5) / len(by)
    return found
