"""Metrics of differential privacy: what is claimed of a fit, and what guesses of its rows rule out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.metrics.catalogue.entry import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOUND: Final = "Steinke, Nasr and Jagielski (2023), NeurIPS"

DP: Final[Sequence[Metric]] = (
    Metric("epsilon_claimed", "Claimed epsilon", "statement", "lower_is_better",
        "least epsilon with P(a) <= e^epsilon P(b) + delta, where a and b are fits with and without a row",
        "How much one training row can change what is learnt: odds of any outcome by a factor of e^epsilon at most.",
        "It covers the weights, not the preprocessing or the validation rows; and a row, not a person with several.",
        "Dwork and Roth (2014); Abadi et al. (2016), CCS", example="2.718 x 1 = 2.718", highest=None),
    Metric("delta_claimed", "Claimed delta", "statement", "lower_is_better", "the delta of the claimed epsilon",
        "The chance with which the claim may say nothing of a row.",
        "At 1 / rows or above a mechanism may publish a row and keep the claim.", "Dwork and Roth (2014)",
        example="1 / 100,000 = 0.00001"),
    Metric("epsilon_lower_bound", "Epsilon shown by guesses", "statement", "lower_is_better",
        "largest epsilon under which so many right guesses of who was in have a chance below 1 - level",
        "The least epsilon that the fit can have: no smaller one allows so many right guesses, at the level.",
        "0 proves no privacy: a stronger attack, or more rows drawn by coin, may show more.", _BOUND,
        example="drawn by coin: 100 guesses right of 100, of 1,000 rows = 3.47", highest=None),
    Metric("epsilon_excess", "Shown less claimed epsilon", "statement", "lower_is_better",
        "epsilon_lower_bound - epsilon_claimed",
        "Above 0 the claim is wrong: the fit is less private than it says.",
        "At or below 0 the claim is not proved; it is only not refuted.", _BOUND, example="2.1 - 1.0 = 1.1",
        lowest=None, highest=None),
)  # fmt: skip
