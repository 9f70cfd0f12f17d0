"""Counts made where the rows lie say what the rows would have said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.audits import audit_given
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.evidence.counting import count_files
from evenhand.metrics import Tally

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Three Parquet files and the same rows in one CSV file."""
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    n = 3000
    table = pd.DataFrame(
        {
            "race": rng.choice(["a", "b, c", "=d"], n, p=[0.7, 0.2, 0.1]),
            "sex": rng.choice(["f", "m"], n),
            "y": rng.integers(0, 2, n),
            "rows": rng.random(n),
        }
    )
    table["p"] = np.clip(0.4 * table["y"] + 0.6 * rng.random(n), 0, 1)
    (tmp_path / "shards").mkdir()
    for at in range(3):
        table.iloc[at::3].to_parquet(tmp_path / "shards" / f"{at}.parquet", index=False)
    table.to_csv(tmp_path / "whole.csv", index=False)
    return tmp_path


@pytest.fixture(params=["duckdb", "polars"])
def engine(request: pytest.FixtureRequest) -> str:
    pytest.importorskip(request.param)
    name: str = request.param
    return name


def test_an_audit_of_counts_says_what_an_audit_of_the_rows_says(shards: Path, engine: str) -> None:
    counts = count_files(
        str(shards / "shards" / "*.parquet"), label="y", groups=["race", "sex"], score="p", threshold=0.5, engine=engine
    )
    assert len(counts) <= 3 * 2 * 2 * 2
    assert counts["rows"].sum() == 3000
    roles = {"label": "y", "positive": 1, "favourable": 1, "sensitive_features": ["race", "sex"]}
    counted = audit_given(
        eh.read_evaluation_set(counts, **roles, prediction="decision", frequency="rows")  # type: ignore[arg-type]
    )
    whole = audit_given(eh.read_evaluation_set(shards / "whole.csv", **roles, score="p"))  # type: ignore[arg-type]
    compared = 0
    for finding in counted.findings:
        other = whole.get(finding.key)
        assert other is not None
        assert (finding.estimate, finding.interval, finding.support) == (other.estimate, other.interval, other.support)
        compared += 1
    assert compared > 100
    assert counted.tallies[0].counts == whole.tallies[0].counts
    assert counted.provenance["data"]["rows"] == 3000  # type: ignore[index,call-overload]


def test_both_engines_and_both_kinds_of_file_agree(shards: Path) -> None:
    for name in ("duckdb", "polars"):
        pytest.importorskip(name)
    made = [
        count_files(str(place), label="y", groups=["race"], score="p", engine=name)
        for name in ("duckdb", "polars")
        for place in (shards / "shards" / "*.parquet", shards / "whole.csv")
    ]
    for other in made[1:]:
        pd.testing.assert_frame_equal(made[0], other, check_dtype=False)


def test_shards_counted_alone_and_put_together_are_the_whole(shards: Path, engine: str) -> None:
    def count(pattern: str) -> pd.DataFrame:
        return count_files(str(shards / "shards" / pattern), label="y", groups=["race"], score="p", engine=engine)

    roles = {"label": "y", "positive": 1, "sensitive_features": "race", "prediction": "decision", "frequency": "rows"}
    together = pd.concat([count(f"{at}.parquet") for at in range(3)])
    one, other = (audit_given(eh.read_evaluation_set(part, **roles)) for part in (count("*.parquet"), together))
    assert [(f.key, f.estimate) for f in one.findings] == [(f.key, f.estimate) for f in other.findings]


def test_through_the_command_line(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    assert exit_code(["count", "shards/*.parquet", "--label", "y", "--score", "p", "--sensitive", "race"]) == 0
    audit = ["audit", "counts.csv", "--label", "y", "--prediction", "decision", "--frequency", "rows"]
    assert exit_code([*audit, "--sensitive", "race"]) == 0
    record = eh.read_record(tmp_path / "audit.json")
    assert record["accuracy"].support == 3000
    said = {section.audit: section.reason for section in record.sections if not section.ran}
    assert "the outcomes of single rows are permuted" in said["slices"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"label": "Y", "score": "p"}, "no column 'Y'.*Did you mean 'y'"),
        ({"label": "y"}, "name either the column of decisions"),
        ({"label": "y", "score": "p", "engine": "dask"}, "no engine 'dask'"),
    ],
)
def test_what_cannot_be_counted(shards: Path, asked: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        count_files(str(shards / "whole.csv"), **asked)  # type: ignore[arg-type]


def test_absent_files_and_missing_scores(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    with pytest.raises(InputError, match="no such file"):
        count_files(str(tmp_path / "*.parquet"), label="y", score="p")
    (tmp_path / "x.csv").write_text("y,p\n1,0.5\n0,\n")
    with pytest.raises(InputError, match="no value in 1 rows"):
        count_files(str(tmp_path / "x.csv"), label="y", score="p", engine="duckdb")


@pytest.mark.parametrize("wrong", [[1.5, 2], [-1, 2], [0, 0], ["a", "b"]])
def test_frequencies_are_whole_numbers(wrong: list[object]) -> None:
    table = {"y": [0, 1], "d": [0, 1], "n": wrong}
    with pytest.raises(InputError, match="frequency 'n'"):
        eh.read_evaluation_set(table, label="y", prediction="d", frequency="n")


def test_frequencies_are_counted_exactly_beyond_what_a_float_holds() -> None:
    many = 2**53 + 1
    tally = Tally.count([1, 1], [1, 1], frequency=[many, 2])
    assert tally.counts[0, 1, 1] == many + 2
