"""Malicious model files: none runs code, hangs, or takes a gigabyte, and each is refused in a sentence."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import evenhand as eh
from evenhand.errors import InputError

for package in ("torch", "onnx", "onnxruntime", "resource"):
    pytest.importorskip(package)

CASES = importlib.import_module("open_bad_files").names()
CANARY = importlib.import_module("bad_files").CANARY
HERE = Path(__file__).parent
MOST = 1 << 30
"""Bytes that no file may take, in the process that opens it or in the one that runs it."""


@pytest.fixture(scope="module")
def happened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What happened to each file: all are opened in one process, whose peak of memory is known at its end."""
    folder, current = tmp_path_factory.mktemp("bad"), tmp_path_factory.mktemp("current")
    done = subprocess.run(
        [sys.executable, str(HERE / "open_bad_files.py"), str(folder)],
        cwd=current, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (done.stderr[-2_000:], lines[-1:])
    assert not [*folder.rglob(CANARY), *current.rglob(CANARY)], "code of a file was run"
    assert not list(folder.glob("audit.json*")), "a record was written"
    return {line["name"]: line for line in lines}


def test_there_are_as_many_as_promised(happened: dict[str, dict[str, Any]]) -> None:
    assert set(happened) == {*CASES, "peak"}
    assert len([name for name in CASES if not name.startswith("inputs")]) >= 250


def test_none_takes_a_gigabyte(happened: dict[str, dict[str, Any]]) -> None:
    assert happened["peak"]["bytes"] < MOST


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_in_a_sentence(name: str, happened: dict[str, dict[str, Any]]) -> None:
    outcomes = [happened[name][by] for by in ("python", "verb") if by in happened[name]]
    assert outcomes
    for outcome in outcomes:
        assert outcome["kind"] == "refused", outcome
        assert 20 < len(outcome["said"]) < 1_000
        assert "Traceback" not in outcome["said"]
        assert "a bug in evenhand" not in outcome["said"]


def test_an_image_of_more_pixels_than_are_decoded_is_refused(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    image.new("1", (9_000, 9_000)).save(tmp_path / "face.png")
    assert (tmp_path / "face.png").stat().st_size < 100_000
    rows = {"y": [1, 0], "g": ["f", "m"], "file": [str(tmp_path / "face.png")] * 2}
    with pytest.raises(InputError, match="9,000 x 9,000 pixels; 67,108,864 at most are decoded"):
        eh.read_evaluation_set(rows, label="y", sensitive_features="g", images="file")
