"""A journal: what was acknowledged is stored once, what cannot be stored is said, and nothing else reaches the disk."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.databases import HASH_KEY, NOON, entry, event

from evenhand.errors import EvenhandError, InputError
from evenhand.monitoring.log.checking import check_log
from evenhand.monitoring.log.reading import log_table
from evenhand.monitoring.log.sealing import Keyring, new_key_line, read_hash_key, read_keyring
from evenhand.serving.journal.journal import ConflictError, JournalError
from evenhand.serving.journal.opening import open_journal

OLD, NEW = Keyring({"2026": b"o" * 32}), Keyring({"2027": b"n" * 32, "2026": b"o" * 32})


def test_what_is_sent_twice_is_stored_once(place: str) -> None:
    journal = open_journal(place)
    assert journal.record([entry(1), entry(2), entry(1)]) == ["stored", "stored", "known"]
    assert journal.record([entry(2, time=NOON), entry(3)]) == ["known", "stored"]
    assert journal.tell([event("a", 1, "no"), event("b", 9, "no"), event("a", 1, "no")]) == [
        "stored",
        "orphan",
        "known",
    ]
    assert journal.tell([event("b", 9, "no")]) == ["known"]
    journal.close()
    again = open_journal(place)
    assert again.record([entry(1)]) == ["known"]
    assert list(log_table(place)["prediction_id"]) == ["p1", "p2", "p3"]


@pytest.mark.parametrize("change", [{"score": 0.6}, {"decision": "no"}, {"model": "1"}, {"inputs": {"income": 1}},
                                    {"groups": {"sex": None}}])  # fmt: skip
def test_another_content_under_an_id_stores_nothing_of_the_call(tmp_path: Path, change: dict[str, Any]) -> None:
    journal = open_journal(tmp_path / "log.db")
    journal.record([entry(1)])
    with pytest.raises(ConflictError, match="'p1' is in the log with another content") as told:
        journal.record([entry(2), entry(1, **change)])
    assert told.value.ids == ("p1",)
    with pytest.raises(ConflictError):
        journal.record([entry(3), entry(3, score=0.1)])
    assert len(log_table(tmp_path / "log.db")) == 1


def test_feedback_with_another_content_is_a_conflict(place: str) -> None:
    journal = open_journal(place)
    journal.tell([event("a", 1, 1)])
    for other in (event("a", 1, "1"), event("a", 2, 1), event("a", 1, 1, hours=1), event("a", 1, 1, kind="rating")):
        with pytest.raises(ConflictError):
            journal.tell([event("b", 1, 1), other])
    assert journal.tell([event("a", 1, 1), event("b", 1, 1)]) == ["known", "orphan"]


def test_feedback_that_named_no_time_is_known_at_whatever_time_it_comes_again(place: str) -> None:
    first, again = (replace(event("a", 1, 1, hours=at), stamped=True) for at in (0, 1))
    journal = open_journal(place, encryption_key=OLD)
    assert journal.tell([first]) == ["orphan"]
    assert journal.tell([again, again]) == ["known", "known"]
    with pytest.raises(ConflictError):
        journal.tell([replace(again, value=2)])


def test_two_contents_under_one_id_in_a_request_are_told_to_be_in_the_request(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "log.db")
    with pytest.raises(ConflictError, match="'p1': two rows of the request have this id") as told:
        journal.record([entry(1), entry(1, score=0.1)])
    assert "in the log" not in str(told.value)
    with pytest.raises(ConflictError, match="'a': two events of the request have this id"):
        journal.tell([event("a", 1, 1), event("a", 1, 0)])


def test_everything_that_cannot_be_stored_is_told_together(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "log.db")
    wrong = [entry(1, id=""), entry(2, score=math.inf), entry(3, inputs={"a": math.inf}), entry(4, id="\ud800"),
             entry(5, time=NOON.replace(tzinfo=None)), entry(6, inputs={"a": object()})]  # fmt: skip
    with pytest.raises(InputError) as told:
        journal.record(wrong)
    assert len(told.value.problems) == 6
    events = [event("a", 1, None), event("b", 1, "maybe", kind="appeal"), event("c", 1, "x", kind="rating"),
              event("d", 1, 1, kind="shout")]  # fmt: skip
    with pytest.raises(InputError) as told:
        journal.tell(events)
    assert len(told.value.problems) == 4
    assert not len(log_table(tmp_path / "log.db"))


def test_a_missing_number_is_null_and_stays_missing(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "log.db")
    journal.record([entry(1, inputs={"income": math.nan})])
    assert journal.record([entry(1, inputs={"income": None})]) == ["known"]
    assert log_table(tmp_path / "log.db")["income"].isna().all()


def raw(folder: Path) -> bytes:
    """Every byte of every file of a folder."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_only_what_is_kept_reaches_the_disk_and_no_persons_id(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "log.db", keep=["income"], hash_key=HASH_KEY)
    journal.record([entry(1, person="Ann Example", inputs={"income": 12345678, "name": "Zebedee"})])
    journal.close()
    held = raw(tmp_path)
    assert b"12345678" in held
    assert not any(part in held for part in (b"Zebedee", b"Ann Example", HASH_KEY))
    assert log_table(tmp_path / "log.db")["person"].str.fullmatch("[0-9a-f]{64}").all()


