"""What may be meant so, and rarely is: one score for all, classes that look swapped, decisions called scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.testing.asked import Asked

SURE: Final = 4.0
"""Standard errors from chance at which an order of scores looks turned."""


def decisions(asked: Asked) -> str:
    """Compare with decisions that the subject declares."""
    own = getattr(asked.subject, "own_decisions", None)
    if not callable(own) or asked.predictions.y_score is None:
        return ""
    decided = np.asarray(own(asked.batch))
    ours = asked.first.argmax(axis=1) if asked.first.ndim == 2 else asked.first >= asked.subject.threshold
    apart = len(ours) if decided.shape != ours.shape else int((decided != ours).sum())
    return f"its decisions differ from those of its scores in {apart:,} of {len(ours):,} rows" if apart else ""


def scale(asked: Asked) -> str:
    """Say whether probabilities are decisions."""
    found = asked.predictions
    if found.kind != "probability" or found.y_score is None or not np.isin(found.y_score, (0.0, 1.0)).all():
        return ""
    return "every probability is 0 or 1: these are decisions, which score_kind='label' declares"


def constant(asked: Asked) -> str:
    """Say whether all rows get one score."""
    found = asked.predictions
    said = found.y_pred if found.y_score is None else found.y_score
    return f"all {len(said):,} rows get the same score" if len(said) > 1 and not np.ptp(said, axis=0).any() else ""


def direction(asked: Asked) -> str:
    """Say whether the classes look swapped, or a number turned."""
    found, task = asked.predictions, asked.data.task
    said = found.y_pred if found.y_score is None else found.y_score
    if task == "multiclass":
        return _permuted(np.asarray(found.y_pred), found.y_true, len(asked.data.classes))
    if task in ("regression", "ranking"):
        turned = np.ptp(said) > 0 and np.corrcoef(said, found.y_true)[0, 1] < -SURE / math.sqrt(len(said))
        return "its numbers fall where the label's rise: they look turned" if turned else ""
    columns = zip(np.atleast_2d(said.T), np.atleast_2d(found.y_true.T), strict=True)
    for scores, truth in columns:
        area, error = _area(scores, truth == 1)
        if area < 0.5 - SURE * error:
            return f"positive rows have the lower scores (area under the curve {area:.2f}): the classes look swapped"
    return ""


def _area(scores: NDArray[Any], positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the area under the ROC curve and its standard error where scores say nothing."""
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return 0.5, math.inf
    ranks = pd.Series(scores).rank().to_numpy()[positive].sum()
    return (ranks - ones * (ones + 1) / 2) / (ones * zeros), math.sqrt((ones + zeros + 1) / (12 * ones * zeros))


def _permuted(decided: NDArray[Any], truth: NDArray[Any], classes: int) -> str:
    """Say where each decided class is mostly another one of the label, and no two are the same."""
    table = np.zeros((classes, classes))
    np.add.at(table, (decided, truth), 1)
    used = np.flatnonzero(table.sum(axis=1))
    mostly = table[used].argmax(axis=1)
    gain = (table[used, mostly].sum() - np.trace(table)) / len(truth)
    if len(used) > 1 and len(set(mostly.tolist())) == len(used) and gain > SURE / math.sqrt(len(truth)):
        return "each class that it decides for is mostly another one of the label: its columns look permuted"
    return ""
