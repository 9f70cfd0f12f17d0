"""How commands end: a few lines and the next command, on stderr, with or without a terminal."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from evenhand.cli.main import VERBS, cli, exit_code
from evenhand.cli.summary import MOST, summarize
from evenhand.records import read_record

if TYPE_CHECKING:
    from pathlib import Path

ENDS = ("init", "train", "compress", "audit", "report", "compare", "count")
"""Verbs that end with a summary."""
ROLES = ["--label", "y", "--score", "p", "--sensitive", "sex", "--sensitive", "race", "--favourable", "1"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(3)
    n = 900
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], n), "race": rng.choice(["a", "b", "c"], n)})
    frame["y"] = rng.integers(0, 2, n)
    frame["p"] = np.clip(0.25 + 0.5 * frame.y + 0.2 * rng.standard_normal(n) - 0.2 * (frame.sex == "f"), 0, 1)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / ".git").mkdir()  # a policy above it is no concern of this repository
    monkeypatch.chdir(tmp_path)
    return tmp_path


def next_of(said: str) -> list[str]:
    """Return the words of the next command, the last line of a summary."""
    last = said.splitlines()[-1]
    assert last.startswith("Next: evenhand ")
    return shlex.split(last.removeprefix("Next: evenhand "))


@pytest.mark.parametrize("verb", ENDS)
def test_a_summary_can_be_silenced(verb: str) -> None:
    command = cli.get_command(None, verb)  # type: ignore[arg-type]
    assert command is not None
    assert "--quiet" in {name for parameter in command.params for name in parameter.opts}
    assert verb in VERBS


def test_each_command_names_the_next_which_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["audit", "rows.csv", *ROLES]) == 0
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert said.out == ""
    assert len(lines) <= MOST
    assert lines[0] == "rows.csv: 900 rows; the predictions in it"
    record = read_record("audit.json")
    gap = record["selection_rate_ratio[sex]"]
    assert gap.interval is not None
    low, high = gap.interval.low, gap.interval.high
    assert f"selection_rate_ratio[sex] {gap.estimate:.2f} [{low:.2f}, {high:.2f}] (f and m)" in said.err
    assert said.err.index("[sex]") < said.err.index("[race]")  # the feature whose groups are further apart
    assert "not run: " in said.err
    assert "compression" in said.err
    assert exit_code(next_of(said.err)) == 0
    said = capsys.readouterr()
    assert next_of(said.err) == ["gate", "audit.json", "--policy", "policy.toml"]
    (folder / "policy.toml").write_text('schema = 1\n[limits]\n"accuracy" = { at_least = 0.5 }\n')
    assert exit_code(next_of(said.err)) == 0
    assert exit_code(["audit", "rows.csv", *ROLES]) == 0
    assert next_of(capsys.readouterr().err) == ["gate", "audit.json"]
    assert exit_code(["report", "audit.json", "--policy", "policy.toml"]) == 0
    assert "Release: no limit stops it." in capsys.readouterr().err


def test_counts_are_audited_by_the_command_that_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("duckdb")
    assert exit_code(["count", "rows.csv", "--label", "y", "--score", "p", "--sensitive", "sex"]) == 0
    said = capsys.readouterr().err
    assert "900 rows in 8 cells" in said
    assert exit_code(next_of(said)) == 0
    assert read_record("audit.json")["accuracy"].support == 900


def test_what_goes_to_stdout_stays_alone_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["audit", "rows.csv", *ROLES, "-q"]) == 0
    assert exit_code(["report", "audit.json", "-f", "json"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("{")
    assert "Next:" not in said.out
    assert exit_code(["report", "audit.json", "-f", "json", "-q"]) == 0
    quiet = capsys.readouterr()
    assert (quiet.out, quiet.err) == (said.out, "")


def test_a_summary_is_short_however_much_there_is_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    summarize([f"line {at}" for at in range(40)], ["evenhand", "gate", "a b.json"])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MOST
    assert lines[-2:] == ["and 32 lines more", "Next: evenhand gate 'a b.json'"]


def test_a_policy_with_a_problem_is_told_before_the_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "policy.toml").write_text('schema = 1\n[limits]\n"acuracy" = { at_least = 0.5 }\n')
    assert exit_code(["audit", "rows.csv", *ROLES, "--gate"]) == 2
    assert "Did you mean 'accuracy'" in capsys.readouterr().err
    assert not (folder / "audit.json").exists()
    assert exit_code(["audit", "rows.csv", *ROLES, "--gate", "--policy", "absent.toml"]) == 2


def test_names_in_a_summary_are_shown_and_not_obeyed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.read_csv("rows.csv")
    frame["sex"] = frame["sex"].replace({"f": "::error::\x1b[2J"})
    frame.to_csv("odd.csv", index=False)
    assert exit_code(["audit", "odd.csv", *ROLES]) == 0
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert all(not line.lstrip().startswith("::") for line in said.splitlines())


def test_one_more_feature_is_told_in_the_singular(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evenhand.cli.audit_summary.MOST_FEATURES", 1)
    assert exit_code(["audit", "rows.csv", *ROLES]) == 0
    assert "\n1 more sensitive feature is less far apart\n" in capsys.readouterr().err
