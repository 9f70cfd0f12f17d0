"""``evenhand init`` with a table: what is written, said, asked; and its three files are what other verbs read."""

from __future__ import annotations

import os
import pty
import sys
import tomllib
from subprocess import Popen
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from evenhand.cli.main import exit_code
from evenhand.cli.settings import read_settings
from evenhand.cli.settings_text import toml
from evenhand.policy import load_policy

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 400


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(5)
    debt = rng.normal(size=ROWS)
    frame = pd.DataFrame({
        "customer_id": [f"C{at}" for at in range(ROWS)], "debt": debt.round(3),
        "ethnicity": rng.choice([f"group {at}" for at in range(9)], ROWS), "age": rng.integers(18, 80, ROWS),
        "RAC1P": rng.choice([1, 2, 3], ROWS), "opened": "2024-01-05",
    })  # fmt: skip
    frame["opened"] = [f"2024-01-{1 + at % 28:02}" for at in range(ROWS)]
    frame["granted"] = np.where(debt + rng.normal(size=ROWS) > 0, "yes", "no")
    frame.to_csv(tmp_path / "loans.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_table_becomes_settings_and_a_policy_with_its_own_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["init", "loans.csv"]) == 0
    said = capsys.readouterr()
    data = read_settings(None).data
    assert (data["label"], data["positive"], data["favourable"]) == ("granted", "yes", "yes")
    assert data["sensitive_features"] == ["ethnicity", "age", "RAC1P"]
    assert data["bins"] == {"age": [25, 45, 65]}
    assert (data["id"], data["exclude"]) == ("customer_id", ["opened"])
    keys = {str(limit.key) for limit in load_policy("policy.toml").limits}
    assert {"selection_rate_ratio[ethnicity]", "recall[age=*]", "equalized_odds_difference[RAC1P]"} <= keys
    text = (folder / "evenhand.toml").read_text()
    assert "# holds dates" in text
    assert "# [data.value_labels.RAC1P]\n# 1 = " in text
    assert said.out == ""
    assert "for you to check" in said.err
    assert said.err.splitlines()[-1] == "Next: evenhand audit loans.csv --model MODEL"
    assert len(said.err.splitlines()) <= 10


def test_names_of_codes_are_filled_in_where_they_are_proposed(folder: Path) -> None:
    assert exit_code(["init", "loans.csv", "-q"]) == 0
    place = folder / "evenhand.toml"
    lines = place.read_text().splitlines()
    at = lines.index("# [data.value_labels.RAC1P]")
    lines[at : at + 4] = [line.removeprefix("# ") for line in lines[at : at + 4]]
    lines[at + 1] = lines[at + 1].replace("...", "White alone")
    place.write_text("\n".join(lines))
    assert read_settings(None).data["value_labels"] == {"RAC1P": {"1": "White alone", "2": "...", "3": "..."}}


def test_a_parquet_file_is_proposed_the_same(folder: Path) -> None:
    pd.read_csv("loans.csv").to_parquet("loans.parquet")
    assert exit_code(["init", "loans.csv", "--folder", ".", "-q"]) == 0
    first = (folder / "evenhand.toml").read_text()
    assert exit_code(["init", "loans.parquet", "--force", "-q"]) == 0
    assert (folder / "evenhand.toml").read_text() == first.replace("loans.csv", "loans.parquet")


def test_flags_win_over_what_is_proposed(folder: Path) -> None:
    asked = ["--label", "granted", "--pos-label", "no", "--favourable", "no", "--sensitive", "age", "--exclude", "debt"]
    assert exit_code(["init", "loans.csv", *asked]) == 0
    data = read_settings(None).data
    assert (data["positive"], data["favourable"], data["sensitive_features"]) == ("no", "no", ["age"])
    assert "debt" in data["exclude"]  # type: ignore[operator]
    assert exit_code(["init", "loans.csv", "--force", "--label", "grantd"]) == 2


@pytest.mark.parametrize(
    ("column", "values", "task", "limit"),
    [
        ("gpa", np.linspace(0, 4, ROWS).round(2), "regression", "mean_absolute_error_ratio[ethnicity]"),
        ("outcome", ["a", "b", "c", "d"] * (ROWS // 4), "multiclass", "selection_distance[ethnicity]"),
    ],
)
def test_the_policy_fits_the_label(folder: Path, column: str, values: object, task: str, limit: str) -> None:
    frame = pd.read_csv("loans.csv").drop(columns="granted").assign(**{column: values})
    frame.assign(prediction=frame[column]).to_csv("other.csv", index=False)
    assert exit_code(["init", "other.csv", "--sensitive", "ethnicity"]) == 0
    assert read_settings(None).data["task"] == task
    assert limit in {str(each.key) for each in load_policy("policy.toml").limits}
    role = "--prediction" if task == "multiclass" else "--score"
    assert exit_code(["audit", "other.csv", role, "prediction", "--gate"]) in (0, 3)
    assert exit_code(["init", "other.csv", "--force", "--template", "credit"]) == 2


def test_names_in_a_table_stay_names(folder: Path) -> None:
    strange = 'sex"\n[audit]\nlevel = 0.5 #'
    frame = pd.read_csv("loans.csv").rename(columns={"ethnicity": strange, "opened": "d\x7f\u202ee"})
    frame.to_csv("odd.csv", index=False)
    assert exit_code(["init", "odd.csv"]) == 0
    content = tomllib.loads((folder / "evenhand.toml").read_text())
    assert content["audit"]["level"] == 0.95
    assert strange in content["data"]["sensitive_features"]
    assert "d\x7f\u202ee" in content["data"]["exclude"]


@pytest.mark.parametrize("value", ["a", 'q"\\\n\t\x7f', "中", True, 3, -0.5, [25, "b"]])
def test_values_are_written_as_toml_reads_them(value: object) -> None:
    assert tomllib.loads(f"value = {toml(value)}")["value"] == value


def answered(arguments: list[str], answers: str) -> tuple[str, int]:
    """Run evenhand on a terminal, type the answers, and return what was shown and the exit code."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "evenhand", *arguments]
    with Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True, env={**os.environ, "TERM": "dumb"}
    ) as run:
        os.close(theirs)
        os.write(ours, answers.encode())
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return shown.decode(), run.returncode


def test_a_person_is_asked_and_enter_takes_the_proposal(folder: Path) -> None:
    shown, code = answered(["init", "loans.csv"], "\n" * 5)
    assert code == 0, shown
    assert "Column with the truth [granted]" in shown
    assert "Value of 'granted' that is good for a person ('no', 'yes') [yes]" in shown
    assert "Edges that make groups of age [25,45,65]" in shown
    taken = (folder / "evenhand.toml").read_text()
    assert exit_code(["init", "loans.csv", "--force", "--yes"]) == 0
    assert (folder / "evenhand.toml").read_text() == taken


def test_answers_are_checked_and_win(folder: Path) -> None:
    answers = ["grantd", "granted", "no", "none", "age,RAC1P", "60,30", "30,60"]
    shown, code = answered(["init", "loans.csv"], "\n".join(answers) + "\n")
    assert code == 0, shown
    assert "Did you mean 'granted'" in shown
    assert "are no edges" in shown
    data = read_settings(None).data
    assert (data["positive"], data["bins"]) == ("no", {"age": [30, 60]})
    assert "favourable" not in data
    assert data["sensitive_features"] == ["age", "RAC1P"]


def test_without_a_table_it_writes_what_the_flags_say(folder: Path) -> None:
    asked = ["--label", "approve", "--pos-label", "1", "--favourable", "yes", "--sensitive", "race", "--exclude", "x"]
    assert exit_code(["init", *asked]) == 0
    data = read_settings(None).data
    assert (data["label"], data["positive"], data["favourable"]) == ("approve", 1, "yes")
    assert (data["sensitive_features"], data["exclude"]) == (["race"], ["x"])


def test_files_that_are_there_are_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "policy.toml").write_text("mine")
    assert exit_code(["init", "loans.csv"]) == 2
    assert "--force" in capsys.readouterr().err
    assert (folder / "policy.toml").read_text() == "mine"
    assert not (folder / "evenhand.toml").exists()


def test_a_column_of_written_texts_may_be_what_the_model_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"Applicant number {at} says that she wants to move house soon." for at in range(ROWS)]
    pd.DataFrame({"letter": texts, "granted": ["yes", "no"] * (ROWS // 2)}).to_csv(
        tmp_path / "letters.csv", index=False
    )
    monkeypatch.chdir(tmp_path)
    assert exit_code(["init", "letters.csv", "-q"]) == 0
    written = (tmp_path / "evenhand.toml").read_text()
    assert '# texts = "letter"   # decide' in written
    (tmp_path / "evenhand.toml").write_text(written.replace("# texts", "texts"))
    from evenhand.cli.roles import read_table

    assert read_table(tmp_path / "letters.csv", read_settings(None), {}).inputs.kind == "texts"
