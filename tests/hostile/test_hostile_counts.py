"""Tables of counts: what their first line says, and what nobody may read into them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.audits import audit_given
from evenhand.audits.from_tables import audit_table
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.evidence.counting import count_files, merge_counts
from evenhand.evidence.shards import counts_text

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("duckdb")

N = 400
RNG = np.random.default_rng(3)
Y = RNG.integers(0, 2, N)
SCORE = np.clip(0.4 * Y + 0.6 * RNG.random(N), 0, 1)
ROWS = pd.DataFrame({
    "y": Y, "text": np.where(Y == 1, "yes", "no"), "signed": 2 * Y - 1, "p": SCORE, "q": 1 - SCORE,
    "sex": RNG.choice(["f", "m"], N),
})  # fmt: skip
CASES: dict[str, tuple[str, str, object, float]] = {
    "0 and 1": ("y", "p", None, 0.5),
    "1 is negative": ("y", "q", 0, 0.5),
    "texts": ("text", "p", "yes", 0.6),
    "texts, the other one": ("text", "q", "no", 0.4),
    "-1 and 1": ("signed", "p", None, 0.5),
    "-1 is positive": ("signed", "q", -1, 0.3),
}
AUDIT = ["--prediction", "decision", "--label", "y", "--sensitive", "sex"]


def oracle(label: str, score: str, positive: object, threshold: float) -> float:
    truth = ROWS[label] == (1 if positive is None else positive)
    return float(((ROWS[score] >= threshold) == truth).mean())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    ROWS.to_csv("rows.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("way", ["table", "file", "memory", "merged"])
def test_decisions_counted_from_scores_are_of_the_positive_class(place: Path, case: str, way: str) -> None:
    label, score, positive, threshold = CASES[case]
    roles: dict[str, Any] = {"label": label, "sensitive_features": ["sex"], "positive": positive}
    if way == "table":
        record = audit_table("rows.csv", score=score, threshold=threshold, **roles)
    else:
        counted = {"label": label, "groups": ["sex"], "score": score, "threshold": threshold}
        source: Any = count_files("rows.csv", **counted)
        if way == "merged":
            for name, part in (("one.csv", ROWS[:150]), ("two.csv", ROWS[150:])):
                part.to_csv(name, index=False)
            source = merge_counts([count_files("one.csv", **counted), count_files("two.csv", **counted)])
        if way != "memory":
            (place / "counts.csv").write_text(counts_text(source))
            source = place / "counts.csv"
        data = eh.read_evaluation_set(source, prediction="decision", frequency="rows", **roles)
        record = audit_given(data)
        assert record.provenance["data"]["counted_at"] == threshold
    assert record["accuracy"].estimate == pytest.approx(oracle(label, score, positive, threshold), abs=1e-12)


def test_decisions_that_were_counted_as_they_are_stay_as_they_are(place: Path) -> None:
    ROWS.assign(decision=(SCORE >= 0.5).astype(int)).to_csv("rows.csv", index=False)
    counts = count_files("rows.csv", label="y", groups=["sex"], prediction="decision")
    data = eh.read_evaluation_set(
        counts, label="y", sensitive_features="sex", prediction="decision", frequency="rows", positive=0
    )
    assert audit_given(data)["accuracy"].estimate == pytest.approx(((SCORE >= 0.5) == Y).mean())
    assert "counted_at" not in data.provenance


def test_cells_are_not_read_as_rows(place: Path) -> None:
    assert exit_code(["count", "rows.csv", "--label", "y", "--score", "p", "--sensitive", "sex", "-o", "c.csv"]) == 0
    assert exit_code(["audit", "c.csv", *AUDIT, "-o", "a.json"]) == 2
    assert exit_code(["audit", "c.csv", *AUDIT, "--frequency", "rows", "-o", "a.json"]) == 0
    counts = count_files("rows.csv", label="y", groups=["sex"], score="p")
    roles: dict[str, Any] = {"label": "y", "sensitive_features": "sex", "prediction": "decision"}
    with pytest.raises(InputError, match=r"is a table of counts; name the column of the counts, frequency="):
        eh.read_evaluation_set(counts, **roles)
    rows = counts.loc[counts.index.repeat(counts["rows"])].drop(columns="rows")
    assert len(eh.read_evaluation_set(rows, **roles)) == N


@pytest.mark.parametrize("change", ["a count", "a cell left out", "a cell twice", "first line", "no JSON", "a list"])
def test_counts_that_were_changed_are_refused(place: Path, change: str) -> None:
    lines = counts_text(count_files("rows.csv", label="y", groups=["sex"], score="p")).splitlines()
    changed = {
        "a count": [*lines[:-1], lines[-1].rpartition(",")[0] + ",9999"],
        "a cell left out": lines[:-1],
        "a cell twice": [*lines, lines[-1]],
        "first line": [lines[0].replace('"cells": "', '"cells": "0'), *lines[1:]],
        "no JSON": [lines[0] + "}", *lines[1:]],
        "a list": ["# evenhand counts: [1]", *lines[1:]],
    }[change]
    (place / "c.csv").write_text("\n".join(changed) + "\n")
    assert exit_code(["audit", "c.csv", *AUDIT, "--frequency", "rows", "-o", "a.json"]) == 2
    assert not (place / "a.json").exists()


def test_a_sum_is_not_added_to_the_same_rows_counted_at_once(place: Path) -> None:
    for name, part in (("one.csv", ROWS[:150]), ("two.csv", ROWS[150:])):
        part.to_csv(name, index=False)
    counted = {"label": "y", "groups": ["sex"], "score": "p"}
    whole = count_files("rows.csv", **counted)
    both = merge_counts([count_files("one.csv", **counted), count_files("two.csv", **counted)])
    with pytest.raises(InputError, match="would count twice"):
        merge_counts([both, whole])


@pytest.mark.parametrize(("threshold", "code"), [("0.5", 0), ("0.3", 3)])
def test_counts_at_another_threshold_are_no_baseline(place: Path, threshold: str, code: int) -> None:
    for name, at in (("then", "0.5"), ("now", threshold)):
        counted = ["--label", "y", "--score", "p", "--sensitive", "sex", "--threshold", at, "-o", f"{name}.csv"]
        assert exit_code(["count", "rows.csv", *counted]) == 0
        assert exit_code(["audit", f"{name}.csv", *AUDIT, "--frequency", "rows", "-o", f"{name}.json"]) == 0
    (place / "policy.toml").write_text("schema = 1\n[limits]\naccuracy = { at_least = 0.3, max_drop = 0.9 }\n")
    asked = ["gate", "now.json", "--policy", "policy.toml", "--baseline", "then.json"]
    assert exit_code(asked) == code
    assert exit_code([*asked, "--new-threshold"]) == 0
    assert json.loads((place / "now.json").read_text())["provenance"]["data"]["counted_at"] == float(threshold)
