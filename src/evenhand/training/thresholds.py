"""The decision threshold, chosen on validation rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.training.config import ThresholdRule


def choose_threshold(
    y_true: NDArray[np.int8],
    scores: NDArray[np.float64],
    rule: ThresholdRule | float,
    weight: NDArray[np.float64] | None = None,
) -> float:
    """Return the best threshold on these rows; a number is returned unchanged.

    Every cut between two neighbouring scores is tried. Where several are equally good the middle one is taken, and the
    threshold is half-way between two scores, so that rounding in another runtime flips no decision.

    `y_true` (n,): 1 = positive; `scores` (n,): probabilities of the positive class; `rule`: ``accuracy``
    (``auto``, too), ``balanced_accuracy``, ``f1``, or ``base_rate`` (as many are predicted positive as are); `weight`
    (n,): row weights.
    """
    if not isinstance(rule, str):
        return float(rule)
    weight = np.ones(len(scores)) if weight is None else weight
    order = np.argsort(-scores, kind="stable")
    ordered, positive, weight = scores[order], y_true[order] == 1, weight[order]
    # Cut k predicts the first k rows positive; a cut inside a run of equal scores does not exist.
    exists = np.concatenate([[True], ordered[1:] < ordered[:-1], [True]])
    true_positive = np.concatenate([[0.0], np.cumsum(weight * positive)])
    false_positive = np.concatenate([[0.0], np.cumsum(weight * ~positive)])
    value = np.where(exists, _worth(true_positive, false_positive, rule), -np.inf)
    best = np.flatnonzero(value >= value.max() - 1e-12)
    cut = int(best[len(best) // 2])
    above = ordered[cut - 1] if cut else 1.0
    below = ordered[cut] if cut < len(ordered) else 0.0
    return float((above + below) / 2)


def worth_at(
    y_true: NDArray[np.int8],
    scores: NDArray[np.float64],
    rule: ThresholdRule,
    threshold: float,
    weight: NDArray[np.float64] | None = None,
) -> float:
    """Return what a threshold reaches by a rule on these rows: the greater, the better.

    Parameters are those of `choose_threshold`, and `threshold` the one to be judged.
    """
    weight = np.ones(len(scores)) if weight is None else weight
    chosen, positive = scores >= threshold, y_true == 1
    true_positive, false_positive = (
        np.asarray([0.0, weight[chosen & part].sum(), weight[part].sum()]) for part in (positive, ~positive)
    )
    return float(_worth(true_positive, false_positive, rule)[1])


def _worth(
    true_positive: NDArray[np.float64], false_positive: NDArray[np.float64], rule: ThresholdRule
) -> NDArray[np.float64]:
    """Return what each cut reaches."""
    positives, negatives = true_positive[-1], false_positive[-1]
    if rule in ("auto", "accuracy"):
        return np.asarray(true_positive + negatives - false_positive)
    if rule == "balanced_accuracy":
        return np.asarray(true_positive / positives + 1 - false_positive / negatives)
    if rule == "f1":
        return np.asarray(2 * true_positive / (true_positive + false_positive + positives))
    return np.asarray(-np.abs(true_positive + false_positive - positives))
