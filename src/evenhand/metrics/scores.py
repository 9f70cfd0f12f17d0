"""Metrics of scores: ranking, squared error, log loss, calibration; per group, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.metrics.disparities import Disparity, compare
from evenhand.metrics.intervals import sidak_z, wilson, z_of
from evenhand.metrics.measuring import Ends, Measured
from evenhand.metrics.names import names, parse_disparity

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

BINS: Final = 10
"""Bins of equal count in the calibration error."""
CLIP: Final = 1e-15
"""How far log loss keeps probabilities from 0 and 1."""


def roc_auc(y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95) -> Measured:
    """Measure the area under the ROC curve of every group, with DeLong's interval on the logit scale.

    Where a group's area is 0 or 1 DeLong's variance is 0; there the interval is Wilson's over the smaller class.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
    score : (n,) array
    codes : (n,) integer array
        The group of each row.
    n_groups : int
        The number of groups G.

    Source: DeLong et al. (1988), Biometrics 44; ranks as in Sun and Xu (2014).
    """
    true, scores, groups = np.asarray(y_true), np.asarray(score, dtype=np.float64), np.asarray(codes)
    parts = [_delong(true[groups == group], scores[groups == group]) for group in range(n_groups)]
    area, error, smaller = (np.array(column) for column in zip(*parts, strict=True))

    def ends(z: float) -> tuple[Floats, Floats]:
        return _logit_ends(area, error, smaller, z)

    reasons = ["" if np.isfinite(value) else "Only one class has rows: the area needs both." for value in area]
    rows = np.bincount(groups, minlength=n_groups).astype(np.int64)
    return _finish("roc_auc", area, rows, reasons, "delong, logit", ends, level)


def _delong(true: NDArray[np.generic], score: Floats) -> tuple[float, float, float]:
    """Return area, standard error and the size of the smaller class."""
    from scipy.stats import rankdata

    positive = true == 1
    hits, misses = int(positive.sum()), int((~positive).sum())
    if hits == 0 or misses == 0:
        return np.nan, np.nan, 0.0
    ranks = rankdata(score)
    above = (ranks[positive] - rankdata(score[positive])) / misses
    below = 1 - (ranks[~positive] - rankdata(score[~positive])) / hits
    variance = (above.var(ddof=1) / hits if hits > 1 else 0.25) + (below.var(ddof=1) / misses if misses > 1 else 0.25)
    return float(above.mean()), float(np.sqrt(variance)), float(min(hits, misses))


def _logit_ends(area: Floats, error: Floats, smaller: Floats, z: float) -> tuple[Floats, Floats]:
    inside = (area > 0) & (area < 1) & (error > 0)
    safe = np.where(inside, area, 0.5)
    logit, half = np.log(safe / (1 - safe)), z * error / (safe * (1 - safe))
    low, high = 1 / (1 + np.exp(-(logit - half))), 1 / (1 + np.exp(-(logit + half)))
    edge = wilson(np.nan_to_num(area) * smaller, smaller, z)
    return np.where(inside, low, edge[0]), np.where(inside, high, edge[1])


def roc_auc_disparity(
    name: str,
    y_true: ArrayLike,
    score: ArrayLike,
    codes: ArrayLike,
    n_groups: int,
    level: float = 0.95,
) -> Disparity:
    """Compare the area under the ROC curve between groups, by the rules of `disparity`.

    Raises
    ------
    InputError
        When the name is no disparity of ``roc_auc``.
    """
    split = parse_disparity(name)
    if split is None or split[0] != "roc_auc":
        raise InputError(f"'{name}' is no disparity of roc_auc.{did_you_mean(name, names())}")
    return compare(roc_auc(y_true, score, codes, n_groups, level), split[1], level)


def brier_score(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure ``mean (score - truth)^2`` of every group."""
    true, scores = np.asarray(y_true, dtype=np.float64), np.asarray(score, dtype=np.float64)
    return _mean("brier_score", (scores - true) ** 2, codes, n_groups, level)


def log_loss(y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95) -> Measured:
    """Measure ``mean -log(probability of the truth)`` of every group, in nats."""
    true = np.asarray(y_true)
    scores = np.clip(np.asarray(score, dtype=np.float64), CLIP, 1 - CLIP)
    return _mean("log_loss", -np.log(np.where(true == 1, scores, 1 - scores)), codes, n_groups, level)


