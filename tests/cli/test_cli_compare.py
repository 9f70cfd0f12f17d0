"""``evenhand compare``: what changed the verdict first, then what is beyond noise; the rest is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.policy.changes import by_chance, changes, strongest
from evenhand.records import write_record

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord

ROWS = 3000
POLICY = 'schema = 1\n[limits]\n"recall[g=*]" = { at_least = 0.6 }\n"accuracy" = { at_least = 0.5 }\n'


def audited(seed: int, harmed: str = "") -> AuditRecord:
    """Return an audit of independent rows of one population; the positives of a group that is `harmed` are missed."""
    rng = np.random.default_rng(seed)
    group, truth = rng.choice(list("abcde"), ROWS), rng.integers(0, 2, ROWS)
    decided = np.where(rng.random(ROWS) < 0.2, 1 - truth, truth)
    decided[(group == harmed) & (rng.random(ROWS) < 0.5)] = 0
    features = pd.DataFrame({"g": group, "h": rng.choice(["x", "y"], ROWS)})
    return eh.audit_predictions(truth, decided, sensitive_features=features)


@pytest.fixture(scope="module")
def records() -> dict[str, AuditRecord]:
    return {"old": audited(1), "again": audited(2), "worse": audited(3, harmed="c")}


def test_two_samples_of_one_population_differ_by_noise_alone(records: dict[str, AuditRecord]) -> None:
    found = changes(records["old"], records["again"])
    compared = [change for change in found if change.interval is not None]
    assert len(compared) > 300
    assert by_chance(found) > 0  # which single intervals would call changes
    assert strongest(found) == []
    assert {change.kind for change in found if change.interval is not None} == {"noise"}


def test_a_group_that_became_worse_is_told_first(records: dict[str, AuditRecord]) -> None:
    told = strongest(changes(records["old"], records["worse"]))
    assert told
    assert "g=c" in str(told[0].key)
    recall = next(change for change in told if str(change.key) == "recall[g=c]")
    old, new = records["old"]["recall[g=c]"], records["worse"]["recall[g=c]"]
    assert recall.estimate == pytest.approx(new.estimate - old.estimate)  # type: ignore[operator]
    assert recall.interval is not None
    assert recall.interval.high is not None
    assert recall.interval.high < 0
    groups = {str(change.key) for change in told}
    assert not groups & {"recall[g=a]", "recall[g=b]", "recall[g=d]", "recall[g=e]"}


def test_the_same_audit_has_not_changed(records: dict[str, AuditRecord]) -> None:
    found = changes(records["old"], records["old"])
    assert {change.kind for change in found} <= {"noise", "same"}
    assert all(change.estimate == 0 for change in found if change.interval is not None)


def test_a_change_turns_with_the_order_of_the_audits(records: dict[str, AuditRecord]) -> None:
    forth = {change.key: change for change in changes(records["old"], records["worse"])}
    for change in changes(records["worse"], records["old"]):
        if change.interval is None or change.estimate is None:
            continue
        there = forth[change.key]
        assert there.interval is not None
        assert (there.kind, there.estimate) == (change.kind, -change.estimate)
        if change.interval.low is not None and there.interval.high is not None:
            assert change.interval.low == pytest.approx(-there.interval.high)


def test_what_cannot_be_compared_has_a_word(records: dict[str, AuditRecord]) -> None:
    old = records["old"]
    bare = [finding for finding in old.findings if finding.interval is None and finding.estimate is not None]
    moved = replace(old, findings=tuple(
        replace(finding, estimate=finding.estimate + 1) if finding is bare[0] else finding  # type: ignore[operator]
        for finding in old.findings
    ))  # fmt: skip
    kinds = {change.key: change.kind for change in changes(old, moved)}
    assert kinds[bare[0].key] == "bare"


def test_the_verdict_comes_first_and_noise_is_counted(
    records: dict[str, AuditRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, record in records.items():
        write_record(f"{name}.json", record)
    (tmp_path / "policy.toml").write_text(POLICY)
    assert exit_code(["compare", "old.json", "worse.json"]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == "verdict: passed -> failed"
    assert lines[1].startswith("new        recall[g=c]  passed -> failed  0.")
    assert lines[1].endswith("limit >= 0.60  stops")
    assert lines[2] == "5 of 6 limits are as before."
    assert "recall[g=a]" not in said.out
    assert "are within noise" in said.out
    assert said.err == "Next: evenhand report worse.json --policy policy.toml --baseline old.json\n"
    assert exit_code(said.err.split()[2:]) == 0
    capsys.readouterr()
    assert exit_code(["compare", "old.json", "worse.json", "--all", "-q"]) == 0
    everything = capsys.readouterr()
    assert "unchanged  recall[g=a]  passed  0." in everything.out
    assert len(everything.out.splitlines()) > 300
    assert everything.err == ""


def test_without_a_policy_no_verdict_is_told(
    records: dict[str, AuditRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()  # a policy above it is no concern of this repository
    for name in ("old", "again"):
        write_record(f"{name}.json", records[name])
    assert exit_code(["compare", "old.json", "again.json"]) == 0
    said = capsys.readouterr()
    assert "verdict" not in said.out
    assert said.out.startswith("No finding changed beyond noise; of ")
    assert "--policy policy.toml --baseline old.json" in said.err
