"""Every metric, declared once: tables, policy keys, glossary and docs come from its entry.

Importing this module loads nothing heavy, since the gate needs it.
"""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.attacks import ATTACKS
from evenhand.metrics.catalogue.compression import COMPRESSION
from evenhand.metrics.catalogue.confusion import RATES
from evenhand.metrics.catalogue.decisions import DECISIONS
from evenhand.metrics.catalogue.differential_privacy import DP
from evenhand.metrics.catalogue.disclosure import DISCLOSURE
from evenhand.metrics.catalogue.entry import Cells, Metric
from evenhand.metrics.catalogue.explaining import EXPLAINING
from evenhand.metrics.catalogue.groups import GROUPS
from evenhand.metrics.catalogue.inequality import INEQUALITY
from evenhand.metrics.catalogue.notices import NOTICES
from evenhand.metrics.catalogue.other_tasks import OTHER_TASKS
from evenhand.metrics.catalogue.privacy import PRIVACY
from evenhand.metrics.catalogue.reliance import RELIANCE
from evenhand.metrics.catalogue.robustness import ROBUSTNESS
from evenhand.metrics.catalogue.situations import SITUATIONS
from evenhand.metrics.catalogue.statements import STATED
from evenhand.metrics.catalogue.survival import SURVIVAL
from evenhand.metrics.catalogue.tables import TABLES
from evenhand.metrics.catalogue.training import TRAINING
from evenhand.metrics.catalogue.uncertainty import UNCERTAINTY

__all__ = ["METRICS", "Cells", "Metric"]

_OTHERS: Final = (
    Metric("f1", "F1", "composite", "higher_is_better", "2 TP / (2 TP + FP + FN)",
        "The harmonic mean of precision and recall.",
        "True negatives do not count in it, and the positive class is a choice.",
        "van Rijsbergen (1979), Information Retrieval", ("f1_score",), example="2 x 40 / (2 x 40 + 20 + 10) = 0.73"),
    Metric("balanced_accuracy", "Balanced accuracy", "composite", "higher_is_better", "(recall + specificity) / 2",
        "The mean of the accuracy on positives and on negatives.",
        "It weighs a rare class as much as a common one, which costs may not.", "Brodersen et al. (2010), ICPR",
        ("balanced_accuracy_score",), example="(0.80 + 0.60) / 2 = 0.70"),
    Metric("average_predictive_value", "Average predictive value", "composite", "neutral",
        "(precision + false omission rate) / 2",
        "The mean of two shares of positive truths: among rows predicted positive, and among those predicted negative.",
        "A better precision and a worse false omission rate move it alike, so opposite gaps of groups cancel.",
        "Bellamy et al. (2019), IBM Journal of Research and Development 63 (AI Fairness 360)",
        example="(0.67 + 0.25) / 2 = 0.46"),
    Metric("matthews_correlation", "Matthews correlation", "composite", "higher_is_better",
        "(TP x TN - FP x FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN))",
        "The correlation of truth and decision; 0 is no better than chance.",
        "It is not defined where only one class occurs in the truth or in the decisions.",
        "Matthews (1975), Biochimica et Biophysica Acta 405; Gorodkin (2004) for several classes",
        ("mcc", "matthews_corrcoef"), lowest=-1.0, of_classes=True,
        example="(40 x 30 - 20 x 10) / sqrt(60 x 50 x 50 x 40) = 0.41"),
    Metric("cohen_kappa", "Cohen's kappa", "composite", "higher_is_better",
        "(accuracy - accuracy by chance) / (1 - accuracy by chance)",
        "The agreement of truth and decision beyond what chance would give.",
        "It depends on how common the classes are, so groups of unequal base rates are hard to compare by it.",
        "Cohen (1960), Educational and Psychological Measurement 20", ("kappa", "cohen_kappa_score"), lowest=-1.0,
        of_classes=True, example="(0.70 - 0.50) / (1 - 0.50) = 0.40"),
    Metric("treatment_equality", "False negatives per false positive", "composite", "neutral", "FN / FP",
        "Which of the two errors a group suffers more often; treatment equality asks that it be alike.",
        "It says nothing of how many errors there are, only how they divide.",
        "Berk et al. (2018), Sociological Methods & Research 50", ("fn_fp_ratio",), highest=None,
        example="10 / 20 = 0.50"),
    *DECISIONS,
    *INEQUALITY,
    Metric("roc_auc", "ROC AUC", "score", "higher_is_better",
        "P(score of a positive > score of a negative) + half of P(equal)",
        "The chance that a positive row scores above a negative one.",
        "It is about ranking, not about the threshold that is used.", "DeLong et al. (1988), Biometrics 44",
        ("auc", "roc_auc_score"), example="0.9, 0.4 > 0.7, 0.2: 3 / 4 = 0.75"),
    Metric("average_precision", "Average precision", "score", "higher_is_better",
        "sum over thresholds of (gain in recall) x precision",
        "The area under the precision-recall curve: how purely the highest scores are of positives.",
        "Its value for useless scores is the base rate, so groups of unequal base rates are not comparable by it.",
        "Boyd et al. (2013), ECML", ("pr_auc", "average_precision_score"),
        example="1, 0, 1: 0.5 x 1/1 + 0.5 x 2/3 = 0.83"),
    Metric("mean_score", "Mean score", "score", "neutral", "mean of scores",
        "The mean score; the truth takes no part in it.",
        "Groups of equal mean scores can be decided very differently at a threshold.",
        "NYC Local Law 144 rules (6 RCNY 5-301) use its rank-based kin, the scoring rate", lowest=None, highest=None,
        example="(0.9 + 0.4 + 0.2) / 3 = 0.50"),
    Metric("brier_score", "Brier score", "score", "lower_is_better", "mean of (score - truth) squared",
        "The mean squared error of the predicted probability.",
        "It mixes calibration and discrimination, and depends on the base rate.",
        "Brier (1950), Monthly Weather Review 78", ("brier_score_loss",),
        example="((0.9 - 1)² + (0.4 - 0)²) / 2 = 0.085"),
    Metric("log_loss", "Log loss", "score", "lower_is_better", "mean of -log(probability given to the truth)",
        "How surprised the model is by the truth, in nats.",
        "One row that was excluded with certainty dominates it; probabilities are kept 1e-15 away from 0 and 1.",
        "Good (1952), JRSS B 14", (), highest=None, example="(-ln 0.9 - ln 0.6) / 2 = 0.31"),
    Metric("calibration_error", "Calibration error", "score", "lower_is_better",
        "sum over bins of share x |mean score - share of positives|",
        "How far predicted probabilities lie from observed shares, over 10 bins of equal count.",
        "Small samples show an error even when there is none; it cannot be 0 by chance alone.",
        "Naeini et al. (2015), AAAI", ("expected_calibration_error", "ece"),
        example="0.5 x |0.2 - 0.3| + 0.5 x |0.8 - 0.8| = 0.05"),
)  # fmt: skip

METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        *RATES, *_OTHERS, *OTHER_TASKS, *STATED, *COMPRESSION, *GROUPS, *EXPLAINING, *RELIANCE, *SITUATIONS, *TRAINING,
        *PRIVACY, *DP, *DISCLOSURE, *ROBUSTNESS, *ATTACKS, *UNCERTAINTY, *SURVIVAL, *TABLES, *NOTICES,
    )
}  # fmt: skip
"""Every metric by its canonical name."""
