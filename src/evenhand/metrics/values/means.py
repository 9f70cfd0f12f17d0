"""The mean of a number over the rows of each group, weighted or not, independent or clustered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.inference.intervals import clopper_pearson, scaled_ends, z_of
from evenhand.metrics.inference.skewed import Tails, gamma_low, gamma_margin, margin_above
from evenhand.metrics.values.rates import Ends, Measured
from evenhand.metrics.values.undefined import of_one_cluster

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
    tails: Tails
    """What rows or clusters add to the means."""

    @classmethod
    def of_parts(cls, mean: Floats, parts: Floats, group: Column, rows: Ints, times: Floats | None = None) -> Means:
        """Return means whose independent units add `parts` (u,) to the mean of their `group`, in excess of their share.

        `times` (u,) is how many units each part represents.
        """
        sums = Sums(len(mean))
        sums.add(parts, group, times)
        return cls(mean, sums.error(), sums.number - 1, rows, sums.tails())

    @property
    def heaviest(self) -> Floats:
        """(G,) the greatest value of a row or cluster of mean weight."""
        return self.mean + (self.freedom + 1) * self.tails.most

    def ends(self, z: float, *, log: bool = False, squared: bool = False) -> tuple[Floats, Floats]:
        """Return the limits at the chance of error that `z` has under the normal distribution.

        They are Student's, and farther out on the side to which the values are skew (`margin_above`). With `log`, for
        values that cannot be below 0, they are at least as far out as Student's on the logarithm, whose spread is known
        half as well from few rows, so half of the degrees of freedom are taken; and the low end is at least as low as
        that of a gamma distribution, which for counts of rare events is the exact one.

        Parameters
        ----------
        z : float
        log : bool
            Whether the values cannot be below 0.
        squared : bool
            Whether they are squares of errors without a bound.
        """
        from scipy.special import ndtr, stdtrit

        number = self.freedom + 1
        high = self.mean + margin_above(self.error, number, self.tails, z, squared)
        below = margin_above(self.error, number, self.tails.turned(), z)
        if not log:
            return self.mean - below, high
        half = stdtrit(np.maximum(self.freedom / 2, 1), ndtr(z)) * self.error
        low, top = scaled_ends(self.mean, half, 1.0, 0.0, None)
        low = np.minimum(low, gamma_low(self.error, self.mean, z))
        more = below - stdtrit(np.maximum(self.freedom, 1), ndtr(z)) * self.error  # values may be skew to the left, too
        return np.maximum(low - more, 0.0), np.maximum(high, top)


class Sums:
    """Sums over units of what they add to the mean of their group: of powers, and the extremes."""

    def __init__(self, n_groups: int) -> None:
        self.number, self.squares, self.cubes = (np.zeros(n_groups) for _ in range(3))
        self.least, self.most = np.zeros(n_groups), np.zeros(n_groups)

    def add(self, parts: Floats, group: Column, times: Floats | None = None) -> None:
        """Add units; `times` is how many each part represents."""
        one, n_groups = (np.ones(len(parts)) if times is None else times), len(self.number)
        square = one * parts * parts
        self.number += sums_by(group, one, n_groups) if times is not None else rows_by(group, n_groups)
        self.squares += sums_by(group, square, n_groups)
        self.cubes += sums_by(group, square * parts, n_groups)
        seen = slice(None) if times is None else one > 0
        at = np.asarray(group[seen], dtype=np.intp)
        np.minimum.at(self.least, at, parts[seen])
        np.maximum.at(self.most, at, parts[seen])

    def error(self, scale: Floats | float = 1.0) -> Floats:
        """Return the standard error of the sum of the parts, each times `scale`; nan with fewer than two units."""
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt(self.squares * self.number / (self.number - 1)) * scale
        return np.asarray(np.where(self.number > 1, error, np.nan))

    def tails(self, scale: Floats | float = 1.0) -> Tails:
        """Return skewness and extremes of the parts, each times `scale`."""
        with np.errstate(invalid="ignore", divide="ignore"):
            skew = np.sqrt(self.number) * self.cubes / self.squares**1.5
            least, most = self.least * scale, self.most * scale
        return Tails(np.nan_to_num(skew, posinf=0, neginf=0), least, most)


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
    n_groups : int
        The number of groups.

    Returns
    -------
    Means

    Examples
    --------
    >>> means([1.0, 3.0, 5.0], [0, 0, 1], 2).mean.tolist()
    [2.0, 5.0]
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
        parts = one * (value - mean[group]) / total[group]
    if clusters is not None:
        parts, group = cluster_sums(parts, group, np.asarray(clusters), n_groups)
    return Means.of_parts(mean, parts, group, rows)


def _plain_means(value: Floats, group: Column, n_groups: int, rows: Ints) -> Means:
    """Return means of unweighted rows, in chunks, so that nothing as long as the rows is made."""
    chunks = [slice(start, start + CHUNK) for start in range(0, len(value), CHUNK)]
    total, sums = np.zeros(n_groups), Sums(n_groups)
    for chunk in chunks:
        total += sums_by(group[chunk], value[chunk], n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, scale = total / rows, 1.0 / rows
    for chunk in chunks:
        sums.add(value[chunk] - mean[group[chunk]], group[chunk])
    return Means(mean, sums.error(scale), np.asarray(rows - 1.0), rows, sums.tails(scale))


def _means_of_counts(value: Floats, group: Column, n_groups: int, times: Floats) -> Means:
    rows = sums_by(group, times, n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums_by(group, times * value, n_groups) / rows
        parts = (value - mean[group]) / rows[group]
    parts = np.where(times > 0, parts, 0.0)
    return Means.of_parts(mean, parts, group, rows.astype(np.int64), times)


def between_clusters(residual: Floats, group: Column, clusters: Column, n_groups: int) -> tuple[Floats, Floats]:
    """Return (G,) sums over clusters of the squares of their sums of residuals, and the number of clusters."""
    sums, of = cluster_sums(residual, group, clusters, n_groups)
    return sums_by(of, sums**2, n_groups), rows_by(of, n_groups).astype(np.float64)


def cluster_sums(values: Floats, group: Column, clusters: Column, n_groups: int) -> tuple[Floats, Ints]:
    """Return the sum of `values` over each cluster within each group, (u,), and its group."""
    _, own = np.unique(clusters, return_inverse=True)
    pairs, position = np.unique(group.astype(np.int64) + n_groups * own, return_inverse=True)
    return sums_by(position, values, len(pairs)), np.asarray(pairs % n_groups)


def effective_rows(share: Means) -> Floats:
    """Return (G,) how many independent rows means of 0 and 1 are worth: all of them where they are not weighted.

    Without a spread to tell it, as where all are alike or of one cluster, they are worth the rows, or clusters.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        worth = np.where(share.error > 0, share.mean * (1 - share.mean) / share.error**2, share.freedom + 1)
    size = np.fmin(worth, share.rows)
    exact = np.isclose(size, share.rows, rtol=2 / np.maximum(share.rows, 1))  # n against n - 1 is the same sample
    return np.asarray(np.where(exact, share.rows, size), dtype=np.float64)


