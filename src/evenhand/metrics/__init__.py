"""Pure arithmetic on counts and scores: rates, disparities, intervals.

The names of metrics load nothing heavy; what computes is fetched when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.catalogues import face
from evenhand.metrics.catalogue import METRICS, Metric
from evenhand.metrics.catalogue.names import canonical, describe, names, parse_disparity

if TYPE_CHECKING:
    from evenhand.metrics.comparisons.disparities import Disparity, compare, disparity, score_disparity
    from evenhand.metrics.comparisons.references import disparity_to
    from evenhand.metrics.counts.tally import Tally
    from evenhand.metrics.inference.paired import PairedChange, paired_change
    from evenhand.metrics.values.means import means, measured_mean
    from evenhand.metrics.values.ranking_curves import average_precision, roc_auc
    from evenhand.metrics.values.rates import Measured, measure
    from evenhand.metrics.values.reliability import reliability
    from evenhand.metrics.values.scores import (
        SCORES,
        brier_score,
        calibration_error,
        calibration_floor,
        log_loss,
        mean_score,
    )

__all__ = [
    "METRICS", "SCORES", "Disparity", "Measured", "Metric", "PairedChange", "Tally", "average_precision", "brier_score",
    "calibration_error", "calibration_floor", "canonical", "compare", "describe", "disparity", "disparity_to",
    "log_loss", "mean_score", "means", "measure", "measured_mean", "names", "paired_change", "parse_disparity",
    "reliability", "roc_auc", "score_disparity",
]  # fmt: skip
__getattr__, __dir__ = face(__name__, {
    "comparisons.disparities": "Disparity compare disparity score_disparity", "comparisons.references": "disparity_to",
    "counts.tally": "Tally", "inference.paired": "PairedChange paired_change", "values.means": "means measured_mean",
    "values.ranking_curves": "average_precision roc_auc", "values.rates": "Measured measure",
    "values.scores": "SCORES brier_score calibration_error calibration_floor log_loss mean_score",
    "values.reliability": "reliability",
})  # fmt: skip
