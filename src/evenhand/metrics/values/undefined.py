"""Why a rate or composite has no value: 0 of 0, told in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.messages import lowered, message
from evenhand.metrics.catalogue.entry import FN, FP, TN, TP

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.catalogue import Cells, Metric

_MISSING: Final[dict[Cells, str]] = {
    (FN, TP): message("No row whose truth is positive: {metric} is 0 of 0."),
    (TN, FP): message("No row whose truth is negative: {metric} is 0 of 0."),
    (FP, TP): message("No row predicted positive: {metric} is 0 of 0."),
    (TN, FN): message("No row predicted negative: {metric} is 0 of 0."),
}
_UNDEFINED: Final = {
    "f1": message("No row whose truth or prediction is positive: F1 is 0 of 0."),
    "treatment_equality": message("No false positive: false negatives per false positive are a number over 0."),
    "balanced_accuracy": message("Only one of the two classes has rows: balanced accuracy needs both."),
    "average_predictive_value": message(
        "All rows are decided alike: the average predictive value needs both decisions."
    ),
}
UNTHRESHOLDED: Final = message(
    "Rows were not decided at a threshold probability, which is what says how many false positives one true positive "
    "is worth: name one with threshold=."
)
"""Why decisions have no net benefit."""

ONE_CLUSTER: Final = message("All its rows are of one cluster, which does not show how much clusters differ.")
"""Why an interval allows for nearly any value."""


def of_one_cluster(clusters: ArrayLike, rows: ArrayLike) -> tuple[str, ...]:
    """Return what is to be said of each group whose rows are all of one cluster; nothing where no group is.

    Examples
    --------
    >>> of_one_cluster([1, 40], [300, 300])
    ('All its rows are of one cluster, which does not show how much clusters differ.', '')
    """
    alone = (np.asarray(clusters) == 1) & (np.asarray(rows) > 1)
    return tuple(ONE_CLUSTER if each else "" for each in alone) if alone.any() else ()


def why_undefined(entry: Metric, rows: int) -> str:
    """Return why a metric of so many rows has no value."""
    words = lowered(entry.label)
    if rows == 0:
        return message("No row at all: {metric} is 0 of 0.", metric=words)
    if entry.name in _UNDEFINED:
        return _UNDEFINED[entry.name]
    if entry.kind == "composite":
        return message("{metric} is 0 of 0 for these rows.", metric=entry.label)
    told = _MISSING.get(tuple(sorted(entry.denominator)), message("No row in its denominator: {metric} is 0 of 0."))
    return message(told, metric=words)
