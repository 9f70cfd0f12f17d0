"""Metrics of rows that carry several labels at once, by group."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from evenhand.messages import message
from evenhand.metrics.counts.sums import rows_by
from evenhand.metrics.inference.intervals import scaled_ends
from evenhand.metrics.values.means import finished, means, measured_mean, measured_share, told

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.values.rates import Measured


def hamming_loss(
    y_true: ArrayLike, y_pred: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure the share of wrong labels, from arrays (n, L) of 0 and 1."""
    wrong = (np.asarray(y_true) != np.asarray(y_pred)).mean(axis=1)
    return measured_mean("hamming_loss", means(wrong, codes, n_groups), level)


def subset_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure the share of rows of which every label is right, with its exact interval."""
    groups = np.asarray(codes)
    right = (np.asarray(y_true) == np.asarray(y_pred)).all(axis=1)
    return measured_share("subset_accuracy", rows_by(groups[right], n_groups), rows_by(groups, n_groups), level)


def f1_over_labels(
    metric: str, y_true: ArrayLike, y_pred: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure ``micro_f1`` or ``macro_f1`` of every group.

    The labels of a row are not independent, so the error is that of the row: what it adds to the value to first order
    (its influence), summed over its labels. A label that occurs nowhere in the group takes no part in the macro mean.
    """
    true, predicted = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    groups = np.asarray(codes).astype(np.intp)
    both, either = 2 * true * predicted, true + predicted
    if metric == "micro_f1":
        both, either = both.sum(axis=1, keepdims=True), either.sum(axis=1, keepdims=True)
    top, bottom = (
        np.stack([means(column, groups, n_groups).mean for column in part.T], axis=1) for part in (both, either)
    )
    present = bottom > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.where(present, top / bottom, 0.0)
        value = each.sum(axis=1) / present.sum(axis=1)
        part = np.where(present[groups], (both - each[groups] * either) / bottom[groups], 0.0)
        influence = part.sum(axis=1) / present.sum(axis=1)[groups]
    error = means(np.nan_to_num(influence), groups, n_groups).error
    ends = partial(scaled_ends, value, error, lowest=0.0, highest=1.0)
    reasons = told(np.isfinite(value), message("No label is true or predicted in any row: F1 is 0 of 0."))
    return finished(metric, value, rows_by(groups, n_groups), reasons, "delta method over rows", ends, level)
