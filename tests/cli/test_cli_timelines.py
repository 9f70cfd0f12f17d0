"""`evenhand report` of the monitor.json of `evenhand monitor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.report.timeline_cases import alarmed

from evenhand.cli.main import exit_code
from evenhand.report import render_timeline
from evenhand.timelines import write_timeline

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that monitoring writes, where the command runs."""
    monkeypatch.chdir(tmp_path)
    write_timeline(tmp_path / "monitor.json", alarmed())
    return tmp_path


def test_a_timeline_is_known_by_its_schema(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["report", "monitor.json"]) == 0
    assert (place / "report.html").read_text(encoding="utf-8") == render_timeline(alarmed())
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "Alarm on 2026-03-26: Drift of income, and 1 more.", "Wrote report.html", "Next: evenhand view monitor.json",
    ]  # fmt: skip


def test_formats_go_where_they_are_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["report", "monitor.json", "-f", "html=a.html", "-f", "markdown=a.md", "-f", "text"]) == 0
    assert capsys.readouterr().out == render_timeline(alarmed(), "text")
    assert (place / "a.md").read_text(encoding="utf-8") == render_timeline(alarmed(), "markdown")
    assert exit_code(["report", "monitor.json", "-o", "page.md", "--lang", "zh-CN"]) == 0
    assert (place / "page.md").read_text(encoding="utf-8") == render_timeline(alarmed(), "markdown", lang="zh-CN")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--policy", "policy.toml"], "--policy: this file is a timeline"),
        (["--profile", "public", "--omit-empty"], "--omit-empty, --profile: this file is a timeline"),
        (["-f", "junit"], "not drawn as junit"),
        (["-f", "html=monitor.json"], "this file is read, and would be lost"),
    ],
)
def test_what_means_nothing_here_is_refused(
    flags: list[str], told: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    assert exit_code(["report", "monitor.json", *flags]) == 2
    assert told in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before


def test_a_changed_timeline_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = place / "monitor.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"verdict": "failed"', '"verdict": "passed"'))
    assert exit_code(["report", "monitor.json"]) == 2
    assert "changed since evenhand wrote it" in capsys.readouterr().err
    assert not (place / "report.html").exists()
