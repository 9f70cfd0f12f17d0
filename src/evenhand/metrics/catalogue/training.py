"""Metrics of how a model was trained and what it costs: stated by one audit."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

ESTIMATE: Final = "Where the machine has no meter, 15 W a core are assumed; the note says which."

TRAINING: Final = (
    Metric("generalization_gap", "Overfitting: training less evaluation", "score", "lower_is_better",
        "rate on training rows - rate on evaluation rows",
        "How much better the model does on the rows it was fitted on than on those it is audited on.",
        "A gap is no proof of harm: a model may overfit and still be the best there is; nor is 0 proof of a good one.",
        "Hastie, Tibshirani and Friedman (2009), section 7.2", example="0.95 - 0.90 = 0.05", lowest=-1.0),
    Metric("network_gain", "Network less boosted trees", "statement", "higher_is_better",
        "rate of the network - rate of boosted trees; of errors, boosted trees - network; on the same validation rows",
        "How much better the network is than boosted trees fitted on the same rows.",
        "Both were chosen by these rows, so either rate is a little too good; below 0, trees would serve better.",
        "Grinsztajn, Oyallon and Varoquaux (2022), NeurIPS", example="0.88 - 0.90 = -0.02", lowest=None,
        highest=None),
    Metric("training_cpu_seconds", "Processor time of training", "statement", "lower_is_better",
        "processor seconds of the process during the fit", "How long processors worked for the fit, all threads added.",
        "A search over settings costs its own fits besides this one.",
        "Strubell et al. (2019), ACL, on why to report it", highest=None, volatile=True),
    Metric("training_peak_bytes", "Memory of training", "statement", "lower_is_better",
        "most memory that the process ever held, by the end of the fit", "How much memory the process held at most.",
        "It counts the whole process, libraries and all, and what was done before the fit.", "getrusage(2)",
        highest=None, volatile=True),
    Metric("training_energy", "Energy of training, in joules", "statement", "lower_is_better",
        "meter of the processor, or processor seconds x 15 W", "How much energy the fit took.", ESTIMATE,
        "Henderson et al. (2020), JMLR 21", example="20 x 15 = 300", highest=None, volatile=True),
    Metric("prediction_cpu_seconds", "Processor time of a thousand predictions", "statement", "lower_is_better",
        "processor seconds of predict, median of 3, x 1,000 / rows",
        "How long processors work to predict a thousand rows, preprocessing and all, all threads added.",
        "One row at a time costs more: see the latency of a batch of one.", "", highest=None, volatile=True),
    Metric("prediction_energy", "Energy of a thousand predictions, in joules", "statement", "lower_is_better",
        "processor seconds x 15 W", "How much energy a thousand predictions take.",
        "It is an estimate from processor time: 15 W a core are assumed.", "Henderson et al. (2020), JMLR 21",
        example="0.02 x 15 = 0.3", highest=None, volatile=True),
)  # fmt: skip
