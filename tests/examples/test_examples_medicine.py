"""The medical examples: what they print, what they write, and what they say where their data are missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import evenhand as eh
from evenhand.policy.deriving import derive

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("EVENHAND_DATA") or ROOT.parent / "shared" / "data")
WRITTEN = {"audit.json", "policy.toml", "report.html"}


def run(script: str, folder: Path, data: Path | None = None) -> str:
    more = {} if data is None else {"EVENHAND_DATA": str(data)}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / script), str(folder)],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1", **more},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def needed(place: str) -> None:
    if not (DATA / place).exists():
        pytest.skip(f"{place} is not at hand")


def test_without_data_readmission_says_so_and_writes_nothing(tmp_path: Path) -> None:
    said = run("readmission.py", tmp_path / "out", tmp_path)
    assert said.startswith("Left out: readmission")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_without_data_heart_goes_on_with_the_packaged_part(tmp_path: Path) -> None:
    said = run("heart.py", tmp_path / "out", tmp_path)
    assert said.startswith("Left out: heart disease")
    assert {file.name for file in (tmp_path / "out" / "progress").iterdir()} == WRITTEN
    record = eh.read_record(tmp_path / "out" / "progress" / "audit.json")
    gain = record["net_benefit_gain"].interval
    assert gain is not None
    assert gain.low is not None
    assert gain.low > 0


@pytest.mark.slow
def test_heart_disease_gains_for_women_and_is_not_shown_to_for_men(tmp_path: Path) -> None:
    needed("heart_nhanes/heart_disease.csv.gz")
    said = run("heart.py", tmp_path)
    assert {file.name for file in tmp_path.iterdir()} >= WRITTEN
    record = eh.read_record(tmp_path / "audit.json")
    assert record["roc_auc"].estimate == pytest.approx(0.873, abs=0.01)
    (women, men) = (record[f"net_benefit_gain[Sex={sex}]"] for sex in "FM")
    assert women.interval is not None
    assert women.interval.low is not None
    assert women.interval.low > 0
    assert abs(men.estimate or 0) < 0.01
    assert re.search(r"of 172: 88% of them are ill, 48% of the others", said)


@pytest.mark.slow
def test_readmission_meets_the_published_area_and_counts_patients(tmp_path: Path) -> None:
    needed("diabetes_130us/diabetic_data.parquet")
    said = run("readmission.py", tmp_path)
    assert {file.name for file in tmp_path.iterdir()} >= WRITTEN
    record = eh.read_record(tmp_path / "audit.json")
    assert 0.64 < (record["roc_auc"].estimate or 0) < 0.69
    for at in (0.1, 0.15):
        gain = record[f"net_benefit_gain[;threshold={at:g}]"].interval
        assert gain is not None
        assert gain.low is not None
        assert gain.low > 0.01
    claims = {str(key) for key in derive(record).claims}
    assert "net_benefit_gain" not in claims  # decided at 0.1, which counts over clusters are of
    wider = re.search(r"clusters are (\d\.\d+) times as wide", said)
    assert wider is not None
    assert 1.05 < float(wider[1]) < 1.5
    assert re.search(r"Without them \d+ further differences", said)
