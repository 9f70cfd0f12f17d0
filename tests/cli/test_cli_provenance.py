"""Provenance that survives an auditor: what stood around an audit is on record, and a rerun says what differs."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import evenhand as eh
from evenhand.audits.package_warnings import noted_warnings
from evenhand.cli.main import exit_code
from evenhand.records import read_record

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = 'schema = 1\n[limits]\n"accuracy" = { at_least = 0.5 }\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder under git, with rows, a model of them, a policy, and an audit that knows the policy."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=240), "b": rng.normal(size=240), "sex": rng.choice(["f", "m"], 240)})
    table["y"] = (table["a"] + rng.normal(size=240) > 0).astype(int)
    table.to_csv("rows.csv", index=False)
    joblib.dump(LogisticRegression().fit(table[["a", "b"]], table["y"]), "model.joblib")
    (tmp_path / "policy.toml").write_text(LIMITS)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", *words], check=True, capture_output=True)
    audit = ["audit", "rows.csv", "-m", "model.joblib", "--trust-pickle", "--label", "y", "--sensitive", "sex"]
    asked = ["--policy", "policy.toml", "--explain-rows", "40", "--actionable", "a=increase", "--no-footprint"]
    assert exit_code([*audit, *asked]) == 0
    return tmp_path


RERUN = ["verify", "audit.json", "--data", "rows.csv", "-m", "model.joblib", "--trust-pickle", "--rerun"]


def test_policy_code_command_and_warnings_are_on_record(folder: Path) -> None:
    record = json.loads((folder / "audit.json").read_text())
    source, measured = record["provenance"], record["measurements"]
    assert source["policy"] == {"name": "policy.toml", "sha256": eh.load_policy(folder / "policy.toml").sha256}
    assert len(source["code"]["git_commit"]) == 40
    assert source["code"]["git_dirty"] is False
    assert measured["command"].startswith("evenhand audit ")
    assert {"started", "seconds", "warnings"} <= set(measured)
    page = eh.render(
        read_record(folder / "audit.json"),
        eh.judge(read_record(folder / "audit.json"), eh.load_policy(folder / "policy.toml")),
    )
    for shown in (source["code"]["git_commit"], source["policy"]["sha256"], "evenhand "):
        assert shown in page
    assert "The policy judged by is the one that was on record before the audit." in page


def test_a_policy_that_changed_after_the_audit_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "policy.toml").write_text(LIMITS.replace("0.5", "0.4"))
    record = read_record(folder / "audit.json")
    assert "another than the one that was on record" in eh.render(
        record, eh.judge(record, eh.load_policy("policy.toml"))
    )
    assert exit_code(["verify", "audit.json", "--policy", "policy.toml"]) == 1
    assert "differs    policy: " in capsys.readouterr().out


def test_a_rerun_is_the_same_to_the_byte(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(RERUN) == 0
    assert "same       record: the same to the byte outside its measurements" in capsys.readouterr().out


def test_times_in_a_note_may_differ_in_a_rerun(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("model.joblib", "old.joblib")
    both = ["-m", "model.joblib", "--original", "old.joblib", "--trust-pickle"]
    audit = ["audit", "rows.csv", *both, "--label", "y", "--sensitive", "sex", "--no-explain"]
    assert exit_code(audit) == 0
    assert "on 1 thread" in read_record(folder / "audit.json")["size_ratio[;of=original]"].note
    assert exit_code([*RERUN, "--original", "old.joblib", "--tolerance", "1000"]) == 0
    assert "same       record: the same to the byte outside its measurements" in capsys.readouterr().out


def test_rows_are_read_again_as_the_task_that_was_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = pd.read_csv("rows.csv").assign(list=np.arange(240) // 12, worth=np.arange(240) % 3, heard="a b")
    rows.assign(said=np.where(rows["y"] == 1, "A b", "a c")).to_csv("rows.csv", index=False)
    for task in (
        ["ranking", "--query", "list", "--label", "worth", "--score", "a"],
        ["regression", "--label", "worth", "--prediction", "a"],
        ["multiclass", "--label", "worth", "--prediction", "y"],
        ["transcription", "--label", "said", "--prediction", "heard", "--spelling", "given"],
    ):
        assert exit_code(["audit", "rows.csv", "--task", *task, "--sensitive", "sex", "-q"]) == 0
        assert exit_code(["verify", "audit.json", "--data", "rows.csv", "--rerun"]) == 0, task
        assert "same       record: the same to the byte" in capsys.readouterr().out


def test_a_rerun_attacks_the_members_again_and_needs_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200), "sex": rng.choice(["f", "m"], 200)})
    table.assign(y=(table["a"] > 0).astype(int)).to_csv("members.csv", index=False)
    audit = ["audit", "rows.csv", "-m", "model.joblib", "--trust-pickle", "--label", "y", "--sensitive", "sex"]
    assert exit_code([*audit, "--privacy", "members.csv", "--no-explain", "--no-footprint"]) == 0
    record = read_record(folder / "audit.json")
    assert record.provenance["members"]["rows"] == 200 and record["membership_auc"].interval is not None
    assert exit_code([*RERUN, "--privacy", "members.csv"]) == 0
    assert "same       record: the same to the byte outside its measurements" in capsys.readouterr().out
    assert exit_code(RERUN) == 2
    assert "add --privacy" in capsys.readouterr().err
    table.assign(y=(table["b"] > 0).astype(int)).to_csv("members.csv", index=False)
    assert exit_code([*RERUN, "--privacy", "members.csv"]) == 1
    assert "membership_auc" in capsys.readouterr().out


def test_a_rerun_names_the_part_that_differs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads((folder / "audit.json").read_text())
    document["provenance"]["versions"]["numpy"] = "0.0.1"
    from evenhand.records import _digest

    steady = {name: document[name] for name in ("findings", "sections", "tallies", "provenance")}
    document["digest"] = _digest(steady)
    (folder / "audit.json").write_text(json.dumps(document))
    assert exit_code(RERUN) == 1
    assert "differs    record: not the same to the byte; it differs in versions" in capsys.readouterr().out


def test_volatile_measurements_are_compared_within_a_factor() -> None:
    from evenhand.cli.rerunning import _within

    assert _within(1.0, 4.9, 5.0) and _within(4.9, 1.0, 5.0) and _within(None, None, 5.0) and _within(0.0, 0.0, 5.0)
    assert not _within(1.0, 5.1, 5.0)
    assert not _within(None, 1.0, 5.0)
    assert not _within(0.0, 1.0, 5.0)


def test_a_record_that_somebody_changed_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "audit.json").read_text()
    commit = json.loads(text)["provenance"]["code"]["git_commit"]
    (folder / "audit.json").write_text(text.replace(commit, "0" * 40))
    assert exit_code(["verify", "audit.json"]) == 2
    assert "changed" in capsys.readouterr().err


def test_warnings_are_noted_once_and_shown_as_ever() -> None:
    with pytest.warns(UserWarning, match="a thing") as shown, noted_warnings() as noted:
        warnings.warn("a thing\nto know", stacklevel=1)
        warnings.warn("a thing\nto know", stacklevel=1)
    assert noted == ["UserWarning: a thing to know"]
    assert shown


def test_a_page_says_what_became_of_each_limit(folder: Path) -> None:
    asked = ["report", "audit.json", "--baseline", "audit.json", "-o", "page.html"]
    assert exit_code(asked) == 2
    assert exit_code([*asked, "--policy", "policy.toml"]) == 0
    assert "Of 1 limits: 0 new, 0 worse, 0 better, 0 fixed, 1 unchanged." in (folder / "page.html").read_text("utf-8")


def test_flags_that_were_not_given_switch_nothing_off(folder: Path) -> None:
    record = read_record(folder / "audit.json")
    (slices,) = [section for section in record.sections if section.audit == "slices"]
    assert "were searched in all rows" in slices.reason
    assert record.provenance["options"]["actionable"] == {"a": "increase"}  # type: ignore[call-overload,index]


@pytest.mark.parametrize("task", ["regression", "transcription", "clustering", "binary"])
def test_a_record_of_any_task_is_verified_with_the_rows_alone(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the label is was said when the rows were audited; nobody is to say it again."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"sex": rng.choice(["f", "m"], 200), "amount": rng.normal(size=200), "found": 1})
    rows["near"] = (rows["amount"] + rng.normal(size=200)).abs()
    rows["said"], rows["heard"] = rng.choice(["Oh, no.", ""], 200), rng.choice(["oh no", "None", ""], 200)
    rows["segment"] = rng.choice(["a", "b"], 200)
    rows["right"] = rng.integers(0, 2, 200)
    rows.to_csv("rows.csv", index=False)
    roles = {
        "regression": ["--label", "amount", "--prediction", "near"],
        "transcription": ["--label", "said", "--prediction", "heard", "--spelling", "given"],
        "clustering": ["--prediction", "segment", "--score", "near"],
        "binary": ["--label", "found", "--prediction", "right"],
    }
    assert exit_code(["audit", "rows.csv", "--task", task, *roles[task], "--sensitive", "sex"]) == 0
    capsys.readouterr()
    assert exit_code(["verify", "audit.json", "--data", "rows.csv", "--rerun"]) == 0
    assert "record: the same to the byte" in capsys.readouterr().out
