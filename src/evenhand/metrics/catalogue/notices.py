"""Metrics of what refused people are told: whether it holds on the model that decides."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

_ERASER: Final = "DeYoung et al. (2020), ACL"
_ACTUAL: Final = "12 CFR 1002.9(b)(2), official interpretation, comments 2 and 4: reasons actually considered or scored"

NOTICES: Final = (
    Metric("reason_comprehensiveness", "Comprehensiveness of the reasons", "statement", "higher_is_better",
        "mean over adverse decisions of score for the person with the stated reasons taken from usual people - score",
        "How much better a refused person's score gets when the features stated as reasons are as usual.",
        "Features that hang together are taken apart, so it asks about people whom nobody is like.", _ERASER,
        lowest=None, highest=None, example="0.64 - 0.21 = 0.43"),
    Metric("reason_sufficiency", "Sufficiency of the reasons", "statement", "lower_is_better",
        "mean over adverse decisions of score for the person with all but the stated reasons as usual - score",
        "How much better the score gets when only the stated reasons are kept: near 0 they explain the decision alone.",
        "Below 0 the other features speak for the person.", _ERASER, lowest=None, highest=None,
        example="0.26 - 0.21 = 0.05"),
    Metric("reason_flip_rate", "Decisions that turn with the reasons", "statement", "higher_is_better",
        "pairs of adverse decision and usual person decided favourably with that person's values of the reasons / all",
        "How often a refusal turns when the stated reasons are taken from a usual person.",
        "People far from the threshold stay refused whatever is told; compare with as many other features (of=random).",
        "Serrano and Smith (2019), ACL", example="520 / 800 = 0.65"),
    Metric("reason_comprehensiveness_gain", "Comprehensiveness beyond chance", "statement", "higher_is_better",
        "mean over adverse decisions of comprehensiveness of the reasons - that of as many other features, drawn",
        "How much more the stated reasons move the score than as many features that were not stated.",
        "It tells reasons from none; among good ones the greater is not the truer.",
        f"{_ERASER}; Samek et al. (2017), IEEE TNNLS 28, for the comparison with chance", lowest=None, highest=None,
        example="0.43 - 0.05 = 0.38"),
    Metric("unfaithful_reasons", "Unfaithful reasons", "score", "lower_is_better",
        "adverse decisions whose reasons move the explained scale no more than as many other features, drawn / all",
        "How often the stated reasons are no better than features drawn from those that were not stated.",
        "Where a model reads hardly more features than are stated, few are left to compare with.", _ACTUAL,
        example="3 / 120 = 0.025"),
    Metric("first_reason_change_rate", "First reason changed", "score", "lower_is_better",
        "refusals by both models with another first reason / refusals by both",
        "How often compression changes the first reason of a refusal that both models make.",
        "Reasons of nearly equal weight change places without harm: see how many differ with the half of the "
        "background (of=other background) and how many changes are clear.", _ACTUAL, example="9 / 120 = 0.075"),
    Metric("clear_reason_change_rate", "First reason clearly changed", "score", "lower_is_better",
        "refusals by both whose first reason goes from one feature to the same other with either half of the "
        "background / refusals by both",
        "How often compression changes the first reason beyond what the choice of the background does.",
        "It misses changes between reasons that the background itself lets change places.", _ACTUAL,
        example="4 / 120 = 0.033"),
    Metric("reason_set_change_rate", "Stated reasons changed", "score", "lower_is_better",
        "refusals by both models with another set of reasons / refusals by both",
        "How often compression changes which features are stated, in whatever order.",
        "The last of four reasons is often close to the fifth.", _ACTUAL, example="30 / 120 = 0.25"),
    Metric("recourse_flip_rate", "Ways out that hold", "statement", "higher_is_better",
        "ways out whose changed row is decided favourably when asked alone / ways out that were found",
        "How many of the ways told turn the decision when the model is asked about exactly that row, alone.",
        "It is counted, not estimated: it is about these ways. Whether people can take them is not known.",
        "Ustun et al. (2019), FAT*, for recourse as a promise", example="112 / 112 = 1"),
    Metric("recourse_kept_rate", "Ways out of the original that hold", "score", "higher_is_better",
        "ways out found on the original that the compressed model decides favourably / ways out found on the original",
        "How many people who were told a way by the original are accepted by the compressed model when they took it.",
        "The ways found are the least ones, which lie closest to the threshold.",
        "Upadhyay et al. (2021), NeurIPS; Rawal et al. (2020), for recourse after a model change",
        example="104 / 112 = 0.93"),
)  # fmt: skip
