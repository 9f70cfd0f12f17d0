"""Pure arithmetic on counts and scores: rates, disparities, intervals.

The names of metrics load nothing heavy; what computes is fetched when it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from evenhand.metrics.catalogue import METRICS, Metric
from evenhand.metrics.names import canonical, describe, names, parse_disparity

if TYPE_CHECKING:
    from evenhand.metrics.averages import means, measured_mean
    from evenhand.metrics.disparities import Disparity, compare, disparity
    from evenhand.metrics.measuring import Measured, measure
    from evenhand.metrics.paired import PairedChange, paired_change
    from evenhand.metrics.ranks import average_precision, roc_auc
    from evenhand.metrics.references import disparity_to
    from evenhand.metrics.scores import (
        SCORES,
        brier_score,
        calibration_error,
        calibration_floor,
        log_loss,
        mean_score,
        reliability,
        roc_auc_disparity,
        score_disparity,
    )
    from evenhand.metrics.tally import Tally

_HOMES = {
    "Disparity": "disparities",
    "compare": "disparities",
    "disparity": "disparities",
    "disparity_to": "references",
    "Measured": "measuring",
    "measure": "measuring",
    "PairedChange": "paired",
    "paired_change": "paired",
    "SCORES": "scores",
    "brier_score": "scores",
    "calibration_error": "scores",
    "log_loss": "scores",
    "reliability": "scores",
    "average_precision": "ranks",
    "mean_score": "scores",
    "means": "averages",
    "measured_mean": "averages",
    "score_disparity": "scores",
    "calibration_floor": "scores",
    "roc_auc": "ranks",
    "roc_auc_disparity": "scores",
    "Tally": "tally",
}

__all__ = [
    "METRICS",
    "SCORES",
    "Disparity",
    "Measured",
    "Metric",
    "PairedChange",
    "Tally",
    "average_precision",
    "brier_score",
    "calibration_error",
    "calibration_floor",
    "canonical",
    "compare",
    "describe",
    "disparity",
    "disparity_to",
    "log_loss",
    "mean_score",
    "means",
    "measure",
    "measured_mean",
    "names",
    "paired_change",
    "parse_disparity",
    "reliability",
    "roc_auc",
    "roc_auc_disparity",
    "score_disparity",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'evenhand.metrics' has no attribute '{name}'")
    return getattr(importlib.import_module(f"evenhand.metrics.{_HOMES[name]}"), name)
