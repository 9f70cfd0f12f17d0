"""How unequally the benefit of decisions is spread over rows: three entries on one scale each."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

_SPEICHER: Final = "Speicher et al. (2018), KDD"
_UNDUE: Final = "It takes the positive decision for the benefit, and an undue one for twice the benefit of a due one."

INEQUALITY: Final = (
    Metric("generalized_entropy", "Generalized entropy index", "composite", "lower_is_better",
        "mean of ((b / mean b) squared - 1) / 2, with b = decision - truth + 1",
        "How unequally benefit is spread: 2 for an undue positive decision, 0 for a denied one, 1 for a right one.",
        _UNDUE, _SPEICHER, ("generalized_entropy_index", "generalized_entropy_error"), highest=None,
        example="b = 2, 0, 1, 1: mean of (4 - 1, 0 - 1, 1 - 1, 1 - 1) / 2 = 0.25"),
    Metric("theil_index", "Theil index", "composite", "lower_is_better",
        "mean of (b / mean b) ln(b / mean b), with b = decision - truth + 1",
        "As the generalized entropy index, of order 1: it weighs denied benefits less.", _UNDUE, _SPEICHER, (),
        highest=None, example="b = 2, 0, 1, 1: mean of (2 ln 2, 0, 0, 0) = 0.35"),
    Metric("coefficient_of_variation", "Coefficient of variation of benefits", "composite", "lower_is_better",
        "square root of twice the generalized entropy index",
        "How unequally benefit is spread, as a standard deviation divided by the mean.", _UNDUE, _SPEICHER, (),
        highest=None, example="sqrt(2 x 0.25) = 0.71"),
)  # fmt: skip
