"""Errors of the command line name flags, never arguments of Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from evenhand.cli.main import exit_code
from evenhand.records import read_record

if TYPE_CHECKING:
    from pathlib import Path

ARGUMENT = re.compile(r"(?<![\w-])[a-z]+(?:_[a-z]+)*=(?=[\"'\[{. ,;)]|$)|\by_(?:score|pred|true)\b|pass [a-z_]+=")
"""How an argument of Python looks in a sentence."""
ROLES = "--label y --pos-label yes --prediction d"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    n = 200
    frame = pd.DataFrame({
        "sex": rng.choice(["f", "m"], n), "age": rng.integers(18, 80, n), "y": rng.choice(["yes", "no"], n),
        "p": rng.random(n), "wide": rng.random(n) * 5, "d": rng.choice(["yes", "no"], n),
        "other": rng.choice(["ja", "no"], n), "three": rng.integers(0, 3, n), "negative": -rng.random(n),
        "gaps": np.where(rng.random(n) < 0.1, None, "a"), "code": rng.integers(1, 4, n),
    })  # fmt: skip
    frame.to_csv(tmp_path / "rows.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("", "--label"),
        ("--label yy", "(--label). Did you mean 'y'?"),
        ("--label y --pos-label yes", "(--prediction) or scores (--score), or a model (--model)"),
        ("--label y --pos-label maybe --prediction d", "--pos-label maybe is none of them"),
        ("--label y --favourable maybe --prediction d", "--favourable maybe is none of them"),
        ("--label other --prediction d", "--pos-label"),
        ("--label three --prediction d", "(--task)"),
        ("--label y --pos-label yes --prediction p", "Scores belong in --score"),
        ("--label y --pos-label yes --score wide", "(--threshold, and --score-kind ranking)"),
        ("--label y --pos-label yes --score wide --score-kind ranking", "(--threshold)"),
        (f"{ROLES} --sensitive age", "such as --bins age="),
        (f"{ROLES} --sensitive age --bins age=45,25", "--bins age=45.0,25.0 are no increasing finite edges"),
        (f"{ROLES} --sensitive age --bins age=old", "'age=old' is not NAME=NUMBER,NUMBER"),
        (f"{ROLES} --sensitive sex --bins sex=1,2", "has edges (--bins)"),
        (f"{ROLES} --bins age=25", "(--bins), which is no sensitive or control feature"),
        (f"{ROLES} --sensitive gaps", "pass --missing group"),
        (f"{ROLES} --sensitive sexx", "(--sensitive). Did you mean 'sex'?"),
        (f"{ROLES} --control sexx", "(--control). Did you mean 'sex'?"),
        (f"{ROLES} --exclude sexx", "(--exclude). Did you mean 'sex'?"),
        (f"{ROLES} --sensitive code --value-label code=9=x", "--value-label of 'code'"),
        (f"{ROLES} --weight negative", "sample weight 'negative' is negative"),
        (f"{ROLES} --id gaps", "leave out --id"),
        ("--label p --prediction p --task ranking", "(--query)"),
        (f"{ROLES} --level 2", "--level must be a number in (0, 1)"),
        (f"{ROLES} --inputs x.npy --texts sex", "--texts and --inputs"),
        (f"{ROLES} --frequency negative", "frequency 'negative'"),
        (f"{ROLES} --audits fairnes", "Did you mean 'fairness'?"),
    ],
)
def test_an_error_names_the_flag(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: str, sentence: str
) -> None:
    assert exit_code(["audit", "rows.csv", *arguments.split()]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert ARGUMENT.search(said) is None
    assert not (folder / "audit.json").exists()


def test_an_argument_of_python_would_be_seen() -> None:
    for said in (
        "pass label= with one",
        'or missing="group".',
        "y_score is outside",
        "leave out id=.",
        "bins={'a': 1}",
    ):
        assert ARGUMENT.search(said), said


def test_a_model_in_other_words_is_not_sent_to_a_flag_that_refuses_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_csv("rows.csv").assign(x=range(len(pd.read_csv("rows.csv"))))[["x", "y", "sex"]]
    frame["said"] = frame["y"].map(dict(zip(sorted(frame["y"].unique()), ("bad", "good"), strict=True)))
    joblib.dump(LogisticRegression().fit(frame[["x"]], frame["said"]), "other.joblib")
    frame.drop(columns="said").to_csv("few.csv", index=False)
    arguments = ["audit", "few.csv", *ROLES.split()[:4], "--model", "other.joblib", "--trust-pickle"]
    assert exit_code(arguments) == 2
    assert "Write the label in the words of the model; or, in Python, pass positive=" in capsys.readouterr().err


def test_the_endings_of_reports_are_told_with_the_flag(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["audit", "rows.csv", *ROLES.split(), "-q"]) == 0
    assert exit_code(["report", "audit.json", "-o", "report.docx"]) == 2
    assert "or say --format." in capsys.readouterr().err
    assert exit_code(["gate", "rows.csv"]) == 2
    assert "rows.csv: this is no audit.json, which begins with a brace. Make one with: evenhand audit" in (
        capsys.readouterr().err
    )


def test_help_without_a_command_is_the_help_and_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["policy"]):
        assert exit_code(arguments) == 2
        said = capsys.readouterr().err
        assert said.startswith("Usage: evenhand")
        assert "\nCommands:\n" in said
        assert "Error" not in said
    assert exit_code(["list"]) == 2
    assert "\n  metrics," in capsys.readouterr().err


def test_init_names_flags_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["init", "rows.csv", "--label", "y", "--favourable", "maybe"]) == 2
    assert "--favourable maybe is none of them" in capsys.readouterr().err


@pytest.mark.parametrize("asked", [["--audits", "performance"], ["--audits", "performance,fairness"]])
def test_audits_are_chosen_by_name(folder: Path, asked: list[str]) -> None:
    assert exit_code(["audit", "rows.csv", *ROLES.split(), "--sensitive", "sex", *asked]) == 0
    record = read_record("audit.json")
    assert [section.audit for section in record.sections] == asked[1].split(",")
    assert exit_code(["verify", "audit.json", "--data", "rows.csv", "--rerun"]) == 0
