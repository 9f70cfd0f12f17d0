"""Metrics of predicted numbers, by group: means of something over rows, and two functions of such means."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.messages import message
from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.counts.tally import Tally
from evenhand.metrics.inference.intervals import clopper_pearson
from evenhand.metrics.values.means import Means, effective_rows, finished, means, measured_mean, told
from evenhand.metrics.values.medians import measured_median
from evenhand.metrics.values.rates import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Indices, Ints, Marks
    from evenhand.metrics.values.rates import Measured


def measure_numbers(
    metric: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    codes: ArrayLike,
    n_groups: int = 1,
    level: float = 0.95,
    weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Measured:
    """Measure predicted numbers in every group.

    Parameters
    ----------
    metric : str
        One of `NUMBERS`: ``mean_absolute_error``, ``r2`` ...
    y_true, y_pred : (n,) arrays
    codes : (n,) integer array
        The group of each row.
    weight, clusters : (n,) arrays, optional
        Sampling weights, and what belongs together.

    Raises
    ------
    InputError
        When there is no such metric.

    Examples
    --------
    >>> measure_numbers("mean_absolute_error", [1.0, 2.0, 4.0], [1.5, 2.5, 3.5], [0, 0, 0]).estimate.tolist()
    [0.5]
    """
    if metric not in NUMBERS:
        raise InputError(f"'{metric}' is no metric of numbers.{did_you_mean(metric, NUMBERS)}")
    true, predicted = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    mean_of = partial(means, codes=codes, n_groups=n_groups, weight=weight, clusters=clusters)
    if metric in SQUARES:
        found = mean_of((predicted - true) ** 2)
        mapped = np.sqrt if metric == "root_mean_squared_error" else None
        measured = measured_mean(metric, found, level, mapped, squared=True)
        return replace(measured, uncovered=_heavy(found, mean_of((predicted - true) ** 4)))
    if metric in OF_ROWS:
        value = OF_ROWS[metric](true, predicted)
        return replace(measured_mean(metric, mean_of(value), level), uncovered=_mostly_zero(mean_of(value == 0)))
    group = np.asarray(codes).astype(np.intp)
    rows = rows_by(group, n_groups)
    if metric == "median_absolute_error":
        one = np.ones(len(true), dtype=np.float64) if weight is None else np.asarray(weight, dtype=np.float64)
        among = None if clusters is None else partial(_share_of, group, n_groups, weight, clusters)
        return measured_median(metric, np.abs(predicted - true), group, rows, level, mean_of, one, among)
    if metric == "quantile_coverage":
        below = true <= predicted
        if clusters is not None:
            shares = _share_of(group, n_groups, weight, clusters, below, level)
            return replace(shares, metric=metric, reason=told(rows))
        return _below(mean_of(below), rows, level)
    return _explained(true, predicted, group, rows, level, mean_of)


def _below(found: Means, rows: Ints, level: float) -> Measured:
    """The share of rows at or below the prediction: exact, or over effective rows where they are weighted."""
    size = effective_rows(found)
    ends = partial(clopper_pearson, np.nan_to_num(found.mean) * size, size)
    return finished("quantile_coverage", found.mean, rows, told(rows), "clopper-pearson", ends, level)


def _share_of(
    group: Indices, n_groups: int, weight: ArrayLike | None, clusters: ArrayLike, hits: Marks, level: float
) -> Measured:
    """Return the share of `hits` in each group, with the limits of rates whose rows are in clusters."""
    tally = Tally.count(np.ones(len(hits), dtype=np.int8), hits.astype(np.int8), group, n_groups, weight,
        clusters=np.unique(np.asarray(clusters), return_inverse=True)[1])  # fmt: skip
    return measure("accuracy", tally, level)


def _heavy(*powers: Means) -> tuple[str, ...]:
    """Return for each group why the mean of its squared errors has no interval that covers; empty where it has one.

    The error of a mean of squares rests on fourth powers. Where these are carried by few rows (or the rows are few),
    the heaviest errors to come are not among those seen. `powers` are means of squares, each with that of its fourth
    powers.
    """
    number = powers[0].freedom + 1
    with np.errstate(invalid="ignore", divide="ignore"):
        tails = [fourth.mean / second.mean**2 for second, fourth in zip(powers[::2], powers[1::2], strict=True)]
        kurtosis = np.fmax.reduce(tails)
    most = np.interp(np.log(np.maximum(number, 1)), np.log(HEAVY[0]), HEAVY[1])
    return tuple(
        _why(size, tail, limit) for size, tail, limit in zip(number, np.nan_to_num(kurtosis), most, strict=True)
    )


def _mostly_zero(zeros: Means) -> tuple[str, ...]:
    """Return for each group why the mean of values that are mostly 0 has no interval that covers; empty where it has.

    Such a mean rests on the few rows that are not 0, whose size and number are seen in part. `zeros` is the share of 0.
    """
    why = message("Most values are exactly 0, and the mean rests on fewer than {rows} rows that are not.", rows=OTHERS)
    others = np.round((zeros.freedom + 1) * (1 - zeros.mean), 6)
    marked = (zeros.mean > MOSTLY) & (others < OTHERS)
    return tuple(why if few else "" for few in marked) if marked.any() else ()


def _why(rows: float, kurtosis: float, most: float) -> str:
    if rows < LEAST:
        return message(
            "A mean of squares rests on the largest errors, and fewer than {rows} rows do not show them. Look at the "
            "median absolute error instead.",
            rows=LEAST,
        )
    if kurtosis <= most:
        return ""
    return message(
        "A mean of squares rests on the largest errors, and few rows hold them here. Look at the median absolute error "
        "instead."
    )


def _explained(
    true: Floats, predicted: Floats, group: Indices, rows: Ints, level: float, mean_of: Callable[..., Means]
) -> Measured:
    """R squared, from the linearised quotient of two means of squares; its distance from 1 is positive."""
    squares, middle = mean_of((predicted - true) ** 2), mean_of(true).mean
    around = true - middle[group]
    spread_of = mean_of(around**2)
    spread = spread_of.mean
    with np.errstate(invalid="ignore", divide="ignore"):
        left = squares.mean / spread
        influence = (predicted - true) ** 2 - left[group] * around**2
        found = replace(mean_of(influence / spread[group]), mean=left)

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = found.ends(z, log=True, squared=True)
        return 1 - high, 1 - low

    value = np.where(np.isfinite(left), 1 - left, np.nan)
    reasons = told(np.isfinite(value), message("The truth does not vary, so there is nothing to explain."))
    measured = finished("r2", value, rows, reasons, "delta method, hall", ends, level)
    heavy = _heavy(squares, mean_of((predicted - true) ** 4), spread_of, mean_of(around**4))
    return replace(measured, uncovered=heavy)


LEAST: Final = 30
"""Rows or clusters below which squared errors have no interval that covers whatever their tail."""
HEAVY: Final = (np.array([30.0, 100.0, 1_000.0, 10_000.0]), np.array([4.4, 8.0, 10.0, 14.0]))
"""Rows, and the kurtosis of their errors (3 for normal ones) above which intervals of squared errors do not cover."""
MOSTLY: Final = 0.5
"""The share of values of exactly 0 above which a mean is asked for other rows."""
OTHERS: Final = 10
"""How many of these it needs."""
SQUARES: Final = ("root_mean_squared_error", "mean_squared_error")
"""Those that are made of squared errors."""
OF_ROWS: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {
    "mean_absolute_error": lambda true, predicted: np.abs(predicted - true),
    "mean_residual": lambda true, predicted: predicted - true,
    "mean_prediction": lambda true, predicted: predicted,
}
"""Those that are the mean of a number of each row."""
NUMBERS: Final = (
    "mean_absolute_error", "median_absolute_error", "root_mean_squared_error", "mean_squared_error", "r2",
    "mean_residual", "mean_prediction", "quantile_coverage",
)  # fmt: skip
"""The metrics of predicted numbers."""
SHARES: Final = ("r2", "quantile_coverage")
"""Those that have no unit; the others are in the unit of the truth, or of its square."""


def moments(y_true: ArrayLike, y_pred: ArrayLike, codes: ArrayLike, n_groups: int) -> Floats:
    """Return (G, 6) sums of 1, truth, truth squared, residual, |residual|, its square; they add up over shards."""
    true, predicted = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    groups, residual = np.asarray(codes), predicted - true
    columns = (np.ones(len(true)), true, true**2, residual, np.abs(residual), residual**2)
    return np.column_stack([sums_by(groups, column, n_groups) for column in columns])
