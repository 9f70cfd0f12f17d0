"""Metrics of which decisions turn when inputs change: stated by one audit each."""

from __future__ import annotations

from typing import Final

from evenhand.messages import lowered, message
from evenhand.metrics.catalogue.compression import LABELS
from evenhand.metrics.catalogue.entry import Metric

CORRUPTED_GAPS: Final = ("selection_rate", "recall", "false_positive_rate", "equalized_odds")
"""Rates whose gap between groups is stated before and after a corruption."""
_SOURCE: Final = "Hendrycks and Dietterich (2019), ICLR, for corruptions at several severities"

ROBUSTNESS: Final[tuple[Metric, ...]] = (
    Metric("corrupted_flip_rate", "Flip rate under corruption", "score", "lower_is_better",
        "rows decided otherwise when their inputs are corrupted / n",
        "The share of rows whose decision changes with the corruption and at the severity that are named.",
        "A model that reads nothing never flips; look at its accuracy, too. A flip may be right: noise can carry a row "
        "to where it belongs.",
        _SOURCE, example="8 / 200 = 0.040"),
    Metric("corrupted_accuracy_change", "Accuracy change under corruption", "score", "higher_is_better",
        "accuracy on corrupted rows - accuracy on the same rows as they are",
        "What a corruption does to the accuracy, row by row.",
        "No change on average can hide rows that turned right and others that turned wrong: see the flip rate.",
        _SOURCE, lowest=-1.0, example="0.90 - 0.92 = -0.02"),
    *(
        Metric(f"corrupted_{name}_difference_change",
            message("{metric} difference: change under corruption", metric=LABELS[name]), "statement",
            "lower_is_better", f"{name}_difference on corrupted rows - {name}_difference on the rows as they are",
            message("How much wider (above 0) or narrower the gap between groups in {metric} becomes.",
                metric=lowered(LABELS[name])),
            "The groups that make the gap may be others than before.",
            "Bounds by the groups that may make the gap; see the design note on the compression audit", lowest=-1.0,
            example="0.14 - 0.10 = 0.04")
        for name in CORRUPTED_GAPS
    ),
    Metric("corrupted_mean_absolute_error_change", "Mean absolute error change under corruption", "score",
        "lower_is_better", "mean of (|prediction of the corrupted row - truth| - |prediction - truth|)",
        "How much farther from the truth (above 0) the numbers are, row by row, in their own unit.",
        "No change on average can hide rows that came nearer and others that went off.", _SOURCE, lowest=None,
        highest=None, task="regression", example="(|12 - 10| - |11 - 10| + |7 - 8| - |6 - 8|) / 2 = 0"),
    Metric("corrupted_prediction_distance", "Move of predictions under corruption", "score", "lower_is_better",
        "mean of |prediction of the corrupted row - prediction|",
        "How far a corruption moves the numbers that are predicted, in the unit of the label.",
        "Far is to be seen beside how far the numbers of two people are apart.", _SOURCE, highest=None,
        task="regression", example="(|12 - 11| + |6 - 7|) / 2 = 1"),
    Metric("corrupted_flip_rate_change", "Flip rate under corruption: change by compression", "statement",
        "lower_is_better", "corrupted_flip_rate of the compressed model - corrupted_flip_rate of the original",
        "How much more often (above 0) the compressed model changes its decision under the same corruption of the same "
        "rows.",
        "Each model is compared with its own decision on the row as it is; where they already differ does not count.",
        "Paired: Zou and Donner (2008), Statistics in Medicine 27", lowest=-1.0, example="0.05 - 0.04 = 0.01"),
    Metric("near_threshold_share", "Rows near the threshold", "score", "neutral",
        "rows whose score is within d of the threshold / n; d: nine of ten scores move less by mild noise",
        "The share of rows that a little noise may carry over the threshold.",
        "A row may be near and never cross; the distance d is taken as known, and is one for all groups.",
        "Hendrycks and Dietterich (2019), ICLR, for the corruptions", example="30 / 200 = 0.15"),
)  # fmt: skip
"""Metrics of natural corruption."""
