"""Boosted trees beside a network, on the same rows: is the network worth it?"""

from __future__ import annotations

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

LEVEL: Final = 0.95
FEWEST: Final = 2
"""Rows of each class without which two areas under the curve cannot be compared."""


def beside(
    scores: NDArray[np.float64], fitted: EvaluationSet, chosen: EvaluationSet, config: TrainingConfig
) -> dict[str, Plain] | None:
    """Return how boosted trees of the same rows compare with a network on the rows that both were chosen by.

    Parameters
    ----------
    scores : (n,) or (n, C)
        The network's probabilities for `chosen`.
    fitted, chosen : EvaluationSet
        The rows that the network was fitted on, and those that its epoch was chosen by.
    config : TrainingConfig
        The settings of its fit.

    Returns
    -------
    dict or None
        The metric (``roc_auc`` of two classes, ``accuracy`` of several), its values of both, and `change`, network
        minus trees, from `low` to `high`, paired, at level .95. None where there is no table, no scikit-learn, or
        less than two validation rows of a class.
    """
    if not config.baseline or fitted.held is not None or find_spec("sklearn") is None:
        return None
    if fitted.task not in ("binary", "multiclass") or np.bincount(chosen.y_true, minlength=2).min() < FEWEST:
        return None
    from evenhand.subjects.outputs import sigmoid, softmax
    from evenhand.training.trees.growing import grow

    grown = grow(fitted, chosen, replace(config, model="boosting"))
    raw = grown.trees.score(grown.trees.columns.transform(chosen.X))
    trees = sigmoid(raw[:, 0]) if fitted.task == "binary" else softmax(raw)
    compared = _areas(chosen.y_true, trees, scores) if fitted.task == "binary" else _hits(chosen.y_true, trees, scores)
    return {"model": "boosting", "rounds": grown.kept, "rows": len(chosen), "level": LEVEL, **compared}


def _areas(y_true: NDArray[np.int8], trees: NDArray[np.float64], network: NDArray[np.float64]) -> dict[str, Plain]:
    from sklearn.metrics import roc_auc_score

    from evenhand.metrics.inference.paired import paired_auc_change

    change, low, high = paired_auc_change(y_true, trees, network, LEVEL)
    own, other = (float(roc_auc_score(y_true, scores)) for scores in (network, trees))
    return {"metric": "roc_auc", "network": own, "boosting": other, "change": change, "low": low, "high": high}


def _hits(y_true: NDArray[np.int8], trees: NDArray[np.float64], network: NDArray[np.float64]) -> dict[str, Plain]:
    from evenhand.metrics.inference.paired import paired_change

    own, other = (scores.argmax(axis=1) == y_true for scores in (network, trees))
    both, gained, lost, neither = (
        np.array([int(part.sum())]) for part in (own & other, own & ~other, ~own & other, ~own & ~other)
    )
    found = paired_change(both, gained, lost, neither, LEVEL)
    ends = {"low": float(found.low[0]), "high": float(found.high[0])}
    values: dict[str, Plain] = {"network": float(own.mean()), "boosting": float(other.mean())}
    return {"metric": "accuracy", **values, "change": float(found.estimate[0]), **ends}


NAMES: Final = {"roc_auc": "AUC", "accuracy": "accuracy"}


def told(history: Mapping[str, Plain]) -> str:
    """Return the sentence on a network beside boosted trees, from its history; none where none were fitted.

    It says ahead or behind only where the whole interval does.

    Examples
    --------
    >>> told({"baseline": {"metric": "roc_auc", "change": -0.02, "low": -0.03, "high": -0.01, "rows": 900}})
    'Your network is .020 AUC behind boosted trees [-.030, -.010] on 900 validation rows.'
    """
    found = history.get("baseline")
    if not isinstance(found, dict):
        return ""
    change, low, high = (float(cast("float", found[name])) for name in ("change", "low", "high"))
    metric, rows = NAMES[str(found["metric"])], f"on {int(cast('int', found['rows'])):,} validation rows"
    ends = f"[{_signed(low)}, {_signed(high)}]"
    if low > 0 or high < 0:
        side = "ahead of" if low > 0 else "behind"
        return f"Your network is {_signed(abs(change))[1:]} {metric} {side} boosted trees {ends} {rows}."
    return f"Your network and boosted trees do not differ beyond chance: {_signed(change)} {metric} {ends} {rows}."


def _signed(value: float) -> str:
    """Return a number with its sign and without the zero before the point."""
    return f"{value:+.3f}".replace("0.", ".", 1)
