"""Independent units, rows or their clusters: what each adds, how many there are, whether groups share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics.counts.sums import rows_by
from evenhand.metrics.values.means import Means, cluster_sums

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Column, Floats, Ints


def means_of_parts(mean: Floats, parts: Floats, group: Column, rows: Ints, clusters: ArrayLike | None) -> Means:
    """Return means (G,) to which each row adds a part (n,), with the error between clusters where there are any."""
    if clusters is not None:
        parts, group = cluster_sums(parts, group, np.asarray(clusters), len(mean))
    return Means.of_parts(mean, parts, group, rows)


def units_with(size: Floats, group: Column, clusters: ArrayLike | None, n_groups: int) -> Ints:
    """Return (G,) how many rows, or clusters, have something of a size (n,), at least 0 in each row.

    Examples
    --------
    >>> import numpy as np
    >>> units_with(np.array([1.0, 2.0, 0.0]), np.array([0, 0, 1]), np.array([7, 7, 8]), 2).tolist()
    [1, 0]
    """
    of = np.asarray(group, dtype=np.int64)
    if clusters is not None:
        size, of = cluster_sums(size, of, np.asarray(clusters), n_groups)
    return rows_by(of[size > 0], n_groups)


def apart_of(group: ArrayLike, clusters: ArrayLike | None) -> float:
    """Return by how much ends are farther out in comparisons: root 2 where groups share a cluster, and depend so.

    Examples
    --------
    >>> apart_of([0, 0, 1], [7, 7, 8]), round(apart_of([0, 1], [7, 7]), 3)
    (1.0, 1.414)
    """
    if clusters is None:
        return 1.0
    _, own = np.unique(np.asarray(clusters), return_inverse=True)
    pairs = np.unique(np.column_stack([own, np.asarray(group)]), axis=0)
    return float(np.sqrt(2)) if len(pairs) > len(np.unique(own)) else 1.0
