"""Metrics of scores: squared error, log loss, calibration; per group, with intervals. See also `ranking_curves`.

Rows may be weighted, repeated or clustered: see `Worth`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, Unpack

import numpy as np

from evenhand.messages import message
from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.inference.intervals import clopper_pearson, sidak_z
from evenhand.metrics.values.means import CHUNK, cluster_sums, effective_rows, finished, means, measured_mean, told
from evenhand.metrics.values.quotients import quotient
from evenhand.metrics.values.ranking_curves import average_precision, roc_auc
from evenhand.metrics.values.reliability import BINS, reliability_tables, shared_clusters
from evenhand.metrics.values.undefined import of_one_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Ints, Worth
    from evenhand.metrics.values.rates import Measured

CLIP: Final = 1e-15
"""How far log loss keeps probabilities from 0 and 1."""


def brier_score(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95, **more: Unpack[Worth]
) -> Measured:
    """Measure ``mean (score - truth)^2`` of every group.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
        The truth.
    score : (n,) array
        Probabilities.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.
    **more
        ``weight``, ``clusters`` and ``frequency``, as for `means`.

    Returns
    -------
    Measured

    Examples
    --------
    >>> brier_score([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], [0, 0, 0, 0]).estimate.round(2).tolist()
    [0.08]
    """
    return _mean_loss("brier_score", lambda claimed: (1 - claimed) ** 2, y_true, score, codes, n_groups, level, **more)


def log_loss(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95, **more: Unpack[Worth]
) -> Measured:
    """Measure ``mean -log(probability of the truth)`` of every group, in nats.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
        The truth.
    score : (n,) array
        Probabilities.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.
    **more
        ``weight``, ``clusters`` and ``frequency``, as for `means`.

    Returns
    -------
    Measured

    Examples
    --------
    >>> log_loss([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], [0, 0, 0, 0]).estimate.round(2).tolist()
    [0.3]
    """

    def surprise(claimed: Floats) -> Floats:
        return np.asarray(-np.log(np.clip(claimed, CLIP, 1 - CLIP)))

    return _mean_loss("log_loss", surprise, y_true, score, codes, n_groups, level, **more)


def _mean_loss(
    metric: str,
    loss: Callable[[Floats], Floats],
    y_true: ArrayLike,
    score: ArrayLike,
    codes: ArrayLike,
    n_groups: int,
    level: float,
    **more: Unpack[Worth],
) -> Measured:
    """Measure the mean of a loss of the probability that was claimed for what happened.

    Given the score of a row, its loss is one of two: that of what happened and that of what did not. The mean of the
    heavier of the two is what a row of the rarer outcome would count that was not seen yet.
    """
    found = _row_by_row(lambda true, scores: loss(np.where(true == 1, scores, 1 - scores)), y_true, score)
    heavier = _row_by_row(lambda _, scores: loss(np.minimum(scores, 1 - scores)), y_true, score)
    mean, times = means(found, codes, n_groups, **more), more.get("frequency")
    heavier = heavier if times is None else heavier * np.asarray(times)
    with np.errstate(invalid="ignore", divide="ignore"):
        unseen = sums_by(np.asarray(codes), heavier, n_groups) / mean.rows
    return measured_mean(metric, mean, level, unseen=unseen)


def _row_by_row(function: Callable[..., Floats], y_true: ArrayLike, score: ArrayLike) -> Floats:
    """Return a function of truth and score of every row, in chunks, so that only the result is as long as the rows."""
    true, scores = np.asarray(y_true), np.asarray(score)
    out = np.empty(len(scores))
    for start in range(0, len(scores), CHUNK):
        part = slice(start, start + CHUNK)
        out[part] = function(true[part], scores[part].astype(np.float64))
    return out


def mean_score(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95, **more: Unpack[Worth]
) -> Measured:
    """Measure the mean score of every group; the truth takes no part in it.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
        The truth.
    score : (n,) array
        Scores on any scale.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.
    **more
        ``weight``, ``clusters`` and ``frequency``, as for `means`.

    Returns
    -------
    Measured

    Examples
    --------
    >>> mean_score([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], [0, 0, 0, 0]).estimate.round(2).tolist()
    [0.45]
    """
    return measured_mean("mean_score", means(score, codes, n_groups, **more), level)


def calibration_ratio(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95, **more: Unpack[Worth]
) -> Measured:
    """Measure ``mean score / base rate`` of every group.

    The limits are those of the mean score and the exact ones of the base rate, joined as in `quotient`.
    """
    scores, true, groups = np.asarray(score, dtype=np.float64), np.asarray(y_true, dtype=np.float64), np.asarray(codes)
    mean_of = partial(means, codes=groups, n_groups=n_groups, **more)
    base = mean_of(true)
    size = effective_rows(base)
    exact = partial(clopper_pearson, np.nan_to_num(base.mean) * size, size)
    value, ends = quotient(mean_of(scores), base, mean_of(scores + true), exact)
    reasons = told(np.isfinite(value), message("No row whose truth is positive: nothing to divide by."))
    return finished("calibration_ratio", value, base.rows, reasons, "mover, logarithm", ends, level)


def calibration_error(
    y_true: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95, **more: Unpack[Worth]
) -> Measured:
    """Measure ``sum over bins of share x |mean score - share of positives|`` of every group, over bins of equal count.

    The low end adds up, bin by bin, what remains of the gap when all bins' intervals hold together, so it is 0 for a
    calibrated model; the high end adds the bins' margins in quadrature, with the correlation that bins may have as
    they share clusters.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
        The truth.
    score : (n,) array
        Probabilities.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.
    **more
        ``weight``, ``clusters`` and ``frequency``, as for `means`.

    Returns
    -------
    Measured

    Examples
    --------
    >>> calibration_error([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], [0, 0, 0, 0]).estimate.round(2).tolist()
    [0.25]
    """
    tables = reliability_tables(y_true, score, codes, n_groups, **more)
    rows = rows_by(np.asarray(codes), n_groups)
    if (frequency := more.get("frequency")) is not None:
        rows = sums_by(np.asarray(codes), np.asarray(frequency), n_groups).astype(np.int64)
    clusters = more.get("clusters")
    if clusters is None:
        return calibration_error_of(tables, rows, level)
    group = np.asarray(codes)
    _, of = cluster_sums(np.ones(len(group)), group, np.asarray(clusters), n_groups)
    chosen = [np.flatnonzero(group == at) for at in range(n_groups)]
    parts = {"score": score, **{what: part for what, part in more.items() if part is not None}}
    shared = [shared_clusters(**{what: np.asarray(part)[at] for what, part in parts.items()}) for at in chosen]  # type: ignore[arg-type]
    found = calibration_error_of(tables, rows, level, shared)
    return replace(found, note=of_one_cluster(rows_by(of, n_groups), rows))


def calibration_error_of(
    tables: Sequence[Floats], rows: Ints, level: float = 0.95, shared: Sequence[Floats] | None = None
) -> Measured:
    """Measure the calibration error of every group from its reliability table.

    `shared` are correlations of the bins of each group, as of rows in clusters; without them bins are independent.
    """
    estimate = np.array([_error_of(table) for table in tables])
    correlated = [None] * len(tables) if shared is None else shared

    def ends(z: float) -> tuple[Floats, Floats]:
        found = [_calibration_ends(table, z, alike) for table, alike in zip(tables, correlated, strict=True)]
        return np.array([low for low, _ in found]), np.array([high for _, high in found])

    return finished("calibration_error", estimate, rows, told(rows), f"clopper-pearson in {BINS} bins", ends, level)


def calibration_floor(
    y_true: ArrayLike,
    score: ArrayLike,
    codes: ArrayLike,
    n_groups: int = 1,
    *,
    seed: int = 0,
    draws: int = 1_000,
    frequency: ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """Return the calibration error that a calibrated model of these scores would show, and the chance of as much.

    The truth is drawn from the scores themselves, bin by bin.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
        The truth.
    score : (n,) array
        Probabilities.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.
    seed : int
        Of the draws.
    draws : int
        How often the truth is drawn.
    frequency : (n,) integer array, optional
        The number of rows that each row represents.

    Returns
    -------
    floor, p_value : (G,) arrays
        The mean error over the draws, and the share of draws (counting the data as one) with at least the error seen.

    Examples
    --------
    >>> floor, p_value = calibration_floor([0, 1, 0, 1], [0.1, 0.3, 0.6, 0.8], [0, 0, 0, 0], draws=100)
    >>> floor.shape, bool((p_value > 0).all())
    ((1,), True)
    """
    rng = np.random.default_rng(seed)
    floor, p_value = np.full(n_groups, np.nan), np.full(n_groups, np.nan)
    for group, table in enumerate(reliability_tables(y_true, score, codes, n_groups, frequency=frequency)):
        if not len(table):
            continue
        rows, mean, _, share = table.T
        drawn = rng.binomial(rows.astype(np.int64), np.clip(mean, 0, 1), size=(draws, len(table)))
        errors = (np.abs(mean - drawn / rows) * share).sum(axis=1)
        floor[group] = errors.mean()
        p_value[group] = (1 + int((errors >= _error_of(table) - 1e-12).sum())) / (1 + draws)
    return floor, p_value


def _error_of(table: Floats) -> float:
    if not len(table):
        return float("nan")
    rows, mean, positives, share = table.T
    return float((np.abs(mean - positives / rows) * share).sum() / share.sum())


def _calibration_ends(table: Floats, z: float, correlated: Floats | None) -> tuple[float, float]:
    if not len(table):
        return float("nan"), float("nan")
    rows, mean, positives, share = table.T
    gap = np.abs(mean - positives / rows)
    level = 1 - 2 * (1 - NormalDist().cdf(z))
    low, high = clopper_pearson(positives, rows, sidak_z(2 * len(table), level))  # either end of any bin may err
    nearest = np.maximum(np.maximum(low - mean, mean - high), 0.0)
    low, high = clopper_pearson(positives, rows, z)
    farthest = np.maximum(np.abs(mean - low), np.abs(high - mean))
    margins = share * (farthest - gap)
    squares = (share**2 * (farthest - gap) ** 2).sum() if correlated is None else margins @ correlated @ margins
    above = float(np.sqrt(squares))
    total = float((share * gap).sum())
    return min(float((share * nearest).sum()), total), total + above


SCORES: Final[dict[str, Callable[..., Measured]]] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "mean_score": mean_score,
    "brier_score": brier_score,
    "log_loss": log_loss,
    "calibration_error": calibration_error,
    "calibration_ratio": calibration_ratio,
}
"""The metrics of scores."""
