"""Metrics of predicted numbers, by group: means of something over rows, and two functions of such means."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.messages import message
from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.inference.intervals import clopper_pearson, scaled_ends
from evenhand.metrics.values.means import Means, finished, means, measured_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from evenhand.metrics.values.rates import Measured

    Floats: TypeAlias = NDArray[np.float64]


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
    return NUMBERS[metric](metric, true, predicted, np.asarray(codes), n_groups, level, mean_of)


def _absolute(
    metric: str, true: Floats, predicted: Floats, _: object, __: int, level: float, mean_of: Callable[..., Means]
) -> Measured:
    return measured_mean(metric, mean_of(np.abs(predicted - true)), level)


def _squared(
    metric: str, true: Floats, predicted: Floats, _: object, __: int, level: float, mean_of: Callable[..., Means]
) -> Measured:
    return measured_mean(metric, mean_of((predicted - true) ** 2), level)


def _root(
    metric: str, true: Floats, predicted: Floats, _: object, __: int, level: float, mean_of: Callable[..., Means]
) -> Measured:
    return measured_mean(metric, mean_of((predicted - true) ** 2), level, np.sqrt)


def _residual(
    metric: str, true: Floats, predicted: Floats, _: object, __: int, level: float, mean_of: Callable[..., Means]
) -> Measured:
    return measured_mean(metric, mean_of(predicted - true), level)


def _prediction(
    metric: str, true: Floats, predicted: Floats, _: object, __: int, level: float, mean_of: Callable[..., Means]
) -> Measured:
    return measured_mean(metric, mean_of(predicted), level)


def _below(
    metric: str,
    true: Floats,
    predicted: Floats,
    codes: NDArray[np.generic],
    n_groups: int,
    level: float,
    mean_of: Callable[..., Means],
) -> Measured:
    """The share of rows at or below the prediction: exact, or over effective rows where they are weighted."""
    found = mean_of(true <= predicted)
    with np.errstate(invalid="ignore", divide="ignore"):
        share, plain = found.mean, found.mean * (1 - found.mean)
        worth = np.where(found.error > 0, plain / found.error**2, found.rows)
    rows = rows_by(codes, n_groups)
    size = np.fmin(worth, rows)
    exact = np.isclose(size, rows, rtol=2 / np.maximum(rows, 1))  # n against n - 1 is the same sample
    size = np.where(exact, rows, size)

    def ends(z: float) -> tuple[Floats, Floats]:
        return clopper_pearson(np.nan_to_num(share) * size, size, z)

    reasons = tuple("" if count else message("No row at all.") for count in rows)
    return finished(metric, share, rows, reasons, "clopper-pearson", ends, level)


def _explained(
    metric: str,
    true: Floats,
    predicted: Floats,
    codes: NDArray[np.generic],
    n_groups: int,
    level: float,
    mean_of: Callable[..., Means],
) -> Measured:
    """R squared, from the linearised quotient of two means; its distance from 1 is positive, so on a logarithm.

    The error is itself one of squares, known from few rows about half as well as that of a mean: Student's limits with
    half of the rows' degrees of freedom (docs/design/intervals.md).
    """
    from scipy.special import ndtr, stdtrit

    group = codes.astype(np.intp)
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

    rows = rows_by(codes, n_groups)
    value = np.where(np.isfinite(left), 1 - left, np.nan)
    reasons = tuple(
        "" if ok else message("The truth does not vary, so there is nothing to explain.") for ok in np.isfinite(value)
    )
    return finished(metric, value, rows, reasons, "delta method, logarithm", ends, level)


NUMBERS: Final[dict[str, Callable[..., Measured]]] = {
    "mean_absolute_error": _absolute,
    "root_mean_squared_error": _root,
    "mean_squared_error": _squared,
    "r2": _explained,
    "mean_residual": _residual,
    "mean_prediction": _prediction,
    "quantile_coverage": _below,
}
"""The metrics of predicted numbers."""
SHARES: Final = ("r2", "quantile_coverage")
"""Those that have no unit; the others are in the unit of the truth, or of its square."""


def moments(y_true: ArrayLike, y_pred: ArrayLike, codes: ArrayLike, n_groups: int) -> Floats:
    """Return (G, 6) sums of 1, truth, truth squared, residual, |residual|, its square; they add up over shards."""
    true, predicted = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    groups, residual = np.asarray(codes), predicted - true
    columns = (np.ones(len(true)), true, true**2, residual, np.abs(residual), residual**2)
    return np.column_stack([sums_by(groups, column, n_groups) for column in columns])