def test_a_person_is_the_same_in_every_row_and_another_under_another_key(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "log.db", hash_key=HASH_KEY)
    journal.record([entry(1, person="Ann"), entry(2, person="Ann"), entry(3, person="Bob")])
    assert log_table(tmp_path / "log.db")["person"].nunique() == 2
    with pytest.raises(InputError, match="persons were hashed with another key"):
        open_journal(tmp_path / "log.db", hash_key=HASH_KEY + b"x")
    with pytest.raises(InputError, match="no key to hash the id with"):
        open_journal(tmp_path / "log.db").record([entry(4, person="Ann")])


def test_encrypted_rows_show_no_content_and_open_with_their_keys(tmp_path: Path) -> None:
    place = tmp_path / "log.db"
    journal = open_journal(place, encryption_key=OLD)
    journal.record([entry(1, inputs={"secret": "Zebedee"}, decision="refused")])
    journal.tell([event("a", 1, "defaulted")])
    journal.close()
    newer = open_journal(place, encryption_key=NEW)
    assert newer.record([entry(1, inputs={"secret": "Zebedee"}, decision="refused"), entry(2)]) == ["known", "stored"]
    newer.close()
    assert not any(part in raw(tmp_path) for part in (b"Zebedee", b"refused", b"defaulted", b"o" * 32))
    frame = log_table(place, encryption_key=NEW)
    assert frame[["secret", "decision", "label"]].iloc[0].tolist() == ["Zebedee", "refused", "defaulted"]
    for key, words in ((None, "pass encryption_key="), (OLD, "key '2027', which is not among"),
                       (Keyring({"2027": b"x" * 32, "2026": b"o" * 32}), "does not open")):  # fmt: skip
        with pytest.raises(InputError, match=words):
            log_table(place, encryption_key=key)


def test_an_encrypted_log_is_not_written_to_without_the_key_of_its_newest_rows(place: str) -> None:
    open_journal(place).record([entry(1)])
    for key in (OLD, NEW):  # a log in the clear may be encrypted from now on, and a new key put first
        journal = open_journal(place, encryption_key=key)
        journal.tell([event(key.current, 1, "no")])
        journal.close()
    other = Keyring({"2027": b"x" * 32})
    for wrong, words in ((None, "it is encrypted with key '2027': pass encryption_key="), (other, "does not open"),
                         (OLD, "key '2027', which is not among the keys of encryption_key=")):  # fmt: skip
        with pytest.raises(InputError, match=words) as told:
            open_journal(place, encryption_key=wrong)
        assert len(told.value.problems) == 1
    assert check_log(place, encryption_key=NEW).clear == 1


def test_an_encrypted_row_that_was_exchanged_or_dated_back_does_not_open(tmp_path: Path) -> None:
    import sqlite3

    place = tmp_path / "log.db"
    journal = open_journal(place, encryption_key=OLD)
    journal.record([entry(1), entry(2)])
    journal.close()
    for change in ("time = '2026-01-01T00:00:00.000000Z' WHERE id = 'p1'",
                   "sealed = (SELECT sealed FROM evenhand_predictions WHERE id = 'p1') WHERE id = 'p2'"):  # fmt: skip
        copy = tmp_path / "copy.db"
        copy.write_bytes(place.read_bytes())
        held = sqlite3.connect(copy)
        held.execute(f"UPDATE evenhand_predictions SET {change}")
        held.commit()
        held.close()
        with pytest.raises(InputError, match="does not open"):
            log_table(copy, encryption_key=OLD)


def test_files_of_keys_that_are_none_are_refused_without_quoting_them(tmp_path: Path) -> None:
    place = tmp_path / "keys"
    place.write_text(new_key_line("a") + "a c2hvcnQ=\nsecretword\n")
    with pytest.raises(InputError) as told:
        read_keyring(place)
    assert len(told.value.problems) == 2
    assert "secretword" not in str(told.value)
    place.write_text("short")
    with pytest.raises(InputError, match="5 bytes; 32 at least"):
        read_hash_key(place)
    for wrong in ("env:EVENHAND_NO_SUCH_KEY", tmp_path / "absent"):
        with pytest.raises(InputError, match=r"no variable|no such file"):
            read_keyring(wrong)


