"""Metrics of what decisions at a threshold probability are worth to the people decided about."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

_VICKERS: Final = "Vickers and Elkin (2006), Medical Decision Making 26"

DECISIONS: Final = (
    Metric("net_benefit", "Net benefit", "composite", "higher_is_better", "TP / n - FP / n x t / (1 - t)",
        "True positives less false positives per row, where whoever decides at a probability of t holds one true "
        "positive to be worth (1 - t) / t false ones.",
        "It is no more than what t says of harms and benefits; groups of unequal base rates have unequal ones.",
        _VICKERS, lowest=None, example="40 / 100 - 20 / 100 x 0.2 / 0.8 = 0.35"),
    Metric("net_benefit_of_all", "Net benefit of deciding positive for all", "composite", "neutral",
        "(TP + FN) / n - (TN + FP) / n x t / (1 - t)",
        "The net benefit without a model, when everybody is decided positive; when nobody is, it is 0.",
        "It follows from the base rate and t alone: no model takes part in it.",
        _VICKERS, ("net_benefit_treat_all",), lowest=None, example="50 / 100 - 50 / 100 x 0.2 / 0.8 = 0.375"),
    Metric("net_benefit_gain", "Net benefit over the better default", "composite", "higher_is_better",
        "net_benefit - max(0, net_benefit_of_all)",
        "What the model adds to the better of two rules without one: positive for all, or for nobody.",
        "Above 0 at one threshold it may be below 0 at another; the threshold is a judgement of harm, not of fit.",
        _VICKERS, lowest=None, example="0.35 - max(0, 0.375) = -0.025"),
)  # fmt: skip
