"""Every metric, declared once: tables, policy keys, glossary and docs come from its entry.

A rate is a numerator and a denominator over the four cells of truth x decision. Importing this module loads nothing
heavy: the gate knows metrics by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from evenhand.findings import Direction

Kind: TypeAlias = Literal["rate", "composite", "score", "statement", "disparity"]
Cells: TypeAlias = tuple[tuple[int, int], ...]
"""Cells (truth, decision) of the confusion table, 1 = positive."""

TN, FP, FN, TP = (0, 0), (0, 1), (1, 0), (1, 1)
ALL = (TN, FP, FN, TP)


@dataclass(frozen=True, slots=True)
class Metric:
    """One declared metric."""

    name: str
    """The canonical name."""
    label: str
    """Its name for people."""
    kind: Kind
    """How it is computed: a rate of cells, a composite of rates, from scores, or stated by one audit."""
    direction: Direction
    """Which way is better."""
    formula: str
    """The formula, in the letters of the confusion table."""
    meaning: str
    """What it says, in one line."""
    misleads: str = ""
    """When it misleads."""
    source: str = ""
    """Where it is defined."""
    aliases: tuple[str, ...] = ()
    """Other accepted names."""
    numerator: Cells = ()
    """The cells that are counted."""
    denominator: Cells = ()
    """The cells they are a share of."""


_FAWCETT = "Fawcett (2006), Pattern Recognition Letters 27"
_FAIRLEARN = "Fairlearn user guide, common fairness metrics"

_RATES: Final = (
    Metric(
        "selection_rate",
        "Selection rate",
        "rate",
        "neutral",
        "(TP + FP) / n",
        "The share of rows predicted positive.",
        "Groups may differ in what they applied with; an equal rate can hide unequal errors.",
        _FAIRLEARN,
        ("predicted_positive_rate", "acceptance_rate"),
        (FP, TP),
        ALL,
    ),
    Metric(
        "favourable_rate",
        "Favourable rate",
        "rate",
        "neutral",
        "decisions good for the person / n",
        "The share of rows that get the outcome which is good for the person; four-fifths turns on it.",
        "It is the selection rate where the positive class is the good one, and its complement where it is not.",
        "29 CFR 1607.4(D)",
        (),
        (FP, TP),
        ALL,
    ),
    Metric(
        "base_rate",
        "Base rate",
        "rate",
        "neutral",
        "(TP + FN) / n",
        "The share of rows whose truth is positive; a property of the data, not of the model.",
        "A label that records past decisions carries their bias into it.",
        _FAWCETT,
        ("prevalence",),
        (FN, TP),
        ALL,
    ),
    Metric(
        "accuracy",
        "Accuracy",
        "rate",
        "higher_is_better",
        "(TP + TN) / n",
        "The share of rows decided rightly.",
        "With a rare class, always saying the common one is accurate and useless.",
        _FAWCETT,
        ("accuracy_score",),
        (TN, TP),
        ALL,
    ),
    Metric(
        "error_rate",
        "Error rate",
        "rate",
        "lower_is_better",
        "(FP + FN) / n",
        "The share of rows decided wrongly.",
        "It weighs both kinds of error alike.",
        _FAWCETT,
        ("zero_one_loss",),
        (FP, FN),
        ALL,
    ),
    Metric(
        "recall",
        "Recall",
        "rate",
        "higher_is_better",
        "TP / (TP + FN)",
        "Of those whose truth is positive, the share predicted positive.",
        "It says nothing of those whose truth is negative.",
        _FAWCETT,
        ("true_positive_rate", "tpr", "sensitivity"),
        (TP,),
        (FN, TP),
    ),
    Metric(
        "false_negative_rate",
        "False negative rate",
        "rate",
        "lower_is_better",
        "FN / (TP + FN)",
        "Of those whose truth is positive, the share predicted negative.",
        "It says nothing of those whose truth is negative.",
        _FAWCETT,
        ("fnr", "miss_rate"),
        (FN,),
        (FN, TP),
    ),
    Metric(
        "false_positive_rate",
        "False positive rate",
        "rate",
        "lower_is_better",
        "FP / (FP + TN)",
        "Of those whose truth is negative, the share predicted positive.",
        "It says nothing of those whose truth is positive.",
        _FAWCETT,
        ("fpr", "fall_out"),
        (FP,),
        (TN, FP),
    ),
    Metric(
        "specificity",
        "Specificity",
        "rate",
        "higher_is_better",
        "TN / (FP + TN)",
        "Of those whose truth is negative, the share predicted negative.",
        "It says nothing of those whose truth is positive.",
        _FAWCETT,
        ("true_negative_rate", "tnr"),
        (TN,),
        (TN, FP),
    ),
    Metric(
        "precision",
        "Precision",
        "rate",
        "higher_is_better",
        "TP / (TP + FP)",
        "Of those predicted positive, the share whose truth is positive.",
        "It falls with the base rate, whatever the model does.",
        _FAWCETT,
        ("positive_predictive_value", "ppv"),
        (TP,),
        (FP, TP),
    ),
    Metric(
        "negative_predictive_value",
        "Negative predictive value",
        "rate",
        "higher_is_better",
        "TN / (TN + FN)",
        "Of those predicted negative, the share whose truth is negative.",
        "It rises as the base rate falls, whatever the model does.",
        _FAWCETT,
        ("npv",),
        (TN,),
        (TN, FN),
    ),
    Metric(
        "false_discovery_rate",
        "False discovery rate",
        "rate",
        "lower_is_better",
        "FP / (TP + FP)",
        "Of those predicted positive, the share whose truth is negative.",
        "It rises as the base rate falls, whatever the model does.",
        _FAWCETT,
        ("fdr",),
        (FP,),
        (FP, TP),
    ),
    Metric(
        "false_omission_rate",
        "False omission rate",
        "rate",
        "lower_is_better",
        "FN / (TN + FN)",
        "Of those predicted negative, the share whose truth is positive.",
        "It rises with the base rate, whatever the model does.",
        _FAWCETT,
        ("for",),
        (FN,),
        (TN, FN),
    ),
)

_OTHERS: Final = (
    Metric(
        "f1",
        "F1",
        "composite",
        "higher_is_better",
        "2 TP / (2 TP + FP + FN)",
        "The harmonic mean of precision and recall.",
        "True negatives do not count in it, and the positive class is a choice.",
        "van Rijsbergen (1979), Information Retrieval",
        ("f1_score",),
    ),
    Metric(
        "balanced_accuracy",
        "Balanced accuracy",
        "composite",
        "higher_is_better",
        "(recall + specificity) / 2",
        "The mean of the accuracy on positives and on negatives.",
        "It weighs a rare class as much as a common one, which costs may not.",
        "Brodersen et al. (2010), ICPR",
        ("balanced_accuracy_score",),
    ),
    Metric(
        "roc_auc",
        "ROC AUC",
        "score",
        "higher_is_better",
        "P(score of a positive > score of a negative) + half of P(equal)",
        "The chance that a positive row scores above a negative one.",
        "It is about ranking, not about the threshold that is used.",
        "DeLong et al. (1988), Biometrics 44",
        ("auc", "roc_auc_score"),
    ),
    Metric(
        "brier_score",
        "Brier score",
        "score",
        "lower_is_better",
        "mean of (score - truth) squared",
        "The mean squared error of the predicted probability.",
        "It mixes calibration and discrimination, and depends on the base rate.",
        "Brier (1950), Monthly Weather Review 78",
        ("brier_score_loss",),
    ),
    Metric(
        "log_loss",
        "Log loss",
        "score",
        "lower_is_better",
        "mean of -log(probability given to the truth)",
        "How surprised the model is by the truth, in nats.",
        "One row that was excluded with certainty dominates it; probabilities are kept 1e-15 away from 0 and 1.",
        "Good (1952), JRSS B 14",
        (),
    ),
    Metric(
        "calibration_error",
        "Calibration error",
        "score",
        "lower_is_better",
        "sum over bins of share x |mean score - share of positives|",
        "How far predicted probabilities lie from observed shares, over 10 bins of equal count.",
        "Small samples show an error even when there is none; it cannot be 0 by chance alone.",
        "Naeini et al. (2015), AAAI",
        ("expected_calibration_error", "ece"),
    ),
)

_STATED: Final = (
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

METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in (*_RATES, *_OTHERS, *_STATED)}
"""Every metric by its canonical name."""
