"""The threshold of a model that was fine-tuned: kept where it still does what it was chosen for, else chosen anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evenhand.compression.recipe import Bench
    from evenhand.training import NetworkModel


def moved_threshold(before: NetworkModel, after: NetworkModel, bench: Bench) -> float | None:
    """Return the threshold of a fine-tuned model by the rule of the fit, on the rows it stopped by; None to keep it.

    It is kept where it was a number and no rule; and where the tuned model reaches by it at least what the model before
    did on the same rows, since each move changes decisions.
    """
    from evenhand.compression.tuning import config_of, rows_of
    from evenhand.training.dataset import prepared
    from evenhand.training.thresholds import choose_threshold, worth_at

    rule = config_of(before).threshold_rule
    if before.plan.outputs != 1 or not isinstance(before.history.get("config"), dict) or rule is None:
        return None
    check = rows_of(before, bench)[1]
    if check.task != "binary" or check.y_true.min() == check.y_true.max():
        return None
    rows, weight = prepared(before.preprocessing, check), check.sample_weight
    old, new = (model.predict_prepared(rows) for model in (before, after))
    reached = [worth_at(check.y_true, scores, rule, before.threshold, weight) for scores in (old, new)]
    if reached[1] >= reached[0]:
        return None
    threshold = choose_threshold(check.y_true, new, rule, weight)
    return threshold if worth_at(check.y_true, new, rule, threshold, weight) > reached[1] else None