def measured_mean(
    metric: str,
    found: Means,
    level: float,
    mapped: Callable[[Floats], Floats] | None = None,
    *,
    unseen: Floats | None = None,
    squared: bool = False,
) -> Measured:
    """Return means as a metric's values: cut to the metric's range, and `mapped` where it is a function of the mean.

    The limits allow for the skewness of the values (`Means.ends`). Where all rows show one end of a bounded range, the
    exact limits of a share hold for any bounded mean.

    Parameters
    ----------
    metric : str
        A declared metric.
    found : Means
        The means.
    level : float
        Two-sided confidence.
    mapped : callable, optional
        An increasing function of the mean that is the metric.
    unseen : (G,) array, optional
        What a row would count whose outcome is the heavier one. Until a row as heavy has been seen, the high end is at
        least that of a gamma distribution with one such row more (Fay and Feuer 1997): rare outcomes are there
        before any was seen.
    squared : bool
        Whether the values are squares of errors without a bound, which have the longest tails.

    Returns
    -------
    Measured

    Examples
    --------
    >>> measured_mean("mean_score", means([0.2, 0.4], [0, 0]), 0.95).estimate.round(2).tolist()
    [0.3]
    """
    entry = METRICS[metric]
    log = entry.lowest == 0

    def shown(values: Floats) -> Floats:
        inside = np.clip(values, *entry.range)
        return inside if mapped is None else mapped(inside)

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = found.ends(z, log=log, squared=squared)
        if unseen is not None:
            number = np.maximum(found.freedom + 1, 1)
            above = found.mean + gamma_margin(found.error, found.mean, unseen / number, z)
            high = np.where(unseen > found.heaviest, np.maximum(high, above), high)
        if log and entry.highest == 1:
            extreme = (found.mean <= 0) | (found.mean >= 1)
            units = np.maximum(found.freedom + 1, 0)
            exact = clopper_pearson(np.nan_to_num(found.mean) * units, units, z)
            low, high = np.where(extreme, exact[0], low), np.where(extreme, exact[1], high)
        return shown(low), shown(high)

    stated = finished(metric, shown(found.mean), found.rows, told(found.rows), "hall, one more row", ends, level)
    return replace(stated, note=of_one_cluster(found.freedom + 1, found.rows))


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
