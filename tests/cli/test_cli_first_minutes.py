"""A stranger's table and model: three commands to a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd
import pytest

from evenhand.cli.main import exit_code
from evenhand.records import read_record

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 2700


@pytest.fixture
def loans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Return a table of labels "yes" and "no" with nine groups; one of them is decided worse than it deserves."""
    rng = np.random.default_rng(7)
    region = rng.choice([f"group {at}" for at in range(9)], ROWS)
    income, debt = rng.normal(50, 12, ROWS).round(1), rng.normal(20, 6, ROWS).round(1)
    repaid = income - debt + rng.normal(0, 12, ROWS) > 28
    frame = pd.DataFrame({
        "applicant_id": np.arange(ROWS) + 1000, "income": income, "debt": debt, "ethnicity": region,
        "age": rng.integers(18, 80, ROWS), "repaid": np.where(repaid, "yes", "no"),
    })  # fmt: skip
    monkeypatch.chdir(tmp_path)
    return frame


def test_a_fitted_model_is_judged_in_three_commands(loans: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    inputs = ["income", "debt", "ethnicity", "age"]
    encoded = make_column_transformer((OneHotEncoder(), ["ethnicity"]), remainder="passthrough")
    model = make_pipeline(encoded, LogisticRegression(max_iter=500)).fit(loans[inputs], loans["repaid"])
    joblib.dump(model, "credit.joblib")
    loans.to_csv("loans.csv", index=False)
    assert exit_code(["init", "loans.csv"]) == 0
    assert exit_code(["audit", "loans.csv", "--model", "credit.joblib", "--trust-pickle"]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[-1] == "Next: evenhand gate audit.json"
    code = exit_code(["gate", "audit.json"])
    assert code in (0, 1, 3)
    told = capsys.readouterr().out
    assert "selection_rate_ratio[ethnicity]" in told
    assert "balanced_accuracy" in told
    record = read_record("audit.json")
    assert all(record[f"recall[ethnicity=group {at}]"].support > 0 for at in range(9))
    assert record["accuracy"].support == ROWS


def test_decisions_in_a_column_are_judged_in_three_commands(
    loans: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    harmed = (loans["ethnicity"] == "group 3") & (np.arange(ROWS) % 3 > 0)
    loans.assign(prediction=loans["repaid"].mask(harmed, "no")).to_csv("decided.csv", index=False)
    assert exit_code(["init", "decided.csv"]) == 0
    assert exit_code(["audit", "decided.csv"]) == 0
    capsys.readouterr()
    assert exit_code(["gate", "audit.json"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("failed ")
    assert "group 3" in told.splitlines()[0]


def test_audit_and_gate_are_one_command_too(loans: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    harmed = (loans["ethnicity"] == "group 3") & (np.arange(ROWS) % 3 > 0)
    loans.assign(prediction=loans["repaid"].mask(harmed, "no")).to_csv("decided.csv", index=False)
    assert exit_code(["init", "decided.csv", "-q"]) == 0
    assert exit_code(["audit", "decided.csv", "-o", "alone.json"]) == 0
    capsys.readouterr()
    assert exit_code(["audit", "decided.csv", "--gate", "-q"]) == 1
    judged = capsys.readouterr().out
    assert exit_code(["gate", "audit.json"]) == 1
    assert capsys.readouterr().out == judged
    record, alone = read_record("audit.json"), read_record("alone.json")
    assert record.findings == alone.findings
    assert record.provenance["policy"]["name"]  # limits that were set before the audit