def test_what_is_no_log_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    import sqlite3

    text, other, newer = (tmp_path / name for name in ("notes.db", "other.db", "newer.db"))
    text.write_text("no database, but a text of some length")
    held = sqlite3.connect(other)
    held.execute("CREATE TABLE things (a)")
    held.close()
    open_journal(newer).close()
    held = sqlite3.connect(newer)
    held.execute("UPDATE evenhand_log SET value = '99' WHERE name = 'schema'")
    held.commit()
    held.close()
    for file, words in ((text, "no log"), (other, "something else"), (newer, "version '99'")):
        with pytest.raises(EvenhandError, match=words):
            open_journal(file)
    assert text.read_text().startswith("no database")
    for wrong, words in (("mysql://x/y", "a log is an SQLite file"), (tmp_path / "no" / "log.db", "cannot be opened")):
        with pytest.raises(EvenhandError, match=words):
            open_journal(wrong)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    place = tmp_path / "log.db"
    journal = open_journal(place)
    journal.record([entry(number, inputs={"long": "x" * 500}) for number in range(200)])
    journal.close()
    held = bytearray(place.read_bytes())
    held[8192:60000] = os.urandom(60000 - 8192)
    place.write_bytes(held)
    with pytest.raises(EvenhandError, match=r"damaged|no database"):
        log_table(place)


def test_a_file_that_is_gone_is_told_and_taken_up_when_it_is_back(tmp_path: Path) -> None:
    place = tmp_path / "log.db"
    journal = open_journal(place)
    journal.record([entry(1)])
    journal.close()
    journal = open_journal(place)
    moved = place.rename(tmp_path / "moved.db")
    with pytest.raises(JournalError, match="the file of the log is gone"):
        journal.record([entry(2)])
    moved.rename(place)
    assert journal.record([entry(1), entry(2)]) == ["known", "stored"]


def test_threads_and_processes_write_at_once(tmp_path: Path) -> None:
    place = tmp_path / "log.db"
    journal = open_journal(place)
    code = (
        "import sys\nfrom tests.databases import entry\nfrom evenhand.serving.journal.opening import open_journal\n"
        "journal = open_journal(sys.argv[1])\nfor at in range(40):\n    journal.record([entry(100 + at), entry(at)])"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(place)], cwd=Path(__file__).parents[2])
    write = [threading.Thread(target=lambda: [journal.record([entry(at)]) for at in range(40)]) for _ in range(3)]
    for thread in write:
        thread.start()
    for thread in write:
        thread.join()
    assert other.wait(120) == 0
    assert sorted(log_table(place)["prediction_id"]) == sorted(f"p{at}" for at in (*range(40), *range(100, 140)))


def test_a_forked_process_opens_the_log_anew(tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    code = (
        "import os, sys\nfrom tests.databases import entry\nfrom evenhand.serving.journal.opening import open_journal\n"
        "journal = open_journal(sys.argv[1])\njournal.record([entry(1)])\nchild = os.fork()\n"
        "journal.record([entry(2 if child else 3)])\nsys.exit(os.waitpid(child, 0)[1] if child else 0)"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "log.db")], cwd=root, check=False).returncode == 0
    assert sorted(log_table(tmp_path / "log.db")["prediction_id"]) == ["p1", "p2", "p3"]


FULL = """
import resource, signal, sys
from tests.databases import entry
from evenhand.serving.journal.journal import JournalError
from evenhand.serving.journal.opening import open_journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal, stored = open_journal(sys.argv[1]), 0
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
try:
    while stored < 5000:
        journal.record([entry(stored, inputs={"long": "x" * 5000})])
        stored += 1
except JournalError as wrong:
    assert "full" in str(wrong), wrong
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert 10 < stored < 5000, stored
assert journal.record([entry(stored, inputs={"long": "x" * 5000})]) == ["stored"]
print(stored + 1)
"""


def test_a_full_disk_loses_nothing_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("limits are those of POSIX")
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "log.db")], cwd=Path(__file__).parents[2],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(log_table(tmp_path / "log.db")["prediction_id"]) == [f"p{at}" for at in range(int(done.stdout))]


def sound(found: dict[str, int]) -> bool:
    return found["acknowledged"] > 0 and not any(found.get(name) for name in ("lost", "changed", "twice", "damaged"))


def test_three_kills_under_load_lose_nothing_and_store_nothing_twice(kills: Any) -> None:
    found = kills.in_sqlite(3)
    assert sound(found), found
    assert found["batches sent again"] > 0


@pytest.mark.slow
def test_fifty_kills_under_load(kills: Any) -> None:
    assert sound(found := kills.in_sqlite(50, seed=1)), found


@pytest.mark.slow
@pytest.mark.postgres
def test_fifty_kills_of_the_database_under_load(kills: Any, server: Any) -> None:
    assert sound(found := kills.in_postgresql(50, seed=1)), found


@pytest.mark.postgres
def test_a_lost_database_is_told_and_comes_back_by_itself(server: Any, database: str) -> None:
    journal = open_journal(database)
    journal.record([entry(1)])
    server.kill()
    try:
        with pytest.raises(JournalError):
            journal.record([entry(2)])
        with pytest.raises(InputError, match="cannot be reached"):
            log_table(database)
    finally:
        server.start()
    assert journal.record([entry(1), entry(2)]) == ["known", "stored"]
    assert list(log_table(database)["prediction_id"]) == ["p1", "p2"]
