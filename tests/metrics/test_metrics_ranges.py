"""The range and the direction that each metric declares are those of what audits state: limits are checked by them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.metrics import METRICS, describe

RNG = np.random.default_rng(7)
ROWS = 300
GROUPS = {"sex": RNG.choice(["f", "m"], ROWS), "race": RNG.choice(["a", "b", "c"], ROWS)}
TRUTH = np.arange(ROWS) % 2
SCORE = np.clip(0.3 * TRUTH + 0.7 * RNG.random(ROWS), 0, 1)
CLASS = np.arange(ROWS) % 3
AMOUNT = 1000 * RNG.normal(size=ROWS)
LABELS = RNG.integers(0, 2, (ROWS, 3))


def model_audit() -> eh.AuditRecord:
    table = pd.DataFrame({"income": RNG.normal(size=ROWS), "debt": RNG.normal(size=ROWS), **GROUPS})
    table["paid"] = (table["income"] + RNG.normal(size=ROWS) > 0).astype(int)
    data = eh.read_evaluation_set(table, label="paid", favourable=1, sensitive_features=["sex", "race"], name="loans")

    def score(X: pd.DataFrame) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(X["debt"] - X["income"])))

    def coarse(X: pd.DataFrame) -> np.ndarray:
        return np.round(score(X), 1)

    return eh.audit(coarse, data, original=score, explain_rows=10, background_rows=10, actionable={"debt": "decrease"})


AUDITS = {
    "scores": lambda: eh.audit_predictions(TRUTH, y_score=SCORE, sensitive_features=GROUPS, favourable=1),
    "reversed": lambda: eh.audit_predictions(TRUTH, y_score=1 - SCORE, sensitive_features=GROUPS, favourable=0),
    "compressed": lambda: eh.audit_predictions(
        TRUTH, y_score=SCORE, original_score=SCORE[::-1].copy(), sensitive_features=GROUPS
    ),
    "classes": lambda: eh.audit_predictions(CLASS, CLASS[::-1].copy(), sensitive_features=GROUPS, task="multiclass"),
    "amounts": lambda: eh.audit_predictions(AMOUNT, -AMOUNT, sensitive_features=GROUPS, task="regression"),
    "labels": lambda: eh.audit_predictions(LABELS, LABELS[::-1].copy(), sensitive_features=GROUPS, task="multilabel"),
    "model": model_audit,
}


@pytest.mark.parametrize("name", AUDITS)
def test_what_is_stated_is_in_the_declared_range(name: str) -> None:
    for finding in AUDITS[name]().findings:
        entry = describe(finding.key.metric)
        least, most = entry.range
        if finding.estimate is not None:
            assert least - 1e-9 <= finding.estimate <= most + 1e-9, finding.name
        assert finding.direction in ("neutral", entry.direction), finding.name


def test_a_disparity_has_the_range_of_its_metric() -> None:
    ranges = {
        "accuracy_difference": (0, 1), "matthews_correlation_difference": (0, 2), "accuracy_ratio": (0, 1),
        "matthews_correlation_group_min": (-1, 1), "mean_absolute_error_difference": (0, math.inf),
        "mean_absolute_error_group_max": (0, math.inf), "r2_difference": (0, math.inf), "log_loss_ratio": (0, 1),
        "accuracy_change_difference": (0, 2), "equalized_odds_difference": (0, 1), "equalized_odds_ratio": (0, 1),
        "g_mean_difference": (0, math.inf), "g_mean_ratio": (-math.inf, math.inf), "g_mean": (-math.inf, math.inf),
    }  # fmt: skip
    assert {name: describe(name).range for name in ranges} == ranges


def test_amounts_have_no_greatest_value() -> None:
    for name in ("file_bytes", "parameters", "macs", "latency", "size_ratio", "mean_absolute_error", "training_energy"):
        assert METRICS[name].range == (0, math.inf)
