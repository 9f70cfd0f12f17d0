"""Metrics of proxies, reasons and ways out: stated by one audit each."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

RELIANCE: Final = (
    Metric("proxy_auc", "How well it tells the group", "statement", "neutral",
        "area under the ROC curve of a column (or the score) for membership of a group, at least 0.5",
        "How well a column, or the model's score, tells a group from all others: 0.5 not at all, 1 perfectly.",
        "A column that tells the group need not be used for it, and many honest columns tell it a little.",
        "Feldman et al. (2015), KDD"),
    Metric("mutual_information", "Information shared with the groups", "statement", "neutral",
        "sum of p(value, group) log2 p(value, group) / (p(value) p(group)), less what chance adds",
        "How many bits a column says of the group.", "Features of many groups have more bits to share.",
        "Miller (1955); Shannon (1948)", highest=None),
    Metric("proxy_part", "Part of the gap a proxy carries", "statement", "neutral",
        "part of the gap / gap in mean score",
        "The share of the gap in mean score that a column carries which also tells the group.",
        "Groups may really differ in the column; whether its use is justified is for people to say.",
        "Datta et al. (2017), CCS, for the two conditions", lowest=None, highest=None, example="0.09 / 0.12 = 0.75"),
    Metric("counterfactual_flip_rate", "Decisions that depend on the group", "statement", "lower_is_better",
        "rows decided otherwise when only the sensitive input is changed / rows",
        "The share of a group whose decision changes when nothing but the sensitive input is given another value.",
        "It does not see proxies: everything else stays as it was.", "Galhotra et al. (2017), ESEC/FSE",
        example="5 / 200 = 0.025"),
    Metric("principal_reason", "First reason of adverse decisions", "statement", "neutral",
        "adverse decisions of which a feature is the first reason / adverse decisions",
        "How often a feature counts most against the person, of all decisions against people.",
        "A reason is what the model used, compared with the mean of the background; not what caused the outcome.",
        "12 CFR 1002.9 (Regulation B)", example="30 / 120 = 0.25"),
    Metric("sensitive_reason_share", "Sensitive reasons", "statement", "lower_is_better",
        "adverse decisions with the sensitive feature among their principal reasons / adverse decisions",
        "How often a sensitive feature is among the principal reasons against the person.",
        "A model that does not read the feature has none, and may still use proxies.",
        "12 CFR 1002.4, 1002.9 (Regulation B)", example="3 / 120 = 0.025"),
    Metric("unstable_reasons", "Unstable reasons", "statement", "lower_is_better",
        "adverse decisions whose first reason changes with the half of the background / adverse decisions",
        "How often the first reason depends on which usual people the person is compared with.",
        "Reasons of nearly equal weight change places without harm.", example="12 / 120 = 0.10"),
    Metric("recourse_cost", "Cost of the way out", "score", "lower_is_better",
        "mean of the least sum of moves along the features' distributions",
        "How far a refused person must move in features that can be changed: 0.1 is a tenth of all people passed.",
        "It looks at one or two features on a grid, and takes them to move apart from each other.",
        "Ustun et al. (2019), FAT*", highest=None, example="(0.10 + 0.30) / 2 = 0.20"),
    Metric("no_recourse_rate", "Refusals without a way out", "score", "lower_is_better",
        "refused rows without a change that turns the decision / refused rows",
        "How many refused people have no change of one or two actionable features that turns the decision.",
        "A change of three features, or beyond the values seen, might.", "Ustun et al. (2019), FAT*",
        example="6 / 120 = 0.05"),
)  # fmt: skip
