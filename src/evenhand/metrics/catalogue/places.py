"""Where metrics are stated and shown, and which, in which order: each list once."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Place: TypeAlias = Literal[
    "overall", "group", "gap", "favourable gap", "gap to a reference", "gap in strata", "classes", "class",
    "gap of a class", "ranking", "calibration", "score", "chance", "chance of scores", "unobserved", "training",
    "change", "change of a class", "change of a gap", "change of an act", "gap of changes", "spread", "search",
    "search of changes", "search of gaps", "column", "figure", "headline", "strip", "change column", "change figure",
    "change of scores", "early warning", "card", "card gap", "bill gap", "all rows", "transcripts",
]  # fmt: skip
"""Where metrics are stated or shown, ``overall``, for each ``group``, as
``gap`` between groups, as a ``column`` of the page's table of groups, as a ``figure`` of it, on a model ``card``."""
LISTS: Final[dict[Place, str]] = {
    "overall": """
        accuracy balanced_accuracy precision recall specificity f1 matthews_correlation false_positive_rate
        false_negative_rate selection_rate base_rate""",
    "group": """
        base_rate selection_rate accuracy recall false_positive_rate false_negative_rate specificity precision f1
        balanced_accuracy""",
    "gap": """
        base_rate_difference selection_rate_difference selection_rate_ratio equalized_odds_difference
        equalized_odds_ratio average_odds_difference recall_difference recall_ratio false_positive_rate_difference
        false_positive_rate_ratio false_negative_rate_difference precision_difference precision_ratio
        accuracy_difference accuracy_ratio f1_difference balanced_accuracy_difference accuracy_group_min
        recall_group_min precision_group_min selection_rate_group_min false_positive_rate_group_max
        false_negative_rate_group_max""",
    "favourable gap": "favourable_rate_difference favourable_rate_ratio",
    "gap to a reference": """
        selection_rate_difference selection_rate_ratio recall_difference false_positive_rate_difference
        precision_difference accuracy_difference""",
    "gap in strata": """
        selection_rate_difference selection_rate_ratio equalized_odds_difference recall_difference
        false_positive_rate_difference accuracy_difference""",
    "classes": """
        accuracy macro_recall macro_precision macro_f1 weighted_precision weighted_f1 matthews_correlation
        cohen_kappa""",
    "class": "base_rate selection_rate recall precision f1 false_positive_rate",
    "gap of a class": """
        selection_rate_difference selection_rate_ratio recall_difference precision_difference
        false_positive_rate_difference equalized_odds_difference""",
    "ranking": "roc_auc average_precision",
    "transcripts": """
        word_error_rate character_error_rate sentence_error_rate substitution_rate deletion_rate insertion_rate""",
    "calibration": "brier_score calibration_error log_loss calibration_ratio",
    "score": "roc_auc average_precision mean_score",
    "chance": "selection_rate recall false_positive_rate precision accuracy",
    "chance of scores": "roc_auc brier_score calibration_error",
    "unobserved": "selection_rate recall false_positive_rate accuracy",
    "training": "accuracy recall precision",
    "change": """
        accuracy_change selection_rate_change recall_change false_positive_rate_change precision_change
        negative_predictive_value_change""",
    "change of a class": "recall_change precision_change selection_rate_change",
    "change of an act": """
        stage_accuracy_change stage_recall_change stage_false_positive_rate_change stage_selection_rate_change
        stage_flip_rate""",
    "change of a gap": """
        selection_rate_difference recall_difference false_positive_rate_difference accuracy_difference
        precision_difference equalized_odds_difference accuracy_group_min recall_group_min""",
    "gap of changes": """
        accuracy_change_group_min accuracy_change_difference recall_change_group_min recall_change_difference
        false_positive_rate_change_group_max false_positive_rate_change_difference""",
    "spread": "accuracy recall selection_rate",
    "search": "accuracy balanced_accuracy recall",
    "search of changes": "flip_rate accuracy_change recall_change negative_flip_rate",
    "search of gaps": """
        accuracy_change_group_min recall_change_group_min selection_rate_difference_change
        equalized_odds_difference_change""",
    "column": "base_rate selection_rate recall false_positive_rate precision accuracy",
    "figure": "selection_rate recall false_positive_rate word_error_rate character_error_rate",
    "headline": """
        selection_rate_difference selection_rate_ratio recall_difference false_positive_rate_difference
        precision_difference equalized_odds_difference""",
    "strip": "selection_rate accuracy mean_prediction mean_absolute_error ndcg exposure word_error_rate",
    "change column": """
        accuracy_change recall_change false_positive_rate_change selection_rate_change precision_change
        negative_predictive_value_change excess_accuracy_change mean_absolute_error_change mean_prediction_change
        prediction_distance ndcg_change exposure_change word_error_rate_change character_error_rate_change""",
    "change figure": """
        accuracy_change recall_change selection_rate_change flip_rate mean_absolute_error_change ndcg_change
        exposure_change word_error_rate_change""",
    "change of scores": "score_shift brier_score_change excess_loss calibration_error attribution_distance",
    "early warning": "boundary_closeness gradient_norm curvature",
    "card": """
        accuracy balanced_accuracy precision recall f1 roc_auc brier_score log_loss macro_recall macro_f1
        subset_accuracy micro_f1 hamming_loss mean_absolute_error root_mean_squared_error r2 mean_residual ndcg
        word_error_rate character_error_rate""",
    "card gap": """
        selection_rate_ratio equalized_odds_difference recall_difference accuracy_difference macro_recall_difference
        micro_f1_difference mean_absolute_error_difference mean_residual_difference mean_prediction_difference
        exposure_to_merit_ratio ndcg_difference word_error_rate_difference word_error_rate_group_max""",
    # Rates whose denominators are all rows of a group, and that tell nothing of truth and decision together.
    "all rows": "selection_rate favourable_rate rejection_rate mean_score flip_rate",
    "bill gap": "selection_rate_ratio equalized_odds_difference",
}
"""In their order; a metric that names a place itself comes last."""