def _mean(metric: str, values: Floats, codes: ArrayLike, n_groups: int, level: float) -> Measured:
    """Measure a mean over rows, with Student's interval, cut at 0."""
    groups = np.asarray(codes)
    rows = np.bincount(groups, minlength=n_groups).astype(np.int64)
    sums = np.bincount(groups, weights=values, minlength=n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums / rows
        spread = np.bincount(groups, weights=(values - mean[groups]) ** 2, minlength=n_groups)
        error = np.sqrt(spread / (rows - 1) / rows)
    freedom = np.maximum(rows - 1, 1)

    def ends(z: float) -> tuple[Floats, Floats]:
        from scipy.special import ndtr, stdtrit

        half = stdtrit(freedom, ndtr(z)) * error
        known = np.isfinite(error)
        return np.where(known, np.maximum(mean - half, 0.0), np.nan), np.where(known, mean + half, np.nan)

    reasons = ["" if count else "No row at all." for count in rows]
    return _finish(metric, mean, rows, reasons, "student", ends, level)


def calibration_error(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure ``sum over bins of share x |mean score - share of positives|`` of every group, over bins of equal count.

    The low end adds up, bin by bin, what remains of the gap when all bins' intervals hold together, so it is 0 for a
    calibrated model; the high end adds the bins' margins in quadrature.
    """
    true, scores, groups = np.asarray(y_true), np.asarray(score, dtype=np.float64), np.asarray(codes)
    tables = [reliability(true[groups == group], scores[groups == group]) for group in range(n_groups)]
    estimate = np.array([_error_of(table) for table in tables])

    def ends(z: float) -> tuple[Floats, Floats]:
        found = [_calibration_ends(table, z) for table in tables]
        return np.array([low for low, _ in found]), np.array([high for _, high in found])

    rows = np.bincount(groups, minlength=n_groups).astype(np.int64)
    reasons = ["" if count else "No row at all." for count in rows]
    return _finish("calibration_error", estimate, rows, reasons, f"wilson in {BINS} bins", ends, level)


def reliability(y_true: ArrayLike, score: ArrayLike, bins: int = BINS) -> Floats:
    """Return the reliability table: one row a bin of equal count, with rows, mean score and positives, shape (b, 3).

    Equal scores stay in one bin, so there may be fewer bins than asked for.
    """
    true, scores = np.asarray(y_true, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if not len(scores):
        return np.empty((0, 3))
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf"))
    which = np.searchsorted(edges, scores, side="left")
    rows = np.bincount(which, minlength=len(edges) + 1)
    sums = np.bincount(which, weights=scores, minlength=len(edges) + 1)
    positives = np.bincount(which, weights=true, minlength=len(edges) + 1)
    filled = rows > 0
    return np.column_stack([rows[filled], sums[filled] / rows[filled], positives[filled]])


def _error_of(table: Floats) -> float:
    if not len(table):
        return float("nan")
    rows, mean, positives = table.T
    return float((np.abs(mean - positives / rows) * rows).sum() / rows.sum())


def _calibration_ends(table: Floats, z: float) -> tuple[float, float]:
    if not len(table):
        return float("nan"), float("nan")
    rows, mean, positives = table.T
    share, gap = rows / rows.sum(), np.abs(mean - positives / rows)
    level = 1 - 2 * (1 - _phi(z))
    low, high = wilson(positives, rows, sidak_z(len(table), level))
    nearest = np.maximum(np.maximum(low - mean, mean - high), 0.0)
    low, high = wilson(positives, rows, z)
    farthest = np.maximum(np.abs(mean - low), np.abs(high - mean))
    above = float(np.sqrt((share**2 * (farthest - gap) ** 2).sum()))
    total = float((share * gap).sum())
    return min(float((share * nearest).sum()), total), total + above


def _phi(z: float) -> float:
    from statistics import NormalDist

    return NormalDist().cdf(z)


def _finish(
    metric: str, estimate: Floats, rows: NDArray[np.int64], reasons: list[str], method: str, ends: Ends, level: float
) -> Measured:
    low, high = ends(z_of(level))
    defined = np.isfinite(estimate)
    return Measured(metric, estimate, low, high, defined, rows, rows, tuple(reasons), method, ends)


SCORES: Final[dict[str, Callable[..., Measured]]] = {
    "roc_auc": roc_auc,
    "brier_score": brier_score,
    "log_loss": log_loss,
    "calibration_error": calibration_error,
}
"""The metrics of scores."""
