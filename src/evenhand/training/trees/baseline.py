"""Boosted trees beside a network, on the same rows: is the network worth it?"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training.config import TrainingConfig

    Floats = NDArray[np.float64]

LEVEL: Final = 0.95
FEWEST: Final = 2
"""Rows, of classes those of each, without which two models cannot be compared."""


def beside(
    scores: Floats, fitted: EvaluationSet, chosen: EvaluationSet, config: TrainingConfig
) -> dict[str, Plain] | None:
    """Return how boosted trees of the same rows compare with a network on the rows that both were chosen by.

    Parameters
    ----------
    scores : (n,), (n, C) or (n, Q)
        The network's answers for `chosen`: probabilities, numbers, or all of its quantiles.
    fitted, chosen : EvaluationSet
        The rows that the network was fitted on, and those that its epoch was chosen by.
    config : TrainingConfig
        The settled settings of its fit.

    Returns
    -------
    dict or None
        The metric, its values of both, and `change`, by how much the network is better, from `low` to `high`, paired,
        at level .95. The metric is ``roc_auc`` of two classes, ``accuracy`` of several; of numbers it is the error that
        the network was fitted by, which the trees are, too: ``root_mean_squared_error`` by the loss ``mse``,
        ``mean_absolute_error`` by ``mae`` and ``huber`` (the trees by the absolute error), ``pinball_loss`` of
        quantiles. None of a ranking, or where there is no table, no scikit-learn, or less than two validation rows
        (of a class).
    """
    if not config.baseline or fitted.held is not None or find_spec("sklearn") is None or not _comparable(chosen):
        return None
    from evenhand.training.trees.growing import grow_closed

    loss = "mae" if config.loss == "huber" else config.loss
    grown, closed = grow_closed(fitted, chosen, replace(config, model="boosting", loss=loss))
    if fitted.task == "regression":
        compared = _errors(chosen, closed.scores, scores, replace(config, loss=loss))
    else:
        compare = _areas if fitted.task == "binary" else _hits
        compared = compare(chosen.y_true, closed.scores, scores)
    return {"model": "boosting", "rounds": grown.kept, "rows": len(chosen), "level": LEVEL, **compared}


def _comparable(chosen: EvaluationSet) -> bool:
    """Return whether two models can be compared on these rows."""
    if chosen.task == "regression":
        return len(chosen) >= FEWEST
    return chosen.task in ("binary", "multiclass") and int(np.bincount(chosen.y_true, minlength=2).min()) >= FEWEST


def _errors(data: EvaluationSet, trees: Floats, network: Floats, config: TrainingConfig) -> dict[str, Plain]:
    from evenhand.metrics.values.gains import error_of, measure_gain

    metric, quantiles = ERRORS[config.loss], tuple(sorted(config.quantiles))
    weight, codes = data.sample_weight, np.zeros(len(data), dtype=np.int32)
    found = measure_gain(
        metric, data.y_true, trees, network, codes, 1, LEVEL, weight, data.clusters, quantiles=quantiles
    )  # fmt: skip
    own, other = (error_of(metric, data.y_true, said, weight, quantiles) for said in (network, trees))
    ends: dict[str, Plain] = {"change": float(found.estimate[0]), "low": float(found.low[0])}
    return {"metric": metric, "network": own, "boosting": other, **ends, "high": float(found.high[0])}


def _areas(y_true: NDArray[np.int8], trees: Floats, network: Floats) -> dict[str, Plain]:
    from sklearn.metrics import roc_auc_score

    from evenhand.metrics.inference.paired import paired_auc_change

    change, low, high = paired_auc_change(y_true, trees, network, LEVEL)
    own, other = (float(roc_auc_score(y_true, scores)) for scores in (network, trees))
    return {"metric": "roc_auc", "network": own, "boosting": other, "change": change, "low": low, "high": high}


def _hits(y_true: NDArray[np.int8], trees: Floats, network: Floats) -> dict[str, Plain]:
    from evenhand.metrics.inference.paired import paired_change

    own, other = (scores.argmax(axis=1) == y_true for scores in (network, trees))
    both, gained, lost, neither = (
        np.array([int(part.sum())]) for part in (own & other, own & ~other, ~own & other, ~own & ~other)
    )
    found = paired_change(both, gained, lost, neither, LEVEL)
    ends = {"low": float(found.low[0]), "high": float(found.high[0])}
    values: dict[str, Plain] = {"network": float(own.mean()), "boosting": float(other.mean())}
    return {"metric": "accuracy", **values, "change": float(found.estimate[0]), **ends}


NAMES: Final = {
    "roc_auc": "AUC", "accuracy": "accuracy", "root_mean_squared_error": "root mean squared error",
    "mean_absolute_error": "mean absolute error", "pinball_loss": "pinball loss",
}  # fmt: skip
"""Metrics that both are compared by, the errors of numbers last."""
ERRORS: Final = {"mse": "root_mean_squared_error", "mae": "mean_absolute_error", "pinball": "pinball_loss"}
"""Of each loss of numbers that trees learn by, the error that both are compared by."""


def told(history: Mapping[str, Plain]) -> str:
    """Return the sentence on a network beside boosted trees, from its history; none where none were fitted.

    It says ahead or behind only where the whole interval does.

    Examples
    --------
    >>> told({"baseline": {"metric": "roc_auc", "change": -0.02, "low": -0.03, "high": -0.01, "rows": 900}})
    'Your network is .020 AUC behind boosted trees [-.030, -.010] on 900 validation rows.'
    >>> told({"baseline": {"metric": "mean_absolute_error", "change": -0.4, "low": -0.5, "high": -0.3, "rows": 900}})
    'Your network is .40 units of mean absolute error behind boosted trees [-.50, -.30] on 900 validation rows.'
    """
    found = history.get("baseline")
    if not isinstance(found, dict):
        return ""
    change, low, high = (float(cast("float", found[name])) for name in ("change", "low", "high"))
    metric, rows = str(found["metric"]), f"on {int(cast('int', found['rows'])):,} validation rows"
    of_numbers = metric in ERRORS.values()
    name = f"units of {NAMES[metric]}" if of_numbers else NAMES[metric]
    digits = _digits(low, high) if of_numbers else 3
    by, *ends = (_signed(value, digits) for value in (change, low, high))
    if low > 0 or high < 0:
        side = "ahead of" if low > 0 else "behind"
        return f"Your network is {by[1:]} {name} {side} boosted trees [{', '.join(ends)}] {rows}."
    return (
        f"Your network and boosted trees do not differ beyond chance: {by} {name} "
        f"[{', '.join(ends)}] {rows}."
    )  # fmt: skip


def _digits(low: float, high: float) -> int:
    """Return the digits after the point that show two of the larger end, and that an end is not 0 where it is not."""
    near, far = sorted((abs(low), abs(high)))
    wanted = [(far, 1), *([(near, 0)] if low * high > 0 else [])]
    return max(0, *(more - math.floor(math.log10(end)) for end, more in wanted if end > 0), 0)


def _signed(value: float, digits: int) -> str:
    """Return a number with its sign and without the zero before the point."""
    return re.sub(r"^([+-])0\.", r"\1.", f"{value:+,.{digits}f}")
