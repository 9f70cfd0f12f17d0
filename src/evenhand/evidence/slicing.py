"""The features of a table as codes that rows can be sliced by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.slices.search import Confirmed, Search, confirm, find_slices

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping

MOST_VALUES: Final = 64
"""Values above which a text is a name and no category."""
FEW_VALUES: Final = 6
"""Numbers with so many values are taken as they are; others are cut at their quartiles."""


SMALLEST: Final = 15
"""Rows of a slice in the half that is searched, at least; and at least 1 % of them."""


@dataclass(frozen=True, slots=True)
class Half:
    """One half of the rows: to search, or to confirm."""

    codes: list[NDArray[np.int32]]
    """The codes of each feature, for the rows of this half."""
    events: NDArray[np.bool_]
    """Which of them are counted."""
    rows: NDArray[np.bool_]
    """(n,) which of all rows they are."""


def halves(
    groupings: tuple[Grouping, ...], events: NDArray[np.bool_], seed: int, among: NDArray[np.bool_] | None = None
) -> tuple[Half, Half]:
    """Return the half of the rows that is searched and the half that confirms, each of the rows `among` alone."""
    rows = len(events)
    searched = np.random.default_rng([seed, 7]).permutation(rows) < rows // 2
    parts = (searched, ~searched) if among is None else (among & searched, among & ~searched)
    first, second = (Half([grouping.codes[part] for grouping in groupings], events[part], part) for part in parts)
    return first, second


def search_slices(
    groupings: tuple[Grouping, ...], events: NDArray[np.bool_], seed: int, among: NDArray[np.bool_] | None = None
) -> tuple[Search, tuple[Confirmed, ...]]:
    """Search one half of the rows, and count the slices found again on the other half."""
    first, second = halves(groupings, events, seed, among)
    least = max(SMALLEST, len(first.events) // 100)
    search = find_slices(first.codes, [len(grouping) for grouping in groupings], first.events, least_rows=least)
    return search, tuple(confirm(search.slices, second.codes, second.events))


def sliceable(data: EvaluationSet) -> Iterator[Grouping]:
    """Yield each feature that has between 2 and `MOST_VALUES` values, numbers cut at their quartiles."""
    from pandas.api.types import is_datetime64_any_dtype

    from evenhand.data.grouping import encode
    from evenhand.data.values import is_number

    roles = data.roles
    named = dict.fromkeys((*roles.sensitive_features, *roles.control_features, *data.features))
    for column in named:
        if column in roles.sensitive_features:
            grouping = data.grouping(column)
        else:
            values = data.table[column]
            if is_number(values):
                edges = _quartiles(values)
                if values.nunique() > FEW_VALUES and not edges:
                    continue
                grouping = encode(column, values, edges if values.nunique() > FEW_VALUES else None)
            elif values.nunique() > MOST_VALUES or is_datetime64_any_dtype(values.dtype):
                continue
            else:
                grouping = encode(column, values)
        if 2 <= len(grouping) <= MOST_VALUES + 1:
            yield grouping


def _quartiles(values: pd.Series) -> list[float]:
    """Return the distinct quartiles that leave values on both sides."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return []
    found = np.unique(np.quantile(numbers, [0.25, 0.5, 0.75], method="inverted_cdf"))
    return [float(edge) for edge in found if edge > numbers.min()]
