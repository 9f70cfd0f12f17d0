"""The features of a table as codes that rows can be sliced by, and the search over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.slices.effects import Effect, effect
from evenhand.metrics.slices.lattice import Rows
from evenhand.metrics.slices.search import Search, find_slices

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping
    from evenhand.evidence.options import EvidenceOptions

MOST_VALUES: Final = 64
"""Values above which a text is a name and no category."""
FEW_VALUES: Final = 6
"""Numbers with so many values are taken as they are; others are cut at their quartiles."""


SMALLEST: Final = 15
"""Rows of a slice at least, and at least 1 % of them; half a percent of each group where slices are found by a gap."""


@dataclass(frozen=True, slots=True)
class FoundSlices:
    """A search, and what holds for each slice that it found."""

    search: Search
    effects: tuple[Effect, ...]
    """One a slice of the search."""
    rows: int
    """The rows that were searched."""
    of: int
    """The rows that there were; more where a sample was searched."""


def search_slices(
    groupings: tuple[Grouping, ...],
    marks: NDArray[np.bool_],
    data: EvaluationSet,
    options: EvidenceOptions,
    among: NDArray[np.bool_] | None = None,
    group: NDArray[np.bool_] | None = None,
) -> FoundSlices:
    """Search for slices with more marked rows than the others, or a gap between two groups that is wider.

    All rows are searched, or `slice_rows` of them that are drawn with the seed.

    Parameters
    ----------
    groupings : tuple of Grouping
        The features to slice by.
    marks : (n,) boolean array
        What is counted.
    data : EvaluationSet
        The rows: their weights, and whose they are.
    options : EvidenceOptions
        The level, the seed and how many rows are searched at most.
    among : (n,) boolean array, optional
        The rows to take; all without.
    group : (n,) boolean array, optional
        The group of each row, where gaps are searched for.
    """
    weight = data.sample_weight
    kept = np.ones(len(marks), dtype=bool) if among is None else among
    kept = kept if weight is None else kept & (weight > 0)
    sizes = [len(grouping) for grouping in groupings]
    rows = Rows([part.codes for part in groupings], sizes, marks, weight, data.clusters, group)
    there = int(kept.sum())
    if there > options.slice_rows:
        drawn = np.random.default_rng([options.seed, 13]).choice(
            np.flatnonzero(kept), options.slice_rows, replace=False
        )
        kept = np.zeros(len(marks), dtype=bool)
        kept[drawn] = True
    rows = rows if kept.all() else rows.take(kept)
    least = max(SMALLEST, len(rows) // (100 * rows.groups))
    alpha = (1 - options.level) / 2
    search = find_slices(rows, least_rows=least, alpha=alpha, seed=options.seed)
    effects = tuple(effect(part, search, rows, options.level) for part in search.slices)
    return FoundSlices(search, effects, len(rows), there)


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
