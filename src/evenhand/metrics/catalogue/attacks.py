"""Metrics of attacks, of swaps with proxies, of declared directions and of domains: one audit each."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

FOUND: Final = "An attack finds an upper bound: a stronger one may turn more decisions."

ATTACKS: Final = (
    Metric("robust_accuracy", "Robust accuracy", "score", "higher_is_better",
        "rows decided rightly after every attack / attacked rows",
        "The share of rows that are decided rightly, and still are when each is moved by at most the budget.", FOUND,
        "Madry et al. (2018), ICLR; Croce and Hein (2020), ICML", example="288 / 500 = 0.576"),
    Metric("robust_accuracy_drop", "Accuracy lost to attacks", "score", "lower_is_better",
        "rows decided rightly as they are, and wrongly after some attack / attacked rows",
        "The share of rows whose right decision an attack within the budget turns into a wrong one.",
        "It is at most the accuracy: a model that is often wrong has little to lose.",
        "Madry et al. (2018), ICLR", example="202 / 500 = 0.404"),
    Metric("robust_accuracy_change", "Robust accuracy change", "score", "higher_is_better",
        "robust accuracy of the model - robust accuracy of the original, each under the attacks made for both",
        "How much robust accuracy the compressed model has more (below 0: less) than the original, on the same rows.",
        "A compressed model whose gradients are hidden seems more robust than it is.",
        "Gorsline, Smith and Merkel (2021), GLSVLSI", example="0.55 - 0.58 = -0.03", lowest=-1.0),
    Metric("transfer_accuracy", "Accuracy under attacks on the original", "score", "higher_is_better",
        "rows decided rightly after the attacks on the original / attacked rows",
        "The share of rows that the compressed model decides rightly when they are moved to mislead the original.",
        "It is mostly above robust accuracy where the two models differ, and says nothing of attacks on the model.",
        "Papernot, McDaniel and Goodfellow (2016)", example="320 / 500 = 0.64"),
    Metric("attack_unreliable", "Attacks that cannot be trusted", "statement", "lower_is_better",
        "1 where a check of the attacks fails, else 0",
        "Whether many steps do less than one, a step less than noise, gradients less than a search without them, or "
        "an attack without a bound leaves decisions standing: then gradients are hidden, and robust accuracy means "
        "nothing.",
        "0 is no proof that no stronger attack exists.", "Athalye, Carlini and Wagner (2018), ICML"),
    Metric("proxy_flip_rate", "Decisions that depend on the group or its proxies", "score", "lower_is_better",
        "rows decided otherwise with the values of another group in the sensitive column and its proxies / rows",
        "The share of a group whose decision changes when it has another group's value, and its proxies the values "
        "at the same place in that group.",
        "Proxies that were not declared stay as they were; a declared one may have an honest part, too.",
        "Kusner et al. (2017), NeurIPS, for the question; Plecko and Meinshausen (2020), JMLR 21, for quantiles",
        example="24 / 200 = 0.12"),
    Metric("proxy_swap_change", "Outcome as another group", "score", "neutral",
        "favourable rate of the group with another group's values - its favourable rate",
        "By how much a group's favourable rate (or selection rate) changes when it is given another group's value and "
        "proxies: above 0, it would gain.",
        "Opposite changes of single rows cancel in it; the flip rate counts them.",
        "Kusner et al. (2017), NeurIPS", example="0.46 - 0.34 = 0.12", lowest=-1.0),
    Metric("proxy_flip_rate_change", "Change of decisions that depend on the group or its proxies", "score",
        "lower_is_better", "proxy flip rate of the model - that of the original, on the same rows",
        "How many more decisions depend on the group or its proxies than those of the original model did.",
        "Two rates can be alike and be about other rows.", "Kusner et al. (2017), NeurIPS",
        example="0.14 - 0.12 = 0.02",
        lowest=-1.0),
    Metric("monotonicity_violations", "Scores that move the wrong way", "score", "lower_is_better",
        "rows whose score moves against the declared direction somewhere along the grid / rows",
        "The share of rows whose score falls somewhere while a feature declared to raise it grows, all else equal (or "
        "the reverse).",
        "It looks along a grid of quantiles: between two of them a score may still turn.",
        "Potharst and Feelders (2002), SIGKDD Explorations", example="15 / 300 = 0.05"),
    Metric("monotonicity_fall", "Size of moves the wrong way", "score", "lower_is_better",
        "mean over rows of the greatest move of the score against the declared direction",
        "How far scores move the wrong way: 0 for rows that never do.",
        "Few large moves and many small ones have the same mean.",
        "Potharst and Feelders (2002), SIGKDD Explorations", example="15 x 0.2 / 300 = 0.01", highest=None),
    Metric("domain_accuracy", "Accuracy in a domain", "score", "higher_is_better", "rows decided rightly / rows of it",
        "The accuracy on the rows of one domain: a site, a year, a device.",
        "A domain with other base rates can have a lower accuracy with the same model.",
        "Koh et al. (2021), ICML (WILDS), for the worst domain", example="180 / 200 = 0.90"),
    Metric("domain_roc_auc", "ROC AUC in a domain", "score", "higher_is_better",
        "P(score of a positive > score of a negative) + half of P(equal), among the rows of the domain",
        "How well scores rank the rows of one domain.", "It is about ranking, not about the threshold that is used.",
        "DeLong et al. (1988), Biometrics 44", example="0.9, 0.4 > 0.7, 0.2: 3 / 4 = 0.75"),
    Metric("left_out_accuracy", "Accuracy in a domain that was left out", "score", "higher_is_better",
        "rows of the domain decided rightly by a model fitted without it / rows of the domain",
        "The accuracy on a domain of the same model fitted again without that domain's rows.",
        "The next domain may be less like the others than any of these.",
        "Koh et al. (2021), ICML (WILDS)", example="150 / 200 = 0.75"),
    Metric("left_out_accuracy_change", "What leaving the domain out costs", "score", "higher_is_better",
        "accuracy of a model fitted without the domain - accuracy of the model, on the rows of the domain",
        "By how much accuracy on a domain changes when its rows take no part in the fit.",
        "Fewer rows alone make a model worse, whichever they are.",
        "Koh et al. (2021), ICML (WILDS)", example="0.75 - 0.90 = -0.15", lowest=-1.0),
)  # fmt: skip
