"""`evenhand baseline` and `evenhand monitor`: exit codes, and a state that is as it was when something is wrong."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.monitoring.live import audited, baseline, batch, live_rows

import evenhand as eh
from evenhand.cli import monitor_verb
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.monitoring import Monitor, read_baseline, read_state, write_state
from evenhand.monitoring.sources import log_batches
from evenhand.monitoring.state import alone
from evenhand.records import write_record
from evenhand.timelines import read_timeline
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a baseline, a policy and batches."""
    monkeypatch.chdir(tmp_path)
    table, record = audited()
    table.to_csv("test.csv", index=False)
    write_record("audit.json", record)
    (tmp_path / "policy.toml").write_text("[limits.accuracy]\nat_least = 0.6\n", "utf-8")
    said = [
        "baseline",
        "test.csv",
        "--audit",
        "audit.json",
        "--label",
        "paid",
        "--score",
        "score",
        "--sensitive",
        "sex",
    ]
    assert exit_code(said) == 0
    return tmp_path


def monitor(*words: str) -> int:
    return exit_code(["monitor", *words, "--baseline", "baseline.json", "--state", "state.json"])


def test_the_exit_codes_and_what_stays_of_the_state(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live_rows(10, 1).to_csv("few.csv", index=False)
    live_rows(800, 2).to_parquet("more.parquet")
    live_rows(800, 3, older=15).to_parquet("older.parquet")
    live_rows(20, 4).drop(columns=["age"]).to_csv("bad.csv", index=False)
    assert monitor("few.csv") == 3
    assert monitor("more.parquet", "-o", "monitor.json") == 0
    assert read_timeline(folder / "monitor.json").verdict == "passed"
    before = (folder / "state.json").read_bytes()
    assert monitor("more.parquet") == 0
    assert "was taken before" in capsys.readouterr().err
    assert monitor("bad.csv") == 2
    assert "no column 'age'" in capsys.readouterr().err
    assert monitor("missing.csv") == 2
    assert monitor("more.parquet", "--floor", "0.2") == 2
    assert (folder / "state.json").read_bytes() == before
    assert monitor("older.parquet") == 1
    assert "drift[age]" in capsys.readouterr().out
    (folder / "state.json").write_bytes(before[:-200])
    assert monitor("more.parquet") == 2


def test_an_earlier_batch_is_refused_in_strict_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in (2, 1):
        live_rows(100, day).assign(when=f"2027-01-0{day}").to_csv(f"{day}.csv", index=False)
    monitor("2.csv", "--time-column", "when")
    before = (folder / "state.json").read_bytes()
    assert monitor("1.csv", "--time-column", "when", "--strict-order") == 2
    assert "Give batches in order" in capsys.readouterr().err
    assert (folder / "state.json").read_bytes() == before
    monitor("1.csv", "--time-column", "when")
    assert read_state(folder / "state.json").late == 1


def test_a_table_in_a_database_is_a_batch(folder: Path) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    live_rows(100, 5).to_sql("live", sqlalchemy.create_engine("sqlite:///live.db"), index=False)
    monitor("sqlite:///live.db::live")
    assert read_state(folder / "state.json").moments[0].rows == 100


def test_a_table_or_a_database_that_is_not_there_is_told_in_a_sentence_and_not_made(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    live_rows(100, 5).to_sql("live", sqlalchemy.create_engine("sqlite:///live.db"), index=False)
    assert monitor("sqlite:///live.db::other") == 2
    assert capsys.readouterr().err == "evenhand: other: the database does not answer: no such table: other\n"
    assert monitor("sqlite:///absent.db::live") == 2
    assert capsys.readouterr().err == "evenhand: live: there is no database 'absent.db'.\n"
    assert not (folder / "absent.db").exists()


def test_an_encrypted_log_is_monitored_with_its_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("cryptography")
    from evenhand.monitoring.log.schema import Entry
    from evenhand.monitoring.log.sealing import read_keyring
    from evenhand.serving.journal.opening import open_journal

    assert exit_code(["log", "key", "2027", "-o", "log.keys"]) == 0
    noon, table = datetime(2027, 1, 1, 12, tzinfo=UTC), live_rows(30, 6)
    open_journal(folder / "log.db", encryption_key=read_keyring(folder / "log.keys")).record([
        Entry(str(row.Index), noon + timedelta(seconds=row.Index), "0" * 64, {"age": row.age, "region": row.region},
              {"sex": row.sex}, row.score, str(int(row.score >= 0.5)))
        for row in table.itertuples()
    ])  # fmt: skip
    assert monitor("--log", "log.db") == 2
    assert "--encryption-key" in capsys.readouterr().err
    assert not (folder / "state.json").exists()
    assert monitor("--log", "log.db", "--encryption-key", "log.keys") == 3
    assert read_state(folder / "state.json").moments[0].rows == 30
    monkeypatch.setenv("EVENHAND_LOG_KEY", "log.keys")
    assert monitor("--log", "log.db") == 3


def test_rows_of_another_model_are_left_out_of_the_log_and_nothing_else_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    from evenhand.monitoring.log.schema import Entry, Feedback
    from evenhand.serving.journal.opening import open_journal

    own, noon, table = replace(baseline(), model="1" * 64), datetime(2027, 1, 1, 12, tzinfo=UTC), live_rows(30, 6)
    entries = [
        Entry(str(row.Index), noon, str(int(row.Index >= 10)) * 64, {"age": row.age, "region": row.region},
              {"sex": row.sex}, row.score, str(int(row.score >= 0.5)))
        for row in table.itertuples()
    ]  # fmt: skip
    journal = open_journal(tmp_path / "log.db")
    journal.record(entries[:10])
    with pytest.raises(InputError, match="another model than the baseline's, 111111111111"):
        list(log_batches(tmp_path / "log.db", "", own))
    journal.record(entries[10:])
    journal.tell([Feedback(f"l{at}", str(at), "label", "1", noon) for at in range(5, 15)])
    ((batch, _),) = log_batches(tmp_path / "log.db", "", own)
    assert (batch.rows, batch.labelled) == (20, 5)
    assert batch.name.endswith("without 10 of another model")


def test_the_log_of_a_served_model_is_read_on_and_each_label_counts_once(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    from evenhand.monitoring.log.schema import Entry, Feedback
    from evenhand.serving.journal.opening import open_journal

    place, noon, table = tmp_path / "log.db", datetime(2027, 1, 1, 12, tzinfo=UTC), live_rows(30, 6)
    journal = open_journal(place)
    rows = list(table.itertuples())
    journal.record([
        Entry(str(row.Index), noon + timedelta(seconds=row.Index), "0" * 64, {"age": row.age, "region": row.region},
              {"sex": row.sex}, row.score, str(int(row.score >= 0.5)))
        for row in rows
    ])  # fmt: skip
    ((first, cursor),) = log_batches(place, "", baseline())
    ((again, _),) = log_batches(tmp_path / ".." / tmp_path.name / "log.db", "", baseline())
    assert again.id == first.id
    assert (first.rows, first.labelled) == (30, 0)
    assert first.counts["decided.0"].tolist() == [
        [int((table["score"] < 0.5).sum()), int((table["score"] >= 0.5).sum())]
    ]
    assert list(log_batches(place, cursor, baseline())) == []
    told = [Feedback(f"l{row.Index}", str(row.Index), "label", str(row.paid), noon) for row in rows[:10]]
    journal.tell([*told, Feedback("a", "3", "appeal", "won", noon), Feedback("c", "4", "complaint", "late", noon)])
    ((later, after),) = log_batches(place, cursor, baseline())
    assert (later.rows, later.labelled) == (0, 10)
    assert later.counts["feedback.0"].tolist() == [[1, 0, 1]]
    assert list(log_batches(place, after, baseline())) == []


def test_two_at_once_on_one_state_lose_no_batch(folder: Path) -> None:
    live_rows(100, 1).to_csv("1.csv", index=False)
    made, held = Monitor(read_baseline("baseline.json"), eh.load_policy("policy.toml")), folder / "state.json"
    with ThreadPoolExecutor(1) as other:
        with alone(held):
            running = other.submit(monitor, "1.csv")
            time.sleep(0.5)
            write_state(held, made.take(made.begin(), batch(live_rows(100, 2))))
        assert running.result() == 0
    assert read_state(held).batches == 2


def test_a_state_that_another_holds_is_waited_for_and_then_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(monitor_verb, "WAIT", 0.1)
    live_rows(100, 1).to_csv("1.csv", index=False)
    with alone(folder / "state.json"):
        assert monitor("1.csv") == 2
    assert "another process has held this lock" in capsys.readouterr().err
    assert not (folder / "state.json").exists()
    assert monitor("1.csv") == 3


def test_a_baseline_makes_groups_as_the_audit_made_them(folder: Path) -> None:
    table = audited()[0].assign(code=[1, 2] * 2000)
    table.to_csv("coded.csv", index=False)
    words = ["--label", "paid", "--score", "score", "--sensitive", "sex", "--sensitive", "age", "--sensitive", "code"]
    edges = ["--bins", "age=30,45", "--value-label", "code=1=one", "--value-label", "code=2=two"]
    assert exit_code(["audit", "coded.csv", *words, *edges, "--audits", "performance", "-o", "coded.json"]) == 0
    assert exit_code(["baseline", "coded.csv", "--audit", "coded.json"]) == 0
    made = read_baseline(folder / "baseline.json")
    assert {part.columns[0]: part.groups for _, part in made.single}["code"] == (("one",), ("two",))
    assert made.bins == {"age": [30, 45]}
    assert made.roles.value_labels == {"code": {"1": "one", "2": "two"}}
    live_rows(800, 1).assign(code=[1, 2] * 400).to_csv("good.csv", index=False)
    assert monitor("good.csv") == 0
    assert read_state(folder / "state.json").unseen == {}


def test_a_baseline_of_other_rows_than_the_audited_ones_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--audit", "audit.json", "--label", "paid", "--score", "score", "--sensitive", "sex", "-o", "other.json"]
    table = audited()[0]
    table.head(3000).to_csv("fewer.csv", index=False)
    table.assign(sex=table["sex"].where(table.index > 100, "m")).to_csv("others.csv", index=False)
    assert exit_code(["baseline", "fewer.csv", *words]) == 2
    assert "it has 3,000 rows, and 4,000 were audited" in capsys.readouterr().err
    assert exit_code(["baseline", "others.csv", *words]) == 2
    assert "group 'f' of 'sex' has" in capsys.readouterr().err
    assert not (folder / "other.json").exists()


def test_a_baseline_of_another_model_than_the_audited_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = eh.load_loanapp().take(np.arange(400))
    models = [tmp_path / f"{seed}.safetensors" for seed in range(2)]
    for seed, place in enumerate(models):
        fit(data, config=TrainingConfig(epochs=1, hidden=(4,), baseline=False, seed=seed)).save(place)
    write_record(tmp_path / "audit.json", eh.audit(eh.open_model(models[0]), data, audits="performance"))
    data.table.to_parquet(tmp_path / "rows.parquet")
    words = ["baseline", str(tmp_path / "rows.parquet"), "--audit", str(tmp_path / "audit.json")]
    words += ["--output", str(tmp_path / "baseline.json"), "--model"]
    assert exit_code([*words, str(models[1])]) == 2
    assert "is not the audited model" in capsys.readouterr().err
    assert exit_code([*words, str(models[0])]) == 0


@pytest.mark.parametrize("when", [1_800_000_000, 40.5, "31/01/2027", "noon", True])
def test_a_column_that_holds_no_times_is_refused(
    when: object, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live_rows(20, 1).assign(when=when).to_parquet("batch.parquet")
    assert monitor("batch.parquet", "--time-column", "when") == 2
    assert "column 'when' holds no times, which are texts such as 2027-01-31T12:00" in capsys.readouterr().err
    assert not (folder / "state.json").exists()


@pytest.mark.parametrize("when", [date(2027, 1, 31), datetime(2027, 1, 31, 12, tzinfo=UTC), "2027-01-31T12:00+01:00"])
def test_dates_and_texts_of_iso_8601_are_times(when: object, folder: Path) -> None:
    live_rows(20, 1).assign(when=when).to_parquet("batch.parquet")
    monitor("batch.parquet", "--time-column", "when")
    assert str(read_state(folder / "state.json").last_time).startswith("2027-01-31T")


def test_a_strict_order_needs_times(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live_rows(20, 1).assign(when=None).to_parquet("batch.parquet")
    assert monitor("batch.parquet", "--strict-order") == 2
    assert "--strict-order needs the times of the batches: --time-column" in capsys.readouterr().err
    assert monitor("batch.parquet", "--strict-order", "--time-column", "when") == 2
    assert "no row has a time" in capsys.readouterr().err
    assert not (folder / "state.json").exists()


def test_late_rows_that_tell_nothing_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = live_rows(20, 1)
    rows.assign(paid=None, appeal=None, complaint="").to_csv("nothing.csv", index=False)
    assert monitor("--labels", "nothing.csv") == 2
    assert "no row has a label, an appeal or a complaint" in capsys.readouterr().err
    rows.assign(paid=None, appeal="upheld").to_csv("unknown.csv", index=False)
    assert monitor("--labels", "unknown.csv") == 2
    assert "appeals 'upheld' are not known; known are open, won, lost" in capsys.readouterr().err
    assert not (folder / "state.json").exists()
    rows.assign(paid=None, appeal=["Won", "open"] * 10).to_csv("appeals.csv", index=False)
    assert monitor("--labels", "appeals.csv") == 3
    assert read_state(folder / "state.json").since_start["feedback.0"].tolist() == [[10, 0, 0]]
