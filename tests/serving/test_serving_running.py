"""The command: what it prints, where it listens, how it ends, and what it says where it cannot begin."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tests.serving.cases import POLICY

import evenhand as eh
from evenhand.cli.main import exit_code

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord

ENDING = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def audit(tmp_path: Path, later: AuditRecord) -> Path:
    eh.write_record(tmp_path / "audit.json", later)
    return tmp_path / "audit.json"


def begun(*arguments: object) -> subprocess.Popen[str]:
    """Run the command in a process, as a shell does."""
    code = "from evenhand.cli.main import run; run()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "view", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "BROWSER": "false"},
    )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", ENDING, ids=["Ctrl-C", "SIGTERM"])
def test_it_prints_one_address_answers_and_ends_cleanly(number: signal.Signals, audit: Path) -> None:
    with begun(audit, "--port", 0) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        place, _, token = address.partition("/?token=")
        assert place.startswith("http://127.0.0.1:") and len(token) > 30
        with pytest.raises(HTTPError) as refused:
            urlopen(place)
        assert refused.value.code == 403
        cookie = {"Cookie": f"evenhand-view-{place.rpartition(':')[2]}={token}"}
        page = urlopen(Request(f"{place}/?by=race&metric=recall", headers=cookie))
        assert b"Recall, by race" in page.read()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert err.splitlines() == ["The page is for this machine only; Ctrl-C ends it.", "Ended."]


def test_no_other_machine_reaches_it() -> None:
    from evenhand.serving.listening import listening as listens

    with closing(listens([0])) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_told(audit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert exit_code(["view", str(audit), "--port", str(port)]) == 2
    said = capsys.readouterr()
    assert f"--port {port}: it cannot be used" in said.err and "--port 0 takes a free one." in said.err
    assert "Traceback" not in said.err and not said.out


def test_a_policy_with_problems_a_missing_record_and_a_third_one_are_told(
    audit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy.toml").write_text(POLICY.replace('"accuracy"', '"acuracy"'))
    assert exit_code(["view", str(audit), "--policy", str(tmp_path / "policy.toml")]) == 2
    assert "policy.toml:3" in capsys.readouterr().err
    assert exit_code(["view", str(tmp_path / "none.json")]) == 2
    assert "none.json: there is no such file" in capsys.readouterr().err
    assert exit_code(["view", *[str(audit)] * 3]) == 2
    assert "Two records are compared at most" in capsys.readouterr().err
    (tmp_path / "pyproject.toml").write_text("[tool.evenhand]\n")
    assert exit_code(["view", str(audit), "--policy", str(tmp_path / "pyproject.toml")]) == 2
    assert "is a file of its own" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_the_extra_it_is_named(
    package: str, audit: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from evenhand.cli import main
    from evenhand.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, package, None)
    try:
        assert exit_code(["view", str(audit)]) == 2
        said = capsys.readouterr().err
    except MissingExtraError as wrong:  # let through where an extra is absent, so that its tests are skipped
        assert main._exit_code.__name__ == "through"
        said = str(wrong)
    assert f"This needs the package '{package}', which is not installed: pip install \"evenhand[view]\"" in said
