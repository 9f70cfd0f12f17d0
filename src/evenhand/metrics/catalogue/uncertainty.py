"""Metrics of what a score is worth: stated by one audit each."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

_HALF: Final = "Fitted on one half of the rows and judged on the other; on other rows it may be otherwise."
_BARBER: Final = "Foygel Barber et al. (2021), Information and Inference 10"
_VOVK: Final = "Vovk, Gammerman and Shafer (2005)"
_GEIFMAN: Final = "Geifman and El-Yaniv (2017), NeurIPS; Jones et al. (2021), ICLR"
_MARX: Final = "Marx, Calmon and Ustun (2020), ICML"

UNCERTAINTY: Final[tuple[Metric, ...]] = (
    Metric("calibration_excess", "Calibration error beyond chance", "statement", "lower_is_better",
        "calibration error - mean calibration error when the truth is drawn from the scores",
        "How much more the scores err than scores that are right would show with as many rows; its interval is that of "
        "the true error of the bins.",
        "Few rows show neither a fault nor its absence: look at the interval.",
        "Vaicenavicius et al. (2019), AISTATS; Roelofs et al. (2022), AISTATS", example="0.12 - 0.03 = 0.09",
        lowest=-1.0),
    Metric("calibration_bias", "Mean score less base rate", "score", "neutral", "mean score - base rate",
        "By how much scores are too high (above 0) or too low (below 0) on average.",
        "Scores too high and too low cancel.", "Steyerberg et al. (2010), Epidemiology 21", lowest=-1.0,
        example="0.20 - 0.27 = -0.07"),
    Metric("observed_rate", "Observed rate in a bin", "statement", "neutral",
        "positives of a bin of scores / rows of it",
        "How often what was predicted comes true, among rows of like scores; of several classes, how often the "
        "decision is right.", "Rows of a bin need not be alike in anything else.",
        "Murphy and Winkler (1977), Applied Statistics 26",
        example="30 / 120 = 0.25"),
    Metric("claimed_rate", "Mean score in a bin", "statement", "neutral", "mean of the scores of a bin",
        "How often it should come true by the scores.", "", "Murphy and Winkler (1977), Applied Statistics 26",
        example="(0.20 + 0.24) / 2 = 0.22"),
    Metric("recalibrated_brier_change", "Brier score change by recalibration", "score", "lower_is_better",
        "mean of (corrected score - truth) squared - (score - truth) squared",
        "Who gains (below 0) and who loses by a correction (by = the method) of the scores.", _HALF,
        "Platt (1999); Zadrozny and Elkan (2002), KDD; Guo et al. (2017), ICML; Vovk et al. (2015), NeurIPS",
        lowest=-1.0, example="0.11 - 0.13 = -0.02"),
    Metric("recalibrated_log_loss_change", "Log loss change by recalibration", "statement", "lower_is_better",
        "mean of log(score given to the truth) - log(corrected score given to the truth)",
        "Who gains (below 0) and who loses by a correction, in nats.", _HALF,
        "Platt (1999); Zadrozny and Elkan (2002), KDD; Guo et al. (2017), ICML; Vovk et al. (2015), NeurIPS",
        lowest=None, highest=None, example="0.35 - 0.40 = -0.05"),
    Metric("recalibrated_error_change", "Calibration error change by recalibration", "statement", "lower_is_better",
        "calibration error of the corrected scores - that of the scores, each less what chance adds",
        "Whether a correction of the scores brings them nearer to the observed rates.", _HALF,
        "Roelofs et al. (2022), AISTATS", lowest=-1.0, example="0.02 - 0.06 = -0.04"),
    Metric("set_coverage", "Coverage of prediction sets", "score", "higher_is_better",
        "rows whose set of classes, or interval of numbers, holds the truth / rows",
        "How often the truth is in the set that was made to hold it with a promised chance.",
        "The promise is for new rows like these, and on average over the rows that the sets were fitted on.",
        f"{_VOVK}; {_BARBER}", example="180 / 200 = 0.90"),
    Metric("set_size", "Size of prediction sets", "score", "lower_is_better", "mean number of classes in a set",
        "How many classes a set holds: 1 says which, all of them say nothing.",
        "Small sets that miss the truth are no gain: look at the coverage.",
        "Sadinle, Lei and Wasserman (2019), JASA 114; Romano, Sesia and Candes (2020), NeurIPS",
        example="(1 + 2 + 1) / 3 = 1.33", highest=None),
    Metric("interval_width", "Width of prediction intervals", "score", "lower_is_better",
        "mean of upper end - lower end",
        "How wide the intervals are that were made to hold the number with a promised chance.",
        "Every row of a group has the same width, however certain its prediction is, but for intervals from quantiles.",
        "Lei et al. (2018), JASA 113; Romano, Patterson and Candes (2019), NeurIPS",
        example="2 x 3.5 = 7.0", highest=None),
    Metric("set_coverage_change", "Coverage change of prediction sets", "change", "higher_is_better",
        "coverage with the compressed model - coverage with the original", "What compression did to the coverage.",
        "Sets of each model are fitted anew: this says nothing of thresholds that were kept.",
        "Zou and Donner (2008), Statistics in Medicine 27", lowest=-1.0, example="0.89 - 0.90 = -0.01"),
    Metric("set_size_change", "Size change of prediction sets", "change", "lower_is_better",
        "mean size with the compressed model - mean size with the original",
        "By how many classes the sets grew.", "Sets of each model are fitted anew.", "", lowest=None, highest=None,
        example="1.35 - 1.33 = 0.02"),
    Metric("retained_accuracy", "Accuracy of those who get an answer", "score", "higher_is_better",
        "right decisions of retained rows / retained rows",
        "How often decisions are right when the least certain are refused (kept = the share of rows retained).",
        "It says nothing of those who are refused an answer.", _GEIFMAN, example="45 / 50 = 0.90"),
    Metric("refused_share", "Share refused an answer", "score", "neutral",
        "rows below the certainty that is kept / rows",
        "Which part of a group gets no answer when the least certain rows are refused one.",
        "Whether that is good or bad depends on what happens to them then.", _GEIFMAN, example="30 / 100 = 0.30"),
    Metric("outside_share", "Share outside the training rows", "score", "lower_is_better",
        "rows farther from their neighbours among training rows than 99 % of the training rows are / rows",
        "Which part of a group is unlike what the model was fitted on.",
        "A near row may still be another kind of case, and a far one may be predicted well.",
        "Ramaswamy, Rastogi and Shim (2000), SIGMOD", example="6 / 200 = 0.03"),
    Metric("ambiguity", "Share decided otherwise by a model as good", "score", "lower_is_better",
        "rows that one of the other models decides otherwise / rows",
        "Which part of a group owes its decision to the choice among models of like accuracy.",
        "More models find more: compare groups, not numbers of models.", _MARX, example="29 / 1,000 = 0.029"),
    Metric("discrepancy", "Share that one other model turns", "score", "lower_is_better",
        "greatest share, over the other models, of rows decided otherwise",
        "How many decisions would change at once with another model that is as good.",
        "It is the greatest of several, so it grows with their number.", _MARX, example="max(0.021, 0.018) = 0.021"),
)  # fmt: skip
"""What scores are worth, overall and for each group."""
