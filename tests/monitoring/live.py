"""A small deployed model with its baseline, and live rows of it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import evenhand as eh
from evenhand.monitoring import Baseline, Batch, count_batch, make_baseline
from evenhand.monitoring.baseline_files import hashed
from evenhand.monitoring.batches import id_of

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord


def live_rows(rows: int, seed: int, *, gap: float = 0.0, older: float = 0.0) -> pd.DataFrame:
    """Return rows with scores; those of women are lower by `gap`, everybody is older by `older` years."""
    random = np.random.default_rng(seed)
    sex = random.choice(["f", "m"], rows, p=[0.4, 0.6])
    age = random.normal(40 + older, 10, rows)
    region = random.choice(list("abc"), rows)
    chance = 1 / (1 + np.exp(-(age - 40) / 5))
    paid = (random.random(rows) < chance).astype(int)
    score = np.clip(chance - gap * (sex == "f"), 0, 1)
    return pd.DataFrame({"sex": sex, "age": age, "region": region, "score": score, "paid": paid})


@cache
def audited() -> tuple[pd.DataFrame, AuditRecord]:
    """Return the audited rows and their audit."""
    table = live_rows(4000, 0)
    record = eh.audit_predictions(
        table["paid"], y_score=table["score"], sensitive_features={"sex": table["sex"]},
        audits=("performance", "fairness"),
    )  # fmt: skip
    return table, record


@cache
def baseline() -> Baseline:
    """Return its baseline."""
    table, record = audited()
    data = eh.read_evaluation_set(table, label="paid", sensitive_features=["sex"], score="score")
    return hashed(make_baseline(data, record))


def batch(table: pd.DataFrame, name: str = "batch", *, time: str | None = None, late: bool = False) -> Batch:
    """Return the counts of rows."""
    return count_batch(table, baseline(), name, id_of(table), time=time, late=late)
