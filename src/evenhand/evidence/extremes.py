"""The groups between which a gap is explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import Grouping

LEAST_EXPLAINED: Final = 5
"""Explained rows of a group below which contributions to its gap are not stated."""


def extreme_groups(grouping: Grouping, chosen: NDArray[np.int64], y_pred: NDArray[Any]) -> tuple[int, int] | None:
    """Return the groups selected least and most often, of those with enough chosen rows; None for fewer than two."""
    size = len(grouping)
    explained = np.bincount(grouping.codes[chosen], minlength=size)
    rows = np.bincount(grouping.codes, minlength=size)
    hits = np.bincount(grouping.codes, weights=y_pred, minlength=size)
    known = np.flatnonzero(explained >= LEAST_EXPLAINED)
    if len(known) < 2:
        return None
    rate = hits[known] / rows[known]
    least, most = int(known[np.argmin(rate)]), int(known[np.argmax(rate)])
    return None if least == most else (least, most)
