"""Attribute inference: what the model learnt of its own rows is found, what anybody could guess is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import evenhand as eh

READ = ["a", "b", "sex", "race"]


def people(rows: int, seed: int) -> pd.DataFrame:
    """Column b tells the sex to anybody; the truth depends on the sex a little."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], rows)
    table = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows) + (sex == "f"), "sex": sex})
    table["race"] = rng.choice(["x", "y", "z"], rows, p=[0.2, 0.3, 0.5])
    table["y"] = (table["a"] + 0.5 * (sex == "f") + 1.5 * rng.normal(size=rows) > 0).astype(int)
    return table


def fitted(model: object, table: pd.DataFrame) -> Any:
    columns = make_column_transformer((OneHotEncoder(), ["sex", "race"]), remainder="passthrough")
    return make_pipeline(columns, model).fit(table[READ], table["y"])


def audited(model: object, members: pd.DataFrame, others: pd.DataFrame, **more: Any) -> eh.AuditRecord:
    said = {"label": "y", "sensitive_features": ["sex", "race"], "use_sensitive": True, "explain": False}
    return eh.audit(model, others, members=members, audits=["attribute_inference"], **(said | more))


def test_what_a_forest_learnt_by_heart_is_told_and_what_the_columns_tell_is_not_counted() -> None:
    table = people(2_400, 0)
    members, others = table[:1_200], table[1_200:]
    record = audited(fitted(RandomForestClassifier(30, random_state=0), members), members, others)
    gain = record["attribute_gain[sex=f]"]
    assert gain.interval is not None and (gain.interval.low or 0) > 0.2
    assert record["attribute_auc[sex=f;of=imputation]"].estimate == pytest.approx(0.76, abs=0.08)
    assert record["attribute_auc[race=x;of=imputation]"].estimate == pytest.approx(0.5, abs=0.1)
    assert (record["attribute_gain[race=x]"].interval.low or 0) > 0.1  # type: ignore[union-attr]
    assert record.get("attribute_gain[sex=m]") is None  # of two groups, one is enough


def test_a_model_that_learnt_nothing_of_single_rows_gains_nothing() -> None:
    held = []
    for seed in range(12):
        table = people(900, 50 + seed)
        record = audited(fitted(LogisticRegression(), table[:100]), table[100:500], table[500:], seed=seed)
        gains = [finding.interval for finding in record.findings if finding.key.metric == "attribute_gain"]
        held += [(ends.low or -1) <= 0 <= (ends.high or 1) for ends in gains if ends is not None]
    assert len(held) == 48 and np.mean(held) >= 0.9


def test_columns_that_the_model_does_not_read_are_not_tried() -> None:
    table = people(300, 1)
    model = LogisticRegression().fit(table[["a", "b"]], table["y"])
    (section,) = audited(model, table[:150], table[150:]).sections
    assert not section.ran and "reads no sensitive feature" in section.reason


def test_numbers_are_tried_by_the_most_frequent_value_of_each_bin_and_many_groups_are_left() -> None:
    table = people(400, 2)
    rng = np.random.default_rng(3)
    table["age"], table["town"] = rng.integers(20, 70, 400), rng.integers(0, 30, 400)
    model = LogisticRegression(max_iter=500).fit(table[["a", "age", "town"]], table["y"])
    record = audited(
        model, table[:200], table[200:], sensitive_features=["age", "town"], bins={"age": [40]}, codes=["town"]
    )
    assert record["attribute_gain[age=<40]"].estimate is not None
    assert "town" in record.sections[0].reason and "more than 12 groups" in record.sections[0].reason
