"""Groups of whole numbers that were declared to be codes: counted in every call, and noted on the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code

if TYPE_CHECKING:
    from pathlib import Path

SAID = "Its 40 whole numbers are codes, as was declared: each makes a group."


def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    paid = rng.integers(0, 2, 2_000)
    return pd.DataFrame({"area": rng.integers(300, 340, 2_000), "paid": paid, "said": paid ^ (rng.random(2_000) < 0.2)})


def test_the_record_notes_that_numbers_were_taken_as_groups() -> None:
    rows = table()
    record = eh.audit_predictions(rows["paid"], rows["said"], sensitive_features=rows[["area"]], codes="area")
    assert record["lookalike_groups[area]"].note == SAID
    assert record["recall[area=300]"].support > 0
    assert SAID in eh.render(record)
    texts = rows.astype({"area": str})
    other = eh.audit_predictions(texts["paid"], texts["said"], sensitive_features=texts[["area"]], codes="area")
    assert other["lookalike_groups[area]"].note == "", "texts need no declaration"
    assert other["recall[area=300]"].estimate == record["recall[area=300]"].estimate


@pytest.mark.parametrize("by", ["flag", "file"])
def test_the_flag_and_the_settings_file_declare_codes(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table().to_csv("rows.csv", index=False)
    given = ["audit", "rows.csv", "--label", "paid", "--prediction", "said", "--sensitive", "area", "-o", "audit.json"]
    assert exit_code(given) == 2
    assert "pass --code area" in capsys.readouterr().err
    if by == "file":
        (tmp_path / "evenhand.toml").write_text('[data]\ncodes = ["area"]\n', encoding="utf-8")
    assert exit_code([*given, *(["--code", "area"] if by == "flag" else [])]) == 0
    assert eh.read_record("audit.json")["lookalike_groups[area]"].note == SAID
