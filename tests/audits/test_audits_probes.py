"""Audits that ask the model again: one that cannot be answered costs no other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import ModelError

CHANCE = np.random.default_rng(0)
TABLE = pd.DataFrame({"income": CHANCE.integers(0, 60, 300) * 1.5, "sex": ["f", "m"] * 150}).assign(
    paid=lambda rows: (rows["income"] > 40).astype(int)
)
KNOWN = set(TABLE["income"])


def wary(batch: pd.DataFrame) -> np.ndarray:
    """Answer for incomes that were seen, and fail on all others."""
    strange = set(batch["income"]) - KNOWN
    if strange:
        raise ValueError(f"never seen: {strange}")
    return np.asarray(batch["income"] / 100)


def test_a_model_that_fails_on_changed_rows_is_audited_by_all_else() -> None:
    members = TABLE.assign(income=TABLE["income"] + 0.25)
    asked = {"label": "paid", "sensitive_features": "sex", "explain": False, "members": members}
    record = eh.audit(wary, TABLE, **asked)
    assert record["accuracy"].estimate is not None
    section = next(part for part in record.sections if part.audit == "generalization")
    assert not section.ran and "failed on rows" in section.reason
    assert "0.25" not in section.reason, "no value of a row"
    with pytest.raises(ModelError):  # whoever names the audit is told what the model said
        eh.audit(wary, TABLE, audits=["generalization"], **asked)


def test_a_model_that_fails_on_the_rows_themselves_is_refused() -> None:
    strange = TABLE.assign(income=TABLE["income"] + 0.25)
    with pytest.raises(ModelError):
        eh.audit(wary, strange, label="paid", sensitive_features="sex", explain=False, members=TABLE)
