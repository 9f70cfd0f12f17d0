"""How much nearer to the truth one model's numbers are than another's, over the same rows, with paired intervals."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.metrics.inference.skewed import OF_FEW_ROWS
from evenhand.metrics.values.means import means, measured_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Indices
    from evenhand.metrics.values.means import Means
    from evenhand.metrics.values.rates import Measured

ROOT: Final = "root_mean_squared_error"
PINBALL: Final = "pinball_loss"
ERRORS: Final = ("mean_absolute_error", ROOT, PINBALL)
"""Errors of numbers that two models are compared by."""
NORMAL: Final = 3.0
"""The kurtosis of normal values: rows of a greater one count as so many fewer."""


def measure_gain(
    error: str,
    y_true: ArrayLike,
    old: ArrayLike,
    new: ArrayLike,
    codes: ArrayLike,
    n_groups: int = 1,
    level: float = 0.95,
    weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    quantiles: Sequence[float] = (),
) -> Measured:
    """Measure in every group the error of one model less that of another over the same rows.

    Parameters
    ----------
    error : str
        ``mean_absolute_error``, ``root_mean_squared_error``, or ``pinball_loss``, the mean over `quantiles`.
    y_true : (n,) array
    old, new : (n,) arrays, (n, Q) of quantiles
        The predictions of both. The gain is positive where `new` is nearer to the truth.
    codes : (n,) integer array
        The group of each row.
    weight, clusters : (n,) arrays, optional
        Sampling weights, and what belongs together.
    quantiles : sequence of float
        Those that are predicted, for ``pinball_loss`` (Koenker and Bassett 1978).

    Raises
    ------
    InputError
        When there is no such error.

    Notes
    -----
    Each row has one difference of losses, so what both models share cancels, and their mean has a plain interval. The
    difference of two roots is linearised at both of them; its error is widened as that of areas is, the more the fewer
    rows hold most of it (``python benchmarks/covering gains``).

    Examples
    --------
    >>> found = measure_gain("mean_absolute_error", [1.0, 2.0, 4.0], [1.5, 2.5, 3.5], [1.0, 2.0, 4.5], [0, 0, 0])
    >>> found.estimate.round(3).tolist()
    [0.333]
    """
    if error not in ERRORS:
        raise InputError(f"'{error}' is no error that models are compared by.{did_you_mean(error, ERRORS)}")
    true = np.asarray(y_true, dtype=np.float64)
    old_lost, new_lost = (_lost(error, true, np.asarray(side, dtype=np.float64), quantiles) for side in (old, new))
    mean_of = partial(means, codes=codes, n_groups=n_groups, weight=weight, clusters=clusters)
    if error == ROOT:
        found = _roots(old_lost, new_lost, np.asarray(codes).astype(np.intp), mean_of)
        return replace(measured_mean("network_gain", found, level), method="delta method, hall")
    return measured_mean("network_gain", mean_of(old_lost - new_lost), level)


def _roots(before: Floats, after: Floats, group: Indices, mean_of: Callable[..., Means]) -> Means:
    """Return the difference of the roots of two means of squares, linearised at both."""
    parts, roots = [], []
    for squares in (before, after):
        root = np.sqrt(mean_of(squares).mean)
        parts.append(squares / np.where(root > 0, 2 * root, 1.0)[group])
        roots.append(root)
    apart = parts[0] - parts[1]
    found = mean_of(apart)
    around = apart - found.mean[group]
    second, fourth = (mean_of(around**power).mean for power in (2, 4))
    with np.errstate(invalid="ignore", divide="ignore"):
        few = np.where(fourth > 0, NORMAL * second**2 / fourth, 1.0) * (found.freedom + 1)
        wide = 1 + 2 * OF_FEW_ROWS / np.sqrt(few)
    return replace(found, mean=roots[0] - roots[1], error=wide * found.error)


def each_pinball(true: Floats, said: Floats, quantiles: Sequence[float]) -> Floats:
    """Return (n,) the mean over quantiles of the loss that each makes least.

    Parameters
    ----------
    true : (n,) array
    said : (n, Q) array
        The predicted quantiles.
    quantiles : sequence of float
        Which they are.

    Examples
    --------
    >>> each_pinball(np.array([10.0]), np.array([[8.0, 14.0]]), (0.1, 0.9)).round(2).tolist()
    [0.3]
    """
    share, above = np.asarray(quantiles, dtype=np.float64), true[:, None] - said.reshape(len(true), -1)
    return np.asarray(np.maximum(share * above, (share - 1) * above).mean(axis=1))


def error_of(
    error: str,
    y_true: ArrayLike,
    said: ArrayLike,
    weight: ArrayLike | None = None,
    quantiles: Sequence[float] = (),
) -> float:
    """Return the error of one model over all rows.

    Parameters
    ----------
    error, y_true, weight, quantiles
        As in `measure_gain`.
    said : (n,) array, (n, Q) of quantiles
        The predictions.

    Examples
    --------
    >>> error_of("root_mean_squared_error", [1.0, 2.0], [2.0, 3.0])
    1.0
    """
    lost = _lost(error, np.asarray(y_true, dtype=np.float64), np.asarray(said, dtype=np.float64), quantiles)
    mean = float(np.average(lost, weights=None if weight is None else np.asarray(weight, dtype=np.float64)))
    return float(np.sqrt(mean)) if error == ROOT else mean


def _lost(error: str, true: Floats, said: Floats, quantiles: Sequence[float]) -> Floats:
    """Return (n,) what each row adds to an error, of a root to its square."""
    if error == PINBALL:
        return each_pinball(true, said, quantiles)
    return np.asarray((said - true) ** 2 if error == ROOT else np.abs(said - true))
