"""The example of recommenders: it is run where its data are, and says what is left out where they are not."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import evenhand as eh

SCRIPT = Path(__file__).parents[2] / "examples" / "recommenders.py"


def test_without_its_data_it_says_what_it_wants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("recommenders_example", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "recommenders_example", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    module.main(tmp_path / "out")
    assert capsys.readouterr().out.startswith("Left out: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_recommenders_of_films(tmp_path: Path) -> None:
    if importlib.util.find_spec("recbole") is None:
        pytest.skip("recbole holds the data")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ndcg = {name: float(value) for name, value in re.findall(r"^([a-z_, ]+\d?) +(0\.\d+) ", done.stdout, re.M)}
    popular = next(value for name, value in ndcg.items() if name.startswith("most popular"))
    assert next(value for name, value in ndcg.items() if name.startswith("factorisation")) > 1.2 * popular
    record = eh.read_record(tmp_path / "audit.json")
    assert record["ndcg[gender=F;at=10]"].estimate < record["ndcg[gender=M;at=10]"].estimate
    assert (
        record["ndcg[history=under 30;at=10]"].interval.high < record["ndcg[history=100 and more;at=10]"].interval.low
    )
    assert record["ndcg_change[;at=10;of=original]"].interval.low > -0.02
    assert record["popularity_lift[gender=F;at=10]"].interval.low > 0
    assert record["miscalibration[gender=F;at=10]"].support == 273
    stars = eh.read_record(tmp_path / "explicit" / "audit.json")
    assert 0.88 < stars["root_mean_squared_error"].estimate < 0.95, "the published range"
    for part in (tmp_path, tmp_path / "explicit"):
        assert {"audit.json", "policy.toml", "report.html"} <= {file.name for file in part.iterdir()}
