"""Metrics that one audit states and that are no rate of counts: of explanations, of compression, of size and time."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.entry import Metric

STATED: Final = (
    Metric(
        "importance",
        "Importance",
        "statement",
        "neutral",
        "mean of |Shapley value|",
        "How much a feature moves the score, on average over the explained rows.",
        "It is what the model uses, not what causes the outcome.",
        "Lundberg and Lee (2017), NeurIPS",
    ),
    Metric(
        "declared",
        "Declaration",
        "statement",
        "neutral",
        "an answer in responsibility.toml",
        "What people have said of the model; nothing was measured.",
        "That something was declared does not make it true.",
    ),
    Metric(
        "score_distance",
        "Distance between scores",
        "statement",
        "lower_is_better",
        "max over pairs of groups, and over thresholds, of |difference of shares below|",
        "How far apart two groups' scores are, at whatever threshold: no threshold could select them more unlike.",
        "The threshold in use may show far less.",
        "Kolmogorov and Smirnov; bands of Massart (1990), Annals of Probability 18",
    ),
    Metric(
        "calibration_floor",
        "Calibration error by chance",
        "statement",
        "neutral",
        "mean calibration error when the truth is drawn from the scores",
        "The calibration error that a perfectly calibrated model would show with these scores and as many rows.",
        "An error near it is no evidence of a fault, and none that there is no fault.",
        "Vaicenavicius et al. (2019), AISTATS",
    ),
    Metric(
        "score_gap",
        "Gap in mean score",
        "statement",
        "neutral",
        "mean score of one group - mean score of the other",
        "How far apart the mean scores of two groups are, over the explained rows.",
        "A gap in scores need not be one in decisions, which turn on the threshold.",
    ),
    Metric(
        "gap_part",
        "Part of the gap",
        "statement",
        "neutral",
        "mean Shapley value in one group - mean in the other",
        "How much of the gap in mean score between two groups one feature carries; the parts sum to the gap.",
        "A feature may carry a gap because it stands for the group, and because the groups really differ in it.",
        "Lundberg and Lee (2017), NeurIPS; Shapley values are additive, so their group means are",
    ),
    Metric(
        "attribution_residual",
        "Attribution residual",
        "statement",
        "lower_is_better",
        "max of |sum of values + base - score|",
        "How far the attributions are from adding up to the model's own score.",
        "Adding up does not prove them right; not adding up proves them wrong.",
        "Lundberg and Lee (2017), NeurIPS",
    ),
    Metric(
        "flip_rate",
        "Flip rate",
        "rate",
        "lower_is_better",
        "rows decided differently / n",
        "The share of rows that the compressed model decides otherwise than the original (churn).",
        "Two fits of the same model differ as well: compare with their flip rate.",
        "Milani Fard et al. (2016), NeurIPS",
        ("churn",),
    ),
    *(
        Metric(
            f"{name}_change",
            f"{words} change",
            "statement",
            direction,  # type: ignore[arg-type]  # the three words of Direction
            f"{name} of the compressed model - {name} of the original",
            f"What compression did to the {words.lower()}, row by row.",
            "No change on average can hide gains of one group and losses of another.",
            "Newcombe (1998b), Statistics in Medicine 17",
        )
        for name, words, direction in (
            ("accuracy", "Accuracy", "higher_is_better"),
            ("recall", "Recall", "higher_is_better"),
            ("false_positive_rate", "False positive rate", "lower_is_better"),
            ("selection_rate", "Selection rate", "neutral"),
        )
    ),
    Metric("file_bytes", "File size", "statement", "lower_is_better", "bytes", "The bytes of the deployable file."),
    Metric(
        "parameters",
        "Parameters",
        "statement",
        "lower_is_better",
        "count",
        "The numbers that were learned.",
    ),
    Metric(
        "nonzero_parameters",
        "Non-zero parameters",
        "statement",
        "lower_is_better",
        "count",
        "The learned numbers that are not zero; zeros save neither bytes nor time in a dense file.",
    ),
    Metric(
        "macs",
        "Multiply-adds",
        "statement",
        "lower_is_better",
        "count",
        "Multiplications with addition for one row, whatever their precision.",
    ),
    Metric(
        "size_ratio",
        "Size ratio",
        "statement",
        "higher_is_better",
        "bytes of the original / bytes of the compressed model",
        "How many times smaller the file became.",
    ),
    Metric(
        "latency",
        "Latency",
        "statement",
        "lower_is_better",
        "median seconds of one call",
        "What a caller waits for, on this machine with its other load, on one thread.",
        "Times differ from machine to machine; ratios of one run travel better.",
    ),
    Metric(
        "latency_ratio",
        "Speed-up",
        "statement",
        "higher_is_better",
        "least seconds of the original / least seconds of the compressed model",
        "How many times faster one call became, measured interleaved in one run.",
        "It holds the gain of a faster runtime as well as that of compression.",
    ),
)
"""In the order in which a glossary might list them."""
