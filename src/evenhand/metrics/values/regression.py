"""Metrics of predicted numbers, by group: means of something over rows, and two functions of such means."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.messages import message
from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.inference.intervals import clopper_pearson, scaled_ends
from evenhand.metrics.values.means import Means, finished, means, measured_mean, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Indices, Ints
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
    if metric in OF_ROWS:
        mapped = np.sqrt if metric == "root_mean_squared_error" else None
        return measured_mean(metric, mean_of(OF_ROWS[metric](true, predicted)), level, mapped)
    rows = rows_by(np.asarray(codes), n_groups)
    if metric == "quantile_coverage":
        return _below(mean_of(true <= predicted), rows, level)
    return _explained(true, predicted, np.asarray(codes).astype(np.intp), rows, level, mean_of)


def _below(found: Means, rows: Ints, level: float) -> Measured:
    """The share of rows at or below the prediction: exact, or over effective rows where they are weighted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share, plain = found.mean, found.mean * (1 - found.mean)
        worth = np.where(found.error > 0, plain / found.error**2, found.rows)
    size = np.fmin(worth, rows)
    exact = np.isclose(size, rows, rtol=2 / np.maximum(rows, 1))  # n against n - 1 is the same sample
    size = np.where(exact, rows, size)
    ends = partial(clopper_pearson, np.nan_to_num(share) * size, size)
    return finished("quantile_coverage", share, rows, told(rows), "clopper-pearson", ends, level)


def _explained(
    true: Floats, predicted: Floats, group: Indices, rows: Ints, level: float, mean_of: Callable[..., Means]
) -> Measured:
    """R squared, from the linearised quotient of two means; its distance from 1 is positive, so on a logarithm.

    The error is itself one of squares, known from few rows about half as well as that of a mean: Student's limits with
    half of the rows' degrees of freedom (docs/design/intervals.md).
    """
    from scipy.special import ndtr, stdtrit

    error, middle = mean_of((predicted - true) ** 2).mean, mean_of(true).mean
    spread = mean_of((true - middle[group]) ** 2).mean
    with np.errstate(invalid="ignore", divide="ignore"):
        left = error / spread
        influence = (predicted - true) ** 2 - left[group] * (true - middle[group]) ** 2
        found = mean_of(influence / spread[group])

    def ends(z: float) -> tuple[Floats, Floats]:
        half = stdtrit(np.maximum(found.freedom / 2, 1), ndtr(z)) * found.error
        low, high = scaled_ends(left, half, 1.0, 0.0, None)
        return 1 - high, 1 - low

    value = np.where(np.isfinite(left), 1 - left, np.nan)
    reasons = told(np.isfinite(value), message("The truth does not vary, so there is nothing to explain."))
    return finished("r2", value, rows, reasons, "delta method, logarithm", ends, level)


OF_ROWS: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {
    "mean_absolute_error": lambda true, predicted: np.abs(predicted - true),
    "root_mean_squared_error": lambda true, predicted: (predicted - true) ** 2,
    "mean_squared_error": lambda true, predicted: (predicted - true) ** 2,
    "mean_residual": lambda true, predicted: predicted - true,
    "mean_prediction": lambda true, predicted: predicted,
}
"""Those that are the mean of a number of each row, or its root."""
NUMBERS: Final = (
    "mean_absolute_error", "root_mean_squared_error", "mean_squared_error", "r2", "mean_residual", "mean_prediction",
    "quantile_coverage",
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
