"""The attributions of all explained rows as counts, from which a swarm is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pandas as pd

from evenhand.findings import GroupCounts, Plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining import Attributions

VALUES: Final = 5
"""Fifths of a feature's values that a swarm distinguishes."""
BINS: Final = 60
"""Places across at which a swarm counts rows."""
MOST_FEATURES: Final = 15
"""Most features of a swarm, the most important ones."""


def swarm(attributions: Attributions) -> tuple[GroupCounts, float, list[list[float | None]]]:
    """Return how many explained rows have which attribution and fifth of the feature's values.

    A swarm is drawn from these counts: it has no row of the data, and the same number of dots for any number of rows.
    Then the greatest size of an attribution, and the mean one of each feature and fifth, None where it has no row:
    the counts are too coarse to compute it from them.
    """
    chosen = np.argsort(-np.abs(attributions.values).mean(axis=0), kind="stable")[:MOST_FEATURES]
    values = attributions.values[:, chosen]
    reach = float(np.abs(values).max()) or 1.0
    bins = np.clip(((values / reach + 1) / 2 * BINS).astype(np.int64), 0, BINS - 1)
    counts = np.zeros((len(chosen), VALUES, BINS), dtype=np.int64)
    means = []
    for place, feature in enumerate(chosen):
        fifths = _fifths(attributions, int(feature))
        np.add.at(counts[place], (fifths, bins[:, place]), 1)
        means.append([_mean(values[fifths == fifth, place]) for fifth in range(VALUES)])
    names = tuple((attributions.feature_names[feature],) for feature in chosen)
    axes = ("feature", "fifth of the values", f"attribution in {BINS} places")
    return GroupCounts("attributions", (), names, axes, cast("Plain", counts.tolist())), float(f"{reach:.6g}"), means


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(f"{values.mean():.6g}") if len(values) else None


def _fifths(attributions: Attributions, feature: int) -> NDArray[np.int64]:
    """Return the fifth of each row's value among all, values of a category by the rank of their mean."""
    column = attributions.data.iloc[:, feature]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        column = pd.Series(attributions.values[:, feature]).groupby(pd.factorize(column)[0]).transform("mean")
    if column.nunique() <= VALUES:
        # Few values are distinguished by their order, however many rows each has.
        order = column.rank(method="dense").fillna(1.0).to_numpy() - 1
        return np.asarray(np.rint(order / max(float(order.max()), 1.0) * (VALUES - 1)), dtype=np.int64)
    rank = column.rank(method="average", pct=True).fillna(0.0).to_numpy()
    return np.clip(np.ceil(rank * VALUES).astype(np.int64) - 1, 0, VALUES - 1)
