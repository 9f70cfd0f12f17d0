"""Metrics of groups that are not a rate of one group's counts: shares, inequality between groups, tests of parity."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

_SPEICHER: Final = "Speicher et al. (2018), KDD"
_FOULDS: Final = "Foulds et al. (2020), ICDE"
_BENEFIT: Final = (
    "It takes the positive decision for the benefit, and leaves out inequality within groups, often greater."
)

GROUPS: Final = (
    Metric("scoring_rate", "Scoring rate", "rate", "neutral", "rows with a score above the median of all rows / n",
        "The share of a group that scores above the median of all; for tools that score people and select none.",
        "Where many scores are equal, fewer than half lie above it. Where a high score is bad news, below counts.",
        "6 RCNY 5-301 (New York City Local Law 144)", example="60 / 100 = 0.60"),
    Metric("calibration_ratio", "Mean score per base rate", "score", "neutral", "mean score / base rate",
        "How many positives are predicted for each that there is: 1 when right on average, above 1 when too many.",
        "Scores too high and too low cancel.", "Steyerberg et al. (2010), Epidemiology 21 (calibration in the large)",
        ("calibration_in_the_large",), highest=None, example="0.45 / 0.50 = 0.90"),
    Metric("share_of_selected", "Share of the selected", "statement", "neutral",
        "selected rows of the group / all selected rows", "Which part of all selections goes to a group.",
        "It grows with the group: compare it with the group's share of all rows.",
        "Saleiro et al. (2018), Aequitas (predicted positive group rate)"),
    Metric("demographic_disparity", "Share of the rejected less share of the selected", "statement", "neutral",
        "rejected of the group / all rejected - selected of the group / all selected",
        "Whether a group makes up more of the rejected than of the selected (above 0).",
        "It nears 0 for small groups whatever is done to them.",
        "Wachter, Mittelstadt and Russell (2021), West Virginia Law Review 123", lowest=-1.0),
    Metric("between_group_entropy", "Inequality between groups", "statement", "lower_is_better",
        "generalized entropy index, each row with its group's mean benefit",
        "The part of the inequality of benefits that lies between groups.", _BENEFIT, _SPEICHER,
        ("between_group_generalized_entropy",), highest=None),
    Metric("between_group_theil", "Theil index between groups", "statement", "lower_is_better",
        "Theil index, each row with its group's mean benefit",
        "The part of Theil's index of benefits that lies between groups.", _BENEFIT, _SPEICHER, highest=None),
    Metric("between_group_variation", "Variation between groups", "statement", "lower_is_better",
        "square root of twice the inequality between groups",
        "The coefficient of variation of the groups' mean benefits.", _BENEFIT, _SPEICHER,
        ("between_group_coefficient_of_variation",), highest=None),
    Metric("differential_fairness", "Differential fairness", "statement", "lower_is_better",
        "max over pairs of groups of |log(rate / rate)|, of being selected and of not",
        "No group is selected, or rejected, more than exp of this times as often as another; 0 when all are alike.",
        "A group that is never selected makes it infinite.", _FOULDS, ("epsilon",), highest=None),
    Metric("bias_amplification", "Bias amplification", "statement", "lower_is_better",
        "differential fairness of the decisions - that of the truth, with smoothed rates",
        "How much further apart the groups' decisions are than the groups' truths.",
        "0 says that the model repeats what the data hold, fair or not.", _FOULDS,
        ("differential_fairness_bias_amplification",), lowest=None, highest=None),
    Metric("kl_divergence", "Divergence of decisions", "statement", "lower_is_better",
        "max over pairs of groups of p ln(p / q) + (1 - p) ln((1 - p) / (1 - q)), of their selection rates",
        "How unlike two groups' decisions are, in nats (Kullback and Leibler): 0 when all are selected alike.",
        "A group that is never, or always, selected makes it infinite, however few rows it has.",
        "Kullback and Leibler (1951), Annals of Mathematical Statistics 22", ("kullback_leibler_divergence",),
        example="0.75 x ln(0.75 / 0.50) + 0.25 x ln(0.25 / 0.50) = 0.13", highest=None),
    Metric("class_imbalance", "Imbalance of group sizes", "statement", "neutral",
        "(rows of the greatest group - rows of the smallest) / (rows of both)",
        "How unequal the greatest and the smallest group are in rows: 0 when alike, near 1 when one is almost absent.",
        "It is a property of the data, not of the model; a model can treat large groups badly, too.",
        "Das et al. (2021), Fairness Measures for Machine Learning in Finance", example="(75 - 25) / (75 + 25) = 0.50",
        lowest=-1.0),
    Metric("consistency", "Consistency", "statement", "higher_is_better",
        "1 - mean of |decision - mean decision of the 5 nearest rows|",
        "Whether rows that are alike in what the model reads are decided alike: 1 when all are.",
        "What counts as near is a choice; here each number counts by its spread and each category alike.",
        "Zemel et al. (2013), ICML"),
    Metric("score_transport", "Distance to move scores", "statement", "lower_is_better",
        "max over pairs of groups of the area between their distribution functions",
        "How far scores would have to move, on average, for two groups to be scored alike (Wasserstein).",
        "The distance may be where no decision depends on it.", "Jiang et al. (2020), UAI", ("wasserstein_distance",),
        highest=None),
    Metric("pooled_rate", "Rate, partly pooled", "statement", "neutral",
        "posterior mean of a rate when groups come from one distribution",
        "A group's rate drawn towards that of all groups, the more the fewer rows it has; Bayesian.",
        "It is right on average over groups, not for each; a group that is truly apart is drawn in too far.",
        "Gelman et al. (2013), Bayesian Data Analysis, chapter 5"),
)  # fmt: skip
