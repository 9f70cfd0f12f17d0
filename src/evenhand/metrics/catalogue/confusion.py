"""Rates of the confusion table: a numerator and a denominator over the four cells of truth x decision."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import ALL, FN, FP, TN, TP, Metric

_FAWCETT = "Fawcett (2006), Pattern Recognition Letters 27"
_FAIRLEARN = "Fairlearn user guide, common fairness metrics"

RATES: Final = (
    Metric("selection_rate", "Selection rate", "rate", "neutral", "(TP + FP) / n",
        "The share of rows predicted positive.",
        "Groups may differ in what they applied with; an equal rate can hide unequal errors.", _FAIRLEARN,
        ("predicted_positive_rate", "acceptance_rate"), (FP, TP), ALL),
    Metric("favourable_rate", "Favourable rate", "rate", "neutral", "decisions good for the person / n",
        "The share of rows that get the outcome which is good for the person; the four-fifths rule compares it.",
        "It is the selection rate where the positive class is the good one, and its complement where it is not.",
        "29 CFR 1607.4(D)", (), (FP, TP), ALL, changes=False),
    Metric("rejection_rate", "Rejection rate", "rate", "neutral", "(TN + FN) / n",
        "The share of rows predicted negative.",
        "It is what the selection rate leaves; the four-fifths rule looks at one of both only.", _FAIRLEARN,
        ("predicted_negative_rate", "negative_rate"), (TN, FN), ALL, changes=False),
    Metric("base_rate", "Base rate", "rate", "neutral", "(TP + FN) / n",
        "The share of rows whose truth is positive; a property of the data, not of the model.",
        "A label that records past decisions carries their bias into it.", _FAWCETT, ("prevalence",), (FN, TP), ALL,
        changes=False),
    Metric("accuracy", "Accuracy", "rate", "higher_is_better", "(TP + TN) / n", "The share of rows decided rightly.",
        "With a rare class, always saying the common one is accurate and useless.", _FAWCETT, ("accuracy_score",),
        (TN, TP), ALL),
    Metric("error_rate", "Error rate", "rate", "lower_is_better", "(FP + FN) / n", "The share of rows decided wrongly.",
        "It weighs both kinds of error alike.", _FAWCETT, ("zero_one_loss",), (FP, FN), ALL),
    Metric("recall", "Recall", "rate", "higher_is_better", "TP / (TP + FN)",
        "Of those whose truth is positive, the share predicted positive.",
        "It says nothing of those whose truth is negative.", _FAWCETT, ("true_positive_rate", "tpr", "sensitivity"),
        (TP,), (FN, TP)),
    Metric("false_negative_rate", "False negative rate", "rate", "lower_is_better", "FN / (TP + FN)",
        "Of those whose truth is positive, the share predicted negative.",
        "It says nothing of those whose truth is negative.", _FAWCETT, ("fnr", "miss_rate"), (FN,), (FN, TP)),
    Metric("false_positive_rate", "False positive rate", "rate", "lower_is_better", "FP / (FP + TN)",
        "Of those whose truth is negative, the share predicted positive.",
        "It says nothing of those whose truth is positive.", _FAWCETT, ("fpr", "fall_out"), (FP,), (TN, FP)),
    Metric("specificity", "Specificity", "rate", "higher_is_better", "TN / (FP + TN)",
        "Of those whose truth is negative, the share predicted negative.",
        "It says nothing of those whose truth is positive.", _FAWCETT, ("true_negative_rate", "tnr"), (TN,), (TN, FP)),
    Metric("precision", "Precision", "rate", "higher_is_better", "TP / (TP + FP)",
        "Of those predicted positive, the share whose truth is positive.",
        "It falls with the base rate, whatever the model does.", _FAWCETT, ("positive_predictive_value", "ppv"), (TP,),
        (FP, TP)),
    Metric("negative_predictive_value", "Negative predictive value", "rate", "higher_is_better", "TN / (TN + FN)",
        "Of those predicted negative, the share whose truth is negative.",
        "It rises as the base rate falls, whatever the model does.", _FAWCETT, ("npv",), (TN,), (TN, FN)),
    Metric("false_discovery_rate", "False discovery rate", "rate", "lower_is_better", "FP / (TP + FP)",
        "Of those predicted positive, the share whose truth is negative.",
        "It rises as the base rate falls, whatever the model does.", _FAWCETT, ("fdr",), (FP,), (FP, TP)),
    Metric("false_omission_rate", "False omission rate", "rate", "lower_is_better", "FN / (TN + FN)",
        "Of those predicted negative, the share whose truth is positive.",
        "It rises with the base rate, whatever the model does.", _FAWCETT, ("for",), (FN,), (TN, FN)),
    Metric("stereotype_rate", "Stereotype preferred", "rate", "neutral", "stereotypical text likelier / n",
        "The share of pairs of texts of which a language model finds the stereotypical one likelier; 50 % is no "
        "preference.",
        "What pairs were written about, and how well, decides what it says: a rate of 50 % is no proof of fairness.",
        "Nangia, Vania, Bhalerao and Bowman (2020), EMNLP; Blodgett et al. (2021), ACL, on what such pairs measure",
        ("pct_stereotype", "stereotype_score"), (FP, TP), ALL),
)  # fmt: skip
