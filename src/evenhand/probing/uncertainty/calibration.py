"""Calibration errors beside what chance alone shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.values.reliability import reliability_tables
from evenhand.metrics.values.scores import calibration_error_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["Excess", "calibration_excess"]

DRAWS: Final = 2_000
"""How often the truth is drawn."""
METHOD: Final = "error less what chance adds, drawn; clopper-pearson in bins"


@dataclass(frozen=True, slots=True, eq=False)
class Excess:
    """Calibration errors of groups less those that chance shows; shares, (G,) each.

    Examples
    --------
    >>> calibration_excess([0, 1] * 50, [0.5] * 100).error.tolist()
    [0.0]
    """

    error: Floats
    """The calibration error, over at most ten bins of equal count; nan for a group without rows."""
    by_chance: Floats
    """The mean error of scores that are right, with as many rows."""
    usual: Floats
    """The 95 % point of that: one in twenty calibrated models shows more."""
    low: Floats
    """The lower end of the interval of the true error."""
    high: Floats
    """The upper end."""
    p_value: Floats
    """The chance that a calibrated model shows as much."""
    rows: NDArray[np.int64]
    """Rows."""


def calibration_excess(
    y_true: ArrayLike,
    score: ArrayLike,
    codes: ArrayLike | None = None,
    n_groups: int = 1,
    level: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS,
) -> Excess:
    """Return the calibration error of each group beside that of a calibrated model with the same scores.

    The error of few rows is biased upwards: what a calibrated model shows of itself is drawn, bin by bin, from the
    scores. The error seen is above the true error of the bins by at most the sum over bins of
    ``share x |rate seen - true rate|``: the low end takes off what that sum reaches with a chance of half of
    ``1 - level``, drawn from the scores and from the rates seen, whichever is more. It is below the true one by at most
    the same sum with signs, so the high end is that of the calibration error, which adds margins in quadrature.

    Parameters
    ----------
    y_true : (n,) array of 0 and 1
        The truth.
    score : (n,) array
        Probabilities.
    codes : (n,) integer array, optional
        The group of each row, from 0; one group when absent.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence of the interval.
    seed : int
        Of the draws.
    draws : int
        How often the truth is drawn.

    Returns
    -------
    Excess

    Notes
    -----
    Vaicenavicius et al. (2019), AISTATS, for the null; Roelofs et al. (2022), AISTATS, for the bias.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(size=200)
    >>> right = calibration_excess(rng.uniform(size=200) < p, p)
    >>> bool(right.error[0] > 0.05), bool(right.low[0] < 0), bool(right.p_value[0] > 0.05)
    (True, True, True)
    """
    scores = np.asarray(score, dtype=np.float64)
    groups = np.zeros(len(scores), dtype=np.int32) if codes is None else np.asarray(codes)
    found = np.full((6, n_groups), np.nan)
    true = np.asarray(y_true).astype(np.int8)
    for group, table in enumerate(reliability_tables(true, scores, groups, n_groups)):
        if len(table):
            found[:, group] = _of_table(table, level, np.random.default_rng([seed, group]), draws)
    error, by_chance, usual, low, high, p_value = found
    rows = np.bincount(groups, minlength=n_groups).astype(np.int64)
    return Excess(error, by_chance, usual, low, high, p_value, rows)


def _of_table(table: Floats, level: float, rng: np.random.Generator, draws: int) -> tuple[float, ...]:
    rows, mean, positives, share = table.T
    rate = positives / rows
    error = float((np.abs(mean - rate) * share).sum())
    likely = (positives + 0.5) / (rows + 1)  # a bin without positives may have some
    null, seen = (_errors(rows, share, np.clip(of, 0, 1), rng, draws) for of in (mean, likely))
    reach = max(float(np.quantile(each, (1 + level) / 2)) for each in (null, seen))
    p_value = (1 + int((null >= error - 1e-12).sum())) / (1 + draws)
    high = float(calibration_error_of([table], np.array([int(rows.sum())]), level).high[0])
    return error, float(null.mean()), float(np.quantile(null, 0.95)), error - reach, min(high, 1.0), p_value


def _errors(rows: Floats, share: Floats, rate: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """Return what the error of rates that are right is, in each draw of the truth."""
    drawn = rng.binomial(rows.astype(np.int64), rate, size=(draws, len(rows))) / rows
    return np.asarray((np.abs(drawn - rate) * share).sum(axis=1))
