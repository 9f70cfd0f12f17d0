"""Metrics of the time until an event, where follow-up may end before it."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

SURVIVAL: Final = (
    Metric("concordance", "Concordance", "score", "higher_is_better",
        "pairs of an event up to the horizon and a longer follow-up in which the event has the higher score / pairs, "
        "each by 1 / G(time of the event) for both of its rows, G the chance of not being censored before",
        "The chance that of two people the one whose event comes first, up to the horizon, has the higher score.",
        "It is about the order alone: risks may all be twice too high. It looks at pairs within a group, so that a "
        "group of people who are much alike has a lower one with the same model.",
        "Uno et al. (2011), Statistics in Medicine 30", ("uno_concordance", "concordance_index_ipcw"),
        example="9 / 12 = 0.75"),
    Metric("harrell_concordance", "Harrell's concordance", "score", "higher_is_better",
        "comparable pairs in which the earlier event has the higher score / comparable pairs",
        "The concordance of the pairs that censoring left, over all of the follow-up: the C-index of most papers.",
        "It depends on how rows are censored: groups that were followed for other times are not comparable by it.",
        "Harrell et al. (1982), JAMA 247", ("c_index", "concordance_index"), example="9 / 12 = 0.75"),
    Metric("observed_risk", "Observed risk by the horizon", "score", "neutral",
        "1 - product over event times up to the horizon of (1 - events / rows at risk)",
        "The share of people who have the event by the horizon, as if nobody had been censored; the model takes no "
        "part in it.",
        "It takes who is censored to be no other than who is not. Where other events end the follow-up, as death does "
        "that of a disease, it is more than the share that will be seen.",
        "Kaplan and Meier (1958), JASA 53; Greenwood (1926)", ("kaplan_meier_risk",),
        example="1 - (1 - 1 / 4) x (1 - 1 / 2) = 0.625"),
    Metric("expected_to_observed", "Expected risk per observed risk", "score", "neutral",
        "mean predicted risk by the horizon / observed_risk",
        "Calibration in the large: 1 where as many events are predicted as are observed, above 1 where risks are "
        "predicted too high.", "Risks that are too high for some and too low for others cancel.",
        "Royston and Altman (2013), BMC Medical Research Methodology 13; Collins et al. (2024), BMJ 385, TRIPOD+AI",
        ("e_o_ratio",), highest=None, example="0.50 / 0.625 = 0.80"),
    Metric("unresolved_share", "Rows censored before the horizon", "score", "neutral",
        "rows censored before the horizon / rows",
        "The share of people of whom it is not known whether they had the event by the horizon; others stand for them.",
        "Groups that are lost for other reasons than others may have another risk than those who stand for them.",
        "Clark et al. (2002), The Lancet 359, for completeness of follow-up", example="120 / 400 = 0.30"),
)  # fmt: skip
