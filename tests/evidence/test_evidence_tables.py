"""One audit of the same rows, wherever they lie: pandas, Polars, PyArrow, DuckDB, PySpark, files and databases."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.audits import audit_table
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.evidence.counting import count_frame, merge_counts
from evenhand.metrics import SCORES, roc_auc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytest.importorskip("pyarrow")


def made(n: int = 2_000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"race": rng.choice(["a", "b, c", "=d"], n, p=[0.7, 0.2, 0.1]), "age": rng.integers(18, 80, n)}
    )
    table["y"] = rng.integers(0, 2, n)
    table["p"] = np.clip(0.4 * table["y"] + 0.6 * rng.random(n), 0, 1)
    table["w"] = rng.gamma(2.0, size=n)
    return table


def _polars(table: pd.DataFrame) -> object:
    return pytest.importorskip("polars").from_pandas(table)


def _duckdb(table: pd.DataFrame) -> object:
    return pytest.importorskip("duckdb").from_arrow(_arrow(table))


def _arrow(table: pd.DataFrame) -> object:
    import pyarrow as pa

    return pa.Table.from_pandas(table, preserve_index=False)


KINDS: dict[str, Callable[[pd.DataFrame], object]] = {
    "pandas": lambda table: table,
    "polars": _polars,
    "polars lazy": lambda table: _polars(table).lazy(),  # type: ignore[attr-defined]
    "pyarrow": _arrow,
    "duckdb": _duckdb,
}
STATED = ("score_distance", "calibration_floor")
ROLES = {"label": "y", "positive": 1, "sensitive_features": ["race"]}


@pytest.fixture(scope="module")
def of_rows() -> eh.AuditRecord:
    table = made()
    data = eh.read_evaluation_set(table, **ROLES, bins={"age": [30, 50]}, control_features=["age"], score="p")  # type: ignore[arg-type]
    from evenhand.audits import audit_given

    return audit_given(data)


def same(found: eh.AuditRecord, wanted: eh.AuditRecord, binned: float = 0.002) -> int:
    """Compare what both state: exactly where counts say it, within the bins where scores do."""
    compared = 0
    for finding in found.findings:
        other = wanted.get(finding.key)
        assert other is not None, finding.key
        if finding.estimate is None or finding.audit == "chance":
            continue
        scored = finding.unit == "score" or finding.component in SCORES or finding.key.metric in STATED
        assert finding.estimate == pytest.approx(other.estimate, abs=binned if scored else 1e-12), finding.key
        assert finding.support == other.support
        compared += 1
    return compared


@pytest.mark.parametrize("kind", KINDS)
def test_an_audit_where_the_rows_lie_is_the_audit_of_the_rows(kind: str, of_rows: eh.AuditRecord) -> None:
    record = audit_table(KINDS[kind](made()), **ROLES, control_features=["age"], bins={"age": [30, 50]}, score="p")  # type: ignore[arg-type]
    assert same(record, of_rows) > 130
    given = {finding.key.qualifier("given") for finding in record.findings}
    assert {"age", "age=<30", "age=30-49", "age=>=50"} == {text.replace('"', "") for text in given if text}


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_summed_where_the_rows_lie(kind: str) -> None:
    from evenhand.audits import audit_given

    table = made().assign(d=lambda t: (t["p"] > 0.5).astype(int))
    record = audit_table(KINDS[kind](table), **ROLES, prediction="d", sample_weight="w")  # type: ignore[arg-type]
    rows = audit_given(eh.read_evaluation_set(table, **ROLES, prediction="d", sample_weight="w"))  # type: ignore[arg-type]
    for name in ("accuracy", "recall[race=a]", "selection_rate_difference[race]"):
        one, other = record[name], rows[name]
        assert one.estimate == pytest.approx(other.estimate, abs=1e-12)
        assert one.interval is not None
        assert other.interval is not None
        assert one.interval.low == pytest.approx(other.interval.low, abs=1e-9)


@pytest.fixture(scope="module")
def spark() -> Iterator[object]:
    """A session in local mode."""
    pytest.importorskip("pyspark")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java 17, and there is no java on the path")
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .appName("evenhand-tests")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.mark.slow
def test_spark_counts_its_own_rows(spark: object, of_rows: eh.AuditRecord, tmp_path: Path) -> None:
    table = made()
    there = spark.createDataFrame(table)  # type: ignore[attr-defined]
    record = audit_table(there, **ROLES, control_features=["age"], bins={"age": [30, 50]}, score="p")  # type: ignore[arg-type]
    assert same(record, of_rows) > 130
    table.assign(d=(table["p"] > 0.5).astype(int)).to_parquet(tmp_path / "rows.parquet", index=False)
    counted = audit_table(str(tmp_path / "rows.parquet"), **ROLES, prediction="d", engine="spark")  # type: ignore[arg-type]
    assert counted["accuracy"].support == len(table)


def test_files_and_databases_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    table = made()
    for at in range(2):
        table.iloc[at::2].to_parquet(tmp_path / f"part-{at}.parquet", index=False)
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as base:
        base.register("given", table)
        base.execute('CREATE TABLE "scored ""2024""" AS SELECT * FROM given')
    (tmp_path / "policy.toml").write_text('schema = 1\n[limits]\n"roc_auc" = { at_least = 0.5 }\n', encoding="utf-8")
    roles = ["--label", "y", "--score", "p", "--sensitive", "race"]
    records = []
    for source in ("part-*.parquet", 'lake.duckdb::scored "2024"', 'lake.duckdb::select * from "scored ""2024"""'):
        assert exit_code(["audit", "--table", source, *roles]) == 0
        records.append(eh.read_record(tmp_path / "audit.json"))
        assert exit_code(["gate", "audit.json"]) == 0
        assert exit_code(["sweep", "audit.json"]) in (0, 1, 2)
    assert len({record["roc_auc_difference[race]"].estimate for record in records}) == 1
    assert records[0]["roc_auc"].support == 2_000
    assert exit_code(["audit", "part-0.parquet", "--table", "part-1.parquet", *roles]) == 2
    assert exit_code(["audit", *roles]) == 2
    assert exit_code(["audit", "--table", "absent.duckdb::x", *roles]) == 2


