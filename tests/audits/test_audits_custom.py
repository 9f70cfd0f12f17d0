"""Metrics that a person brings, and what becomes of those that refuse some rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

import evenhand as eh
from evenhand.errors import InputError

Y = np.tile([0, 1, 1, 0, 1, 0], 20)
P = np.tile([0, 1, 0, 0, 1, 1], 20)
GROUP = np.array(["few", *["many"] * 119])


def record(**metrics: Any) -> eh.AuditRecord:
    return eh.audit_predictions(Y, P, sensitive_features={"group": GROUP, "half": GROUP[::-1]}, metrics=metrics)


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(InputError, match="There is a metric 'accuracy' already"):
        record(accuracy=accuracy_score)
    with pytest.raises(InputError, match="There is a metric 'tpr' already"):
        record(tpr=accuracy_score)


def test_what_a_metric_raises_is_told_in_a_sentence() -> None:
    def broken(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        return 1 / 0

    with pytest.raises(InputError, match=r"The metric 'broken' cannot be computed.*ZeroDivisionError"):
        record(mine=broken)


def test_a_group_that_a_metric_refuses_is_undefined_there_and_nowhere_else() -> None:
    def both(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        if len(set(y_true)) < 2:
            raise ValueError("two classes are needed")
        return float(np.mean(y_true == y_pred))

    found = record(both=both)
    assert found["both"].estimate == pytest.approx(accuracy_score(Y, P))
    assert found["both[group=few]"].estimate is None
    assert "no number" in found["both[group=few]"].undefined
    assert found["both[group=many]"].estimate is not None


def test_a_metric_frame_takes_a_list_of_features() -> None:
    found = record()
    assert found.to_metric_frame(["half", "group"]).by_group.equals(found.to_metric_frame("group", "half").by_group)


def test_words_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match="There is no task 'forecasting'"):
        eh.audit_predictions(Y, P, task="forecasting")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="score_kind takes"):
        eh.audit_predictions(Y, y_score=P, score_kind="odds")  # type: ignore[arg-type]
