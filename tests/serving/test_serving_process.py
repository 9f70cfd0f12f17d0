"""The command in a process of its own: it answers, logs, and ends by SIGTERM once what it accepted is answered."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.serving.served import model, row

from evenhand.cli.main import exit_code
from evenhand.monitoring.log.tables import PREDICTIONS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("served") / "credit.safetensors"
    model().save(place)
    return place


def begun(*arguments: object) -> subprocess.Popen[str]:
    """Run the command in a process, as a shell does."""
    code = "from evenhand.cli.main import run; run()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "serve", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_what_was_accepted_before_sigterm_is_answered_and_in_the_log(saved: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.db"
    with begun(saved, "--log", log, "--port", 0, "--rate", "off", "--batch-wait-ms", 5000) as process:
        assert process.stdout is not None and process.stderr is not None
        address = process.stdout.readline().strip()
        token = process.stderr.readline().split()[-1]
        headers = {"authorization": f"Bearer {token}"}
        with httpx.Client(base_url=address, headers=headers, timeout=60) as client, ThreadPoolExecutor(6) as pool:
            assert client.get("/health").json()["ready"]
            first = client.post("/predict", json={"inputs": row(), "id": "first"})
            kept = client.post("/feedback", json={"prediction": "first", "kind": "label", "value": "1"})
            assert (first.status_code, kept.json()["stored"]) == (200, "stored")
            late = [{"inputs": row(), "id": f"late {at}"} for at in range(5)]
            asked = [pool.submit(client.post, "/predict", json=each) for each in late]
            while not client.get("/metrics").text.count("evenhand_waiting_rows 5.0"):
                assert not all(each.done() for each in asked)
            process.send_signal(signal.SIGTERM)  # five wait for their batch
            answers = [each.result() for each in asked]
        out, err = process.communicate(timeout=60)
    assert [each.status_code for each in answers] == [200] * 5
    assert (process.returncode, out, err) == (0, "", "Ended.\n")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
    with closing(sqlite3.connect(log)) as held:
        ids = {name for (name,) in held.execute(f"select id from {PREDICTIONS.name}")}
    assert ids == {"first", *(f"late {at}" for at in range(5))}


def test_a_token_is_made_and_printed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "tokens"
    assert exit_code(["serve", "--token-file", str(place), "--new-token", "shop=predict,feedback"]) == 0
    token = capsys.readouterr().out.strip()
    assert len(token) > 30 and token not in place.read_text()
    assert exit_code(["serve", "--token-file", str(place), "--new-token", "shop=predict"]) == 2
    assert "'shop' has a token already" in capsys.readouterr().err
    assert exit_code(["serve", "--token-file", str(place), "--new-token", "desk=predct"]) == 2
    assert "there is no scope 'predct'" in capsys.readouterr().err


WRONG = {
    "no log": (["{model}"], "--log PLACE are needed"),
    "no model": (["{folder}/none.onnx", "--log", "none"], "none.onnx"),
    "no key of the certificate": (["{model}", "--log", "none", "--tls-key", "x"], "go together"),
    "no such decision": (
        ["{model}", "--log", "none", "--adverse", "2", "--reasons-background", "{table}"],
        "--adverse: '2' is no decision of this model; it decides 0, 1.\n",
    ),
    "no background": (["{model}", "--log", "none", "--adverse", "0"], "--adverse and --reasons-background go together"),
    "a threshold of no score": (
        ["{model}", "--log", "none", "--threshold", "1.5"],
        "--threshold: the threshold is 1.5, and all scores in [0, 1] are on one side of it.",
    ),
    "no such column": (
        ["{model}", "--log", "{folder}/log.db", "--keep", "incom", "--keep", "job"],
        "--keep: the model reads no column 'incom'. Did you mean 'income'?",
    ),
    "no rate": (["{model}", "--log", "none", "--rate", "fast"], "--rate: 'fast' is no rate"),
    "keys without a log": (["{model}", "--log", "none", "--keep", "income"], "no effect without --log"),
    "a log that is none": (["{model}", "--log", "{table}"], "rows.csv"),
    "an address of others": (["{model}", "--log", "none", "--host", "203.0.113.7"], "--port 0 takes a free one."),
    "no schema": (["{model}", "--log", "none", "--schema", "{table}"], "rows.csv"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_begin_is_told_and_exits_2(
    case: str, saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, words = WRONG[case]
    rows = tmp_path / "rows.csv"
    rows.write_text("income,job,region,paid\n41,clerk,10,1\n60,smith,20,0\n")
    named = [each.format(model=saved, folder=tmp_path, table=rows) for each in arguments]
    assert exit_code(["serve", *named]) == 2
    said = capsys.readouterr()
    assert words in said.err and "Traceback" not in said.err and not said.out
    assert "Bearer" not in said.err  # no token is made for what does not begin


def test_the_model_in_a_release_is_found_and_two_are_told(saved: Path, tmp_path: Path) -> None:
    from evenhand.errors import ModelError
    from evenhand.serving.predicting.opening import model_in

    release = tmp_path / str(model().facts["sha256"])[:12]
    release.mkdir()
    (release / "credit.safetensors").write_bytes(saved.read_bytes())
    for other in ("audit.json", "policy.toml", "credit.safetensors.rows.npy", "credit.safetensors.stage1.safetensors"):
        (release / other).write_bytes(b"{}")
    (tmp_path / "current").symlink_to(release)
    assert model_in(tmp_path / "current") == release / "credit.safetensors"
    (release / "another.onnx").write_bytes(b"other")
    assert model_in(tmp_path / "current").name == "credit.safetensors"  # by the name of the folder
    release.rename(tmp_path / "export")
    with pytest.raises(ModelError, match=r"another\.onnx, credit\.safetensors"):
        model_in(tmp_path / "export")