def test_counts_by_score_of_shards_add_up() -> None:
    table = made()
    what = {"label": "y", "groups": ["race"], "score": "p", "bins": 100}
    whole = count_frame(table, **what)
    merged = merge_counts([count_frame(table.iloc[at::3], **what) for at in (1, 0, 2)])
    pd.testing.assert_frame_equal(whole, merged, check_dtype=False, atol=1e-12)
    weighed = {"label": "y", "groups": ["race"], "score": "p", "weight": "w"}
    parts = merge_counts([count_frame(table.iloc[at::3], **weighed) for at in range(3)])
    pd.testing.assert_frame_equal(count_frame(table, **weighed), parts, check_dtype=False, atol=1e-9)


def test_an_area_from_bins_lies_within_its_bound() -> None:
    table = made()
    exact = roc_auc(table["y"], table["p"], np.zeros(len(table), dtype=int)).estimate[0]
    off = [
        abs((audit_table(table, **ROLES, score="p", score_bins=bins)["roc_auc"].estimate or 0) - exact)  # type: ignore[arg-type]
        for bins in (4, 1_000)
    ]
    assert 1e-4 < off[0] < 0.13
    assert off[1] < 1e-4


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("p", np.nan, "no value in 1 rows"),
        ("p", 1.5, "outside .0, 1. in 1 rows"),
        ("w", -1.0, "no number from 0 in 1 rows"),
        ("w", np.nan, "no number from 0 in 1 rows"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_broken_scores_and_weights_are_refused(kind: str, column: str, value: float, said: str) -> None:
    table = made(50)
    table.loc[7, column] = value
    more = {"sample_weight": "w"} if column == "w" else {}
    with pytest.raises(InputError, match=said):
        audit_table(KINDS[kind](table), **ROLES, score="p", **more)  # type: ignore[arg-type]


def test_names_of_the_counts_are_not_taken() -> None:
    with pytest.raises(InputError, match="'score_bin' is the name"):
        audit_table(
            made().rename(columns={"race": "score_bin"}), label="y", sensitive_features=["score_bin"], score="p"
        )
