"""The quotient of two sums over rows, such as errors per word: of all words, not a mean of rates of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.values.units import means_of_parts

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.values.means import Means


def quotient_of_totals(
    top: ArrayLike,
    bottom: ArrayLike,
    codes: ArrayLike,
    n_groups: int = 1,
    weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Means:
    """Return ``sum of top / sum of bottom`` of every group, with its linearised error.

    Parameters
    ----------
    top, bottom : (n,) arrays
        What is counted in a row, such as errors, and among how many, such as words.
    codes : (n,) integer array
        The group of each row.
    n_groups : int
        The number of groups.
    weight, clusters : (n,) arrays, optional
        Sampling weights, and what belongs together, such as the utterances of a speaker; the error is then that
        between clusters.

    Returns
    -------
    Means
        nan for a group whose bottom is 0.

    Notes
    -----
    The error is that of the residuals ``top - quotient x bottom`` (Cochran 1977, Sampling Techniques, 6.4).

    Examples
    --------
    >>> quotient_of_totals([1, 0, 3], [10, 2, 3], [0, 0, 1], 2).mean.round(3).tolist()
    [0.083, 1.0]
    """
    upper, lower = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    group = np.asarray(codes).astype(np.intp)
    one = np.ones(len(upper)) if weight is None else np.asarray(weight, dtype=np.float64)
    total = sums_by(group, one * lower, n_groups)
    rows = rows_by(group, n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(total > 0, sums_by(group, one * upper, n_groups) / total, np.nan)
        parts = np.nan_to_num(one * (upper - value[group] * lower) / total[group])
    return means_of_parts(value, parts, group, rows, clusters)
