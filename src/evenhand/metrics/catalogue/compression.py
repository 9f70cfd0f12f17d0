"""Metrics of what compression changed, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import lowered, message
from evenhand.metrics.catalogue.confusion import RATES
from evenhand.metrics.catalogue.entry import Metric
from evenhand.metrics.catalogue.places import LISTS

if TYPE_CHECKING:
    from evenhand.metrics.catalogue.entry import How

CHANGED: Final = {rate.name: rate for rate in RATES if rate.changes}
"""Rates whose change is a metric."""
LABELS: Final = {rate.name: rate.label for rate in RATES} | {"equalized_odds": message("Equalized odds")}


def gap_changes() -> tuple[tuple[str, How], ...]:
    """Return the rates and ways of comparing groups of which the change by compression is a metric."""
    hows: tuple[How, ...] = ("difference", "group_min")
    names = LISTS["change of a gap"].split()
    return tuple((name.removesuffix(f"_{how}"), how) for how in hows for name in names if name.endswith(how))


_NO_MEAN = "No change on average can hide gains of one group and losses of another."

COMPRESSION: Final = (
    Metric("flip_rate", "Flip rate", "change", "lower_is_better", "rows decided differently / n",
        "The share of rows that the compressed model decides otherwise than the original (churn).",
        "Two fits of the same model differ as well: compare with their flip rate.",
        "Milani Fard et al. (2016), NeurIPS", ("churn",), pairs=((0, 0, 1), (0, 1, 0), (1, 0, 1), (1, 1, 0)),
        example="8 / 200 = 0.040"),
    Metric("batch_dependence", "Dependence on the batch", "statement", "lower_is_better",
        "largest |score of a row alone - its score among others|, 64 rows",
        "By how much a row's score changes with the rows that happen to be predicted with it.",
        "Up to 0.0001 is rounding and counts as 0. A cause is quantization that scales a whole batch at once.", ""),
    Metric("negative_flip_rate", "Newly wrong", "change", "lower_is_better",
        "rows right with the original and wrong with the compressed model / n",
        "The share of rows that only the original decides rightly: those who lose.",
        "With several classes a row may also go from one wrong class to another.", "Yan et al. (2021), CVPR",
        pairs=((0, 0, 1), (1, 1, 0)), example="5 / 200 = 0.025"),
    Metric("positive_flip_rate", "Newly right", "change", "higher_is_better",
        "rows wrong with the original and right with the compressed model / n",
        "The share of rows that only the compressed model decides rightly: those who gain.",
        "It does not make up for those who lose: they are others.", "Yan et al. (2021), CVPR",
        pairs=((0, 1, 0), (1, 0, 1)), example="3 / 200 = 0.015"),
    *(
        Metric(f"{name}_change", message("{metric} change", metric=rate.label), "change", rate.direction,
            f"{name} of the compressed model - {name} of the original",
            message("What compression did to the {metric}, row by row.", metric=lowered(rate.label)), _NO_MEAN,
            "Zou and Donner (2008), Statistics in Medicine 27; Newcombe (1998b), Statistics in Medicine 17",
            lowest=-1.0, example="0.90 - 0.92 = -0.02")
        for name, rate in CHANGED.items()
    ),
    *(
        Metric(f"stage_{name}_change", message("{metric} change of one act", metric=LABELS[name]), "statement",
            CHANGED[name].direction, f"{name} of the model after the act - {name} of the model before it",
            message("What one act of a compression (by = a recipe, tuning, threshold) did to the {metric}, row by row.",
                metric=lowered(LABELS[name])),
            "Acts add up to the whole change, in the order in which they were taken; in another order each may do "
            "something else.",
            "Paired as the whole change is; see the design note on the compression audit", lowest=-1.0,
            example="0.86 - 0.90 = -0.04")
        for name in ("accuracy", "recall", "false_positive_rate", "selection_rate")
    ),
    Metric("stage_flip_rate", "Flip rate of one act", "statement", "lower_is_better",
        "rows decided otherwise after the act than before it / n",
        "The share of rows that one act of a compression (by = a recipe, tuning, threshold) decides otherwise.",
        "A later act may undo it: the shares do not add up.", "", example="8 / 200 = 0.040"),
    Metric("excess_accuracy_change", "Excess accuracy change", "statement", "higher_is_better",
        "accuracy change of the group - accuracy change of all rows",
        "How much more than all rows a group lost (below 0) or gained in accuracy.",
        "Where all lose alike it is 0, however much they lose.", "Hashemizadeh et al. (2024), ICLR", lowest=-2.0,
        highest=2.0),
    Metric("normalized_recall_change", "Normalized recall change", "statement", "higher_is_better",
        "change of (recall of the class - accuracy)",
        "How much more than the whole a class lost (below 0) or gained in recall.",
        "Where all classes lose alike it is 0, however much they lose.", "Hooker et al. (2019), arXiv 1911.05248",
        lowest=-2.0, highest=2.0),
    *(
        Metric(f"{name}_difference_change", message("{metric} difference: change", metric=LABELS[name]), "statement",
            "lower_is_better", f"{name}_difference of the compressed model - {name}_difference of the original",
            message("How much wider (above 0) or narrower the gap between groups in {metric} became.",
                metric=lowered(LABELS[name])),
            "The groups that make the gap may be others than before.",
            "Bounds by the groups that may make the gap; see the design note on the compression audit", lowest=-1.0)
        for name, how in gap_changes()
        if how == "difference"
    ),
    *(
        Metric(f"{name}_group_min_change", message("{metric} of the lowest group: change", metric=LABELS[name]),
            "statement", "higher_is_better",
            f"{name}_group_min of the compressed model - {name}_group_min of the original",
            message("What became of the {metric} of the group where it is least.", metric=lowered(LABELS[name])),
            "The lowest group may be another than before.",
            "Bounds by the groups that may be the lowest; see the design note on the compression audit", lowest=-1.0)
        for name, how in gap_changes()
        if how == "group_min"
    ),
    Metric("score_shift", "Score shift", "statement", "neutral",
        "mean of (score of the compressed model - score of the original)",
        "How far the scores moved on average; as the truth stays, calibration in the large moved by as much.",
        "A mean of 0 can hide scores that moved both ways.", "", lowest=None, highest=None),
    Metric("brier_score_change", "Brier score change", "statement", "lower_is_better",
        "mean of the paired difference in (score - truth) squared",
        "What compression did to the mean squared error of the probabilities.", _NO_MEAN,
        "Brier (1950), Monthly Weather Review 78", lowest=-1.0),
    Metric("excess_loss", "Excess loss", "statement", "lower_is_better",
        "log loss of the compressed model - log loss of the original",
        "How much more the truth surprises the compressed model, in nats.",
        "A few rows that are now excluded with certainty dominate it.", "Tran et al. (2022), NeurIPS",
        ("log_loss_change",), lowest=None, highest=None),
    Metric("mean_absolute_error_change", "Mean absolute error change", "statement", "lower_is_better",
        "mean of (|new prediction - truth| - |old prediction - truth|)",
        "How much farther from the truth (above 0) the compressed model's numbers are, row by row, in their own unit.",
        _NO_MEAN, "Willmott and Matsuura (2005), Climate Research 30", lowest=None, highest=None, task="regression",
        example="(|12 - 10| - |11 - 10| + |7 - 8| - |6 - 8|) / 2 = 0"),
    Metric("mean_prediction_change", "Mean prediction change", "statement", "neutral",
        "mean of (new prediction - old prediction)",
        "How far predictions moved up (above 0) or down on average; the mean residual moved by as much.",
        "A mean of 0 can hide numbers that moved both ways.", "", lowest=None, highest=None, task="regression",
        example="(12 - 11 + 7 - 6) / 2 = 1"),
    Metric("prediction_distance", "Distance of predictions", "statement", "lower_is_better",
        "mean of |new prediction - old prediction|",
        "How far apart the two models' numbers of one row are, in the unit of the label.",
        "Two fits of the same model differ as well: compare with their distance.", "", highest=None,
        task="regression", example="(|12 - 11| + |6 - 7|) / 2 = 1"),
    Metric("ndcg_change", "NDCG change", "statement", "higher_is_better",
        "mean over lists of (NDCG of the compressed model - NDCG of the original)",
        "What compression did to the order of the lists, list by list.", _NO_MEAN,
        "Jarvelin and Kekalainen (2002), ACM TOIS 20", lowest=-1.0, task="ranking"),
    Metric("exposure_change", "Exposure change", "statement", "neutral",
        "mean over items of (1 / log2(1 + new place) - 1 / log2(1 + old place))",
        "How much attention the items of a group won (above 0) or lost by the new order.",
        "Over all items it is 0: what one group wins, another loses.", "Singh and Joachims (2018), KDD",
        lowest=-1.0, task="ranking"),
    *(
        Metric(f"{name}_change", message("{metric} change", metric=label), "change", "lower_is_better",
            f"(edits of the compressed model - edits of the original) / {of} of the references",
            message("What compression did to the {metric}, utterance by utterance.", metric=lowered(label)), _NO_MEAN,
            "Cochran (1977), Sampling Techniques, 6.4, for quotients of sums", lowest=None, highest=None,
            task="transcription", example=example)
        for name, label, of, example in (
            ("word_error_rate", message("Word error rate"), "words", "(9 - 6) / 40 = 0.075"),
            ("character_error_rate", message("Character error rate"), "characters", "(16 - 10) / 200 = 0.03"),
        )
    ),
    Metric("boundary_closeness", "Closeness to the boundary", "statement", "neutral",
        "mean of 1 - sum over classes of p squared",
        "How near the original's scores lie to its decision boundary: 0 when sure, 0.5 on it.",
        "An early warning before compression, not a harm: rows near the boundary flip first.",
        "Tran et al. (2022), NeurIPS"),
    Metric("gradient_norm", "Gradient norm", "statement", "neutral",
        "norm of the mean gradient of the original's loss over the group's rows",
        "How far the original is from a minimum of this group's loss: what a small change of weights costs first.",
        "An early warning before compression, not a harm; without an interval.", "Tran et al. (2022), NeurIPS",
        lowest=0.0, highest=None),
    Metric("curvature", "Curvature of the loss", "statement", "neutral",
        "largest eigenvalue of the Hessian of the original's loss over the group's rows",
        "How fast the loss of this group can rise when weights change.",
        "An early warning before compression, not a harm; without an interval.", "Tran et al. (2022), NeurIPS",
        lowest=None, highest=None),
    Metric("importance_change", "Importance change", "statement", "neutral",
        "mean of |Shapley value| of the compressed model - that of the original",
        "Whether the compressed model relies on a feature more or less than the original, over the explained rows.",
        "Equal importance can hide that the feature is used otherwise.", "Lundberg and Lee (2017), NeurIPS",
        lowest=None, highest=None),
    Metric("attribution_distance", "Explanation drift", "statement", "lower_is_better",
        "mean of sum |difference of Shapley values| / sum of |both| over the explained rows",
        "How different the reasons of both models are for the same rows: 0 alike, 1 nothing in common.",
        "Attributions that are sampled differ a little even for one model.", ""),
    *(
        Metric(
            f"{name}_spread",
            message("{metric}: spread between seeds", metric=LABELS[name]),
            "statement",
            "neutral",
            f"standard deviation of {name} over originals of different seeds",
            message(
                "How far the {metric} of the same fit moves from seed to seed: what a change is to be seen beside.",
                metric=lowered(LABELS[name]),
            ),
            "Few seeds know it badly.",
            lowest=0.0,
        )
        for name in LISTS["spread"].split()
    ),
    Metric("exemplar_rate", "Exemplars of compression", "change", "lower_is_better",
        "rows whose modal decision over compressed models differs from that over originals / n",
        "The share of rows that compressed models, taken together, decide otherwise than originals do.",
        "It needs a population of models; a single pair shows seeds as well.",
        "Hooker et al. (2019), arXiv 1911.05248; Hooker et al. (2020), arXiv 2010.03058"),
    Metric("exemplar_ratio", "Over-representation among exemplars", "statement", "neutral",
        "exemplar rate of the group / exemplar rate of all other rows",
        "How many times more often a group's rows are among the exemplars of compression.",
        "Few exemplars make it uncertain; its interval says how much.", "Hooker et al. (2020), arXiv 2010.03058",
        lowest=0.0, highest=None),
)  # fmt: skip
