"""The mean of a number over the rows of each group, weighted or not, independent or clustered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.inference.intervals import clopper_pearson, scaled_ends, z_of
from evenhand.metrics.values.rates import Ends, Measured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Column, Floats, Ints


CHUNK: Final = 1 << 18
"""Rows summed at a time."""
NO_ROW: Final = message("No row at all.")


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """Means by group with their standard errors."""

    mean: Floats
    """(G,) weighted means; nan for a group without rows."""
    error: Floats
    """(G,) standard errors; nan with fewer than two rows or clusters."""
    freedom: Floats
    """(G,) degrees of freedom: rows or clusters, less one."""
    rows: Ints
    """(G,) rows."""

    def ends(self, z: float, *, log: bool = False) -> tuple[Floats, Floats]:
        """Return Student's limits at the chance of error that `z` has under the normal distribution.

        With `log`, on the logarithm: means of squares are skew, and a plain limit errs on one side. Their spread,
        too, is known half as well from few rows, so half of the degrees of freedom are taken.
        """
        from scipy.special import ndtr, stdtrit

        half = stdtrit(np.maximum(self.freedom / (2 if log else 1), 1), ndtr(z)) * self.error
        if log:
            return scaled_ends(self.mean, half, 1.0, 0.0, None)
        return self.mean - half, self.mean + half


def means(
    values: ArrayLike,
    codes: ArrayLike,
    n_groups: int = 1,
    weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    frequency: ArrayLike | None = None,
) -> Means:
    """Return the mean of `values` in every group.

    Parameters
    ----------
    values : (n,) array
    codes : (n,) integer array
        The group of each row.
    weight : (n,) array, optional
        Sampling weights; the error is that of a ratio (linearised).
    clusters : (n,) integer array, optional
        What belongs together; the error is then that between clusters.
    frequency : (n,) integer array, optional
        The number of rows that each row represents.
    """
    value, group = np.asarray(values, dtype=np.float64), np.asarray(codes)
    if frequency is not None:
        return _means_of_counts(value, group, n_groups, np.asarray(frequency, dtype=np.float64))
    rows = rows_by(group, n_groups)
    if weight is None and clusters is None:
        return _plain_means(value, group, n_groups, rows)
    one = np.ones(len(value)) if weight is None else np.asarray(weight, dtype=np.float64)
    total = sums_by(group, one, n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums_by(group, one * value, n_groups) / total
        residual = one * (value - mean[group])
        if clusters is None:
            squares, number = sums_by(group, residual**2, n_groups), rows.astype(np.float64)
        else:
            squares, number = between_clusters(residual, group, np.asarray(clusters), n_groups)
        error = np.sqrt(squares * number / (number - 1)) / total
    return Means(mean, np.where(number > 1, error, np.nan), number - 1, rows)


def _plain_means(value: Floats, group: Column, n_groups: int, rows: Ints) -> Means:
    """Return means of unweighted rows, in chunks, so that nothing as long as the rows is made."""
    parts = [slice(start, start + CHUNK) for start in range(0, len(value), CHUNK)]
    total, squares = np.zeros(n_groups), np.zeros(n_groups)
    for part in parts:
        total += sums_by(group[part], value[part], n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / rows
        for part in parts:
            squares += sums_by(group[part], (value[part] - mean[group[part]]) ** 2, n_groups)
        error = np.sqrt(squares * rows / (rows - 1.0)) / rows
    return Means(np.asarray(mean), np.where(rows > 1, error, np.nan), np.asarray(rows - 1.0, dtype=np.float64), rows)


def _means_of_counts(value: Floats, group: Column, n_groups: int, times: Floats) -> Means:
    rows = sums_by(group, times, n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums_by(group, times * value, n_groups) / rows
        error = np.sqrt(sums_by(group, times * (value - mean[group]) ** 2, n_groups) / (rows - 1) / rows)
    return Means(mean, np.where(rows > 1, error, np.nan), rows - 1, rows.astype(np.int64))


def between_clusters(residual: Floats, group: Column, clusters: Column, n_groups: int) -> tuple[Floats, Floats]:
    """Return (G,) sums over clusters of the squares of their sums of residuals, and the number of clusters."""
    _, own = np.unique(clusters, return_inverse=True)
    pairs, position = np.unique(group.astype(np.int64) * (own.max() + 1) + own, return_inverse=True)
    sums = sums_by(position, residual, len(pairs))
    of = pairs // (own.max() + 1)
    return sums_by(of, sums**2, n_groups), rows_by(of, n_groups).astype(np.float64)


def measured_mean(
    metric: str, found: Means, level: float, mapped: Callable[[Floats], Floats] | None = None
) -> Measured:
    """Return means as a metric's values: cut to the metric's range, and `mapped` where it is a function of the mean.

    The limits of what cannot be below 0 are found on the logarithm: errors and losses are skew, and plain limits of 60
    squares err 6.5 % on one side where 2.5 % is meant, logarithmic ones 4 % (docs/design/intervals.md). Where all rows
    show one end of a bounded range, the exact limits of a share hold for any bounded mean.
    """
    entry = METRICS[metric]
    log = entry.lowest == 0

    def shown(values: Floats) -> Floats:
        inside = np.clip(values, *entry.range)
        return inside if mapped is None else mapped(inside)

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = found.ends(z, log=log)
        if log and entry.highest == 1:
            extreme = (found.mean <= 0) | (found.mean >= 1)
            exact = clopper_pearson(np.nan_to_num(found.mean) * found.rows, found.rows, z)
            low, high = np.where(extreme, exact[0], low), np.where(extreme, exact[1], high)
        return shown(low), shown(high)

    method = "student, logarithm" if log else "student"
    return finished(metric, shown(found.mean), found.rows, told(found.rows), method, ends, level)


def measured_share(metric: str, hits: Ints, rows: Ints, level: float) -> Measured:
    """Return counted shares, (G,) hits among rows, as a metric's values, with their exact intervals."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / rows
    ends = partial(clopper_pearson, hits, rows)
    return finished(metric, share, rows, told(rows), "clopper-pearson", ends, level)


def told(known: Iterable[Any], why: str = NO_ROW) -> tuple[str, ...]:
    """Return why each group that is not known, or has no rows, has no value."""
    return tuple("" if ok else why for ok in known)


def finished(
    metric: str, estimate: Floats, rows: Ints, reasons: tuple[str, ...], method: str, ends: Ends, level: float
) -> Measured:
    """Return values with what finds their intervals; a value that is nan is not defined.

    An end that cannot be computed, such as that of the mean of one row, is open: it is the end of the metric's range,
    so that no comparison passes a limit by leaving the group out.
    """
    least, most = METRICS[metric].range
    defined = np.isfinite(estimate)

    def open_ended(z: float) -> tuple[Floats, Floats]:
        low, high = ends(z)
        return np.where(defined & np.isnan(low), least, low), np.where(defined & np.isnan(high), most, high)

    low, high = open_ended(z_of(level))
    return Measured(metric, estimate, low, high, defined, rows, rows, reasons, method, open_ended)
