"""What is erased or pruned is in no byte of the files; what stays is whole; the verb says so."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.databases import HASH_KEY, NOON, entry, event

from evenhand.cli.main import exit_code
from evenhand.errors import InputError, OutputError
from evenhand.monitoring.log.checking import check_log
from evenhand.monitoring.log.erasing import erase, prune
from evenhand.monitoring.log.reading import log_table
from evenhand.monitoring.log.sealing import Keyring, hashed_person, read_keyring
from evenhand.serving.journal.journal import ConflictError
from evenhand.serving.journal.opening import open_journal

if TYPE_CHECKING:
    from pathlib import Path


def filled(place: str | Path, keyring: Keyring | None = None) -> None:
    """Write rows of two persons, some longer than a page."""
    journal = open_journal(place, hash_key=HASH_KEY, encryption_key=keyring)
    for person, numbers in (("Ann", range(4)), ("Bob", range(10, 40))):
        inputs = {"note": f"{person} wrote: " + " ".join(f"{person}{at}" for at in range(3000))}
        journal.record([entry(at, person=person, inputs=inputs) for at in numbers])
    journal.tell([event("ann-said", 2, "Annoying"), event("bob-said", 12, "fine")])
    journal.close()


def raw(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


@pytest.mark.parametrize("keyring", [None, Keyring({"k": b"k" * 32})], ids=["clear", "encrypted"])
def test_a_person_is_erased_from_every_byte_and_others_stay(tmp_path: Path, keyring: Keyring | None) -> None:
    place = tmp_path / "log.db"
    filled(place, keyring)
    held = sqlite3.connect(place)
    sealed = [row[0] for row in held.execute("SELECT sealed FROM evenhand_predictions WHERE id LIKE 'p_'") if row[0]]
    held.close()
    who = hashed_person("Ann", HASH_KEY)
    assert who is not None
    assert who.encode() in raw(tmp_path)
    gone = erase(place, "Ann", hash_key=HASH_KEY)
    assert (gone.predictions, gone.feedback) == (4, 1)
    left = raw(tmp_path)
    assert not any(part in left for part in (who.encode(), b"Ann1", b"Ann2999", b"ann-said", b"Annoying"))
    assert not any(part[at : at + 16] in left for part in sealed for at in range(0, len(part) - 16, 500))
    assert len(log_table(place, encryption_key=keyring)) == 30
    assert check_log(place, encryption_key=keyring).feedback == {"label": 1}


def test_a_scan_that_finds_something_is_no_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evenhand.monitoring.log import erasing

    place = tmp_path / "log.db"
    filled(place)
    held = sqlite3.connect(place)  # keeps the rows that were written first from being overwritten
    held.execute("BEGIN")
    held.execute("SELECT count(*) FROM evenhand_predictions").fetchall()
    monkeypatch.setattr(erasing, "cleaned", lambda place, kind: "said to be clean")
    with pytest.raises(OutputError, match=r"log.db still holds bytes of them"):
        erase(place, "Ann", hash_key=HASH_KEY)
    held.close()
    monkeypatch.undo()
    assert erase(place, "Ann", hash_key=HASH_KEY).predictions == 0
    assert b"Ann17" not in raw(tmp_path)


def test_what_was_erased_is_not_stored_again_and_leaves_a_stone(place: str) -> None:
    filled(place)
    assert erase(place, "p11").predictions == 1
    erase(place, "Ann", hash_key=HASH_KEY)
    journal = open_journal(place, hash_key=HASH_KEY)
    for late in (lambda: journal.record([entry(99), entry(11)]), lambda: journal.tell([event("late", 2, "x")])):
        with pytest.raises(ConflictError, match="was erased"):
            late()
    assert journal.record([entry(99, person="Ann")]) == ["stored"]  # as a new customer
    assert check_log(place).erased == 6
    assert erase(place, "p11").predictions == 0
    for id, key in (("nobody", None), ("Cid", HASH_KEY)):
        with pytest.raises(InputError, match="nothing in the log"):
            erase(place, id, hash_key=key)
    with pytest.raises(InputError, match="another key"):
        erase(place, "Ann", hash_key=b"x" * 40)


def test_a_stone_has_another_hash_than_the_rows_had(tmp_path: Path) -> None:
    place = tmp_path / "log.db"
    filled(place)
    erase(place, "Ann", hash_key=HASH_KEY)
    held = sqlite3.connect(place)
    stones = held.execute(
        "SELECT hash, kind, predictions, feedback FROM evenhand_erased ORDER BY predictions DESC"
    ).fetchall()
    held.close()
    assert stones[0][1:] == ("person", 4, 1)
    assert hashed_person("Ann", HASH_KEY) not in [stone[0] for stone in stones]


def test_pruning_removes_what_is_old_with_its_feedback(place: str) -> None:
    filled(place)
    open_journal(place).tell([event("lonely", 77, "x", hours=-200)])
    gone = prune(place, 1, today=NOON + timedelta(days=1, minutes=12))
    assert (gone.predictions, gone.feedback) == (6, 2)
    assert log_table(place)["prediction_id"].tolist() == [f"p{at}" for at in range(12, 40)]
    assert prune(place, 0, today=NOON + timedelta(days=9)).predictions == 28
    journal = open_journal(place)
    assert journal.record([entry(1)]) == ["stored"]
    with pytest.raises(InputError):
        prune(place, -1)


def test_receipts_are_not_used_twice_after_pruning(tmp_path: Path) -> None:
    from evenhand.monitoring.log.reading import events

    place = tmp_path / "log.db"
    filled(place)
    cursor = events(place).cursor
    prune(place, 0, today=NOON + timedelta(days=9))
    open_journal(place).record([entry(50)])
    assert events(place, cursor).predictions["prediction_id"].tolist() == ["p50"]


def test_pruned_rows_are_in_no_byte(tmp_path: Path) -> None:
    filled(tmp_path / "log.db")
    before = (tmp_path / "log.db").stat().st_size
    prune(tmp_path / "log.db", 0, today=NOON + timedelta(days=9))
    assert b"Bob wrote" not in raw(tmp_path)
    assert (tmp_path / "log.db").stat().st_size < before / 4


def test_a_reader_that_holds_the_log_open_keeps_it_from_being_proven(tmp_path: Path) -> None:
    from evenhand.monitoring.log.places import cleaned, place_of

    place = tmp_path / "log.db"
    filled(place)
    held = sqlite3.connect(place, isolation_level=None)
    held.execute("BEGIN")
    held.execute("SELECT count(*) FROM evenhand_predictions").fetchall()
    with pytest.raises(OutputError, match=r"Do it again|did not finish"):
        cleaned(place_of(place), OutputError, wait=0.1)
    held.close()
    assert "VACUUM" in cleaned(place_of(place), OutputError)


def test_the_verb_feeds_checks_exports_prunes_and_erases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, outcomes, key, table = (str(tmp_path / name) for name in ("log.db", "o.csv", "key", "t.parquet"))
    filled(log)
    (tmp_path / "o.csv").write_text(
        "id,prediction,kind,value,time\n1,p2,label,yes,2027-02-01\n2,p99,label,no,2027-02-01\n"
    )
    (tmp_path / "key").write_bytes(HASH_KEY)
    for _ in range(2):
        assert exit_code(["log", "feedback", log, outcomes]) == 0
    assert exit_code(["log", "check", log]) == 0
    told = capsys.readouterr().out
    assert "1 stored, 0 known before, 1 stored of predictions that are not there." in told
    assert "0 stored, 2 known before" in told
    assert "1 events are of predictions that are not there" in told
    assert exit_code(["log", "table", log, "-o", table, "--before", "2027-01-01T12:03"]) == 0
    assert len(log_table(table)) == 3
    assert exit_code(["log", "erase", log, "Ann", "--hash-key", key]) == 0
    assert "4 predictions and 2 events were erased." in capsys.readouterr().out
    assert exit_code(["log", "prune", log, "--keep-days", "36500"]) == 0
    assert exit_code(["log", "key", "2027", "-o", str(tmp_path / "keys")]) == 0
    assert exit_code(["log", "check", log, "--encryption-key", str(tmp_path / "keys")]) == 0


def test_the_check_of_an_encrypted_log_asks_for_its_keys_once_and_counts_rows_in_the_clear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, keys = str(tmp_path / "log.db"), str(tmp_path / "keys")
    open_journal(log).record([entry(1)])
    assert exit_code(["log", "key", "2027", "-o", keys]) == 0
    open_journal(log, encryption_key=read_keyring(keys)).record([entry(2), entry(3)])
    assert exit_code(["log", "check", log]) == 2
    assert capsys.readouterr().err == f"evenhand: {log}: it is encrypted with key '2027': pass --encryption-key.\n"
    assert exit_code(["log", "check", log, "--encryption-key", keys]) == 0
    told = capsys.readouterr().out
    assert "2 rows are encrypted with key 2027." in told and "1 row is in the clear." in told


@pytest.mark.parametrize("words", [["check"], ["table", "-o", "t.csv"], ["prune", "--keep-days", "1"], ["erase", "x"],
                                   ["feedback", "o.csv"]])  # fmt: skip
@pytest.mark.parametrize("bad", ["absent.db", "text.db", "mysql://a/b", "postgresql://a@127.0.0.1:1/b"])
def test_a_place_that_is_no_log_is_one_sentence_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], bad: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.db").write_text("no database at all, only a text")
    (tmp_path / "o.csv").write_text("id,prediction,kind,value,time\n1,p2,label,yes,2027-02-01\n")
    assert exit_code(["log", words[0], bad, *words[1:]]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "bug" not in said[0]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["o.csv", "text.db"]
