"""The example of survival models runs, and finds what its page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import evenhand as eh

SCRIPT = Path(__file__).parents[2] / "examples" / "survival.py"


def run(folder: Path, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)], capture_output=True, text=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", **env},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_example_finds_what_its_page_says(tmp_path: Path) -> None:
    pytest.importorskip("sksurv")
    said = run(tmp_path, EVENHAND_DATA=str(tmp_path / "none"))
    assert "Left out: mortality wants" in said
    record = eh.read_record(tmp_path / "audit.json")
    assert 0.78 < record["concordance"].estimate < 0.83, "published: about 0.79"
    young = record['expected_to_observed[age="<60"]']
    assert young.interval.low > 1, "risks of the young are predicted too high"
    for part in ("", "recidivism", "kidney"):
        if part and f"Left out: {part}" in said:
            continue
        for name in ("audit.json", "policy.toml", "report.html"):
            assert (tmp_path / part / name).stat().st_size > 100
    if "Left out: recidivism" not in said:
        fitted = re.search(r"fitted on (0\.\d+)", said)
        assert fitted is not None
        assert fitted[1] == "0.64", "as published"
        assert "432 people, 114 events by 52, 0 censored before" in said
    if "Left out: kidney" not in said:
        gap = eh.read_record(tmp_path / "kidney" / "audit.json")["concordance_difference[race]"]
        assert gap.interval.low == 0, "few rows decide nothing"
