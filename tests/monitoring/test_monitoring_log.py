"""A log that is read: as a table, as what is new, from anybody's files, while it is written."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.databases import NOON, entry, event

from evenhand.errors import InputError
from evenhand.monitoring.log.checking import check_log
from evenhand.monitoring.log.cursor import Cursor
from evenhand.monitoring.log.reading import events, log_table
from evenhand.monitoring.log.told import read_feedback
from evenhand.serving.journal.opening import open_journal


def test_the_latest_label_wins_by_its_time_then_by_receipt(place: str) -> None:
    journal = open_journal(place)
    journal.record([entry(1), entry(2), entry(3)])
    journal.tell(
        [event("a", 1, "late", hours=5), event("b", 1, "early", hours=1), event("c", 2, "x"), event("d", 2, "y")]
    )
    journal.tell([event("e", 2, "open", 1, "appeal"), event("f", 2, "won", 2, "appeal"), event("g", 3, 4, 1, "rating"),
                  event("h", 3, "rude", 1, "complaint"), event("i", 99, "z")])  # fmt: skip
    frame = log_table(place).set_index("prediction_id")
    assert frame["label"].tolist()[:2] == ["late", "y"]
    assert pd.isna(frame.loc["p3", "label"])
    assert (frame.loc["p2", "appeal"], frame.loc["p3", "complaint"], frame.loc["p3", "rating"]) == ("won", "rude", 4)
    assert frame["label_time"].iloc[0].hour == 17
    assert frame["income"].tolist() == [21, 22, 23]
    assert frame["sex"].tolist() == ["M", "F", "M"]


def test_the_table_is_the_same_in_whatever_order_rows_were_received(tmp_path: Path) -> None:
    made = []
    for turn in range(3):
        place = tmp_path / f"log{turn}.db"
        rows, told = [entry(at) for at in range(20)], [event(f"e{at}", at % 7, at, hours=at) for at in range(20)]
        random.Random(turn).shuffle(rows)
        random.Random(turn).shuffle(told)
        journal = open_journal(place)
        for row, each in zip(rows, told, strict=True):
            journal.tell([each])
            journal.record([row])
        made.append(log_table(place))
    for other in made[1:]:
        pd.testing.assert_frame_equal(made[0], other)


def test_a_span_of_time_is_from_after_to_before(place: str) -> None:
    open_journal(place).record([entry(at) for at in range(10)])
    told = log_table(place, after="2027-01-01T13:02:00+01:00", before="2027-01-01T12:05")
    assert list(told["prediction_id"]) == ["p2", "p3", "p4"]
    with pytest.raises(InputError, match="is no time"):
        log_table(place, after="yesterday")


def test_inputs_that_are_called_like_columns_keep_their_names_apart(tmp_path: Path) -> None:
    place = tmp_path / "log.db"
    one = entry(1, inputs={"score": 700, "sex": "F", "age": 30}, groups={"sex": "F", "age": "20-39", "label": "a"})
    open_journal(place).record([one])
    frame = log_table(place)
    assert frame[["score", "input.score", "sex", "age", "group.age", "group.label"]].iloc[0].tolist() == [
        0.5, 700, "F", 30, "20-39", "a"
    ]  # fmt: skip
    assert frame.attrs["groups"] == {"age": "group.age", "label": "group.label", "sex": "sex"}
    assert frame.attrs["inputs"] == {"age": "age", "score": "input.score", "sex": "sex"}


def test_every_prediction_and_event_is_told_once_and_labels_add_up(place: str) -> None:
    chance, journal = random.Random(0), open_journal(place)
    rows = [entry(at) for at in range(40)]
    told = [event(f"e{at}", chance.randrange(40), chance.randrange(3), hours=chance.randrange(5)) for at in range(80)]
    deeds: list[Any] = [*rows, *told]
    chance.shuffle(deeds)
    cursor, seen, heard, counts = Cursor(), [], [], {}
    for at, deed in enumerate(deeds):
        journal.record([deed]) if deed in rows else journal.tell([deed])
        if at % 11 == 0 or at == len(deeds) - 1:
            for _ in itertools.count():
                new = events(place, str(cursor), most=5)
                seen += list(new.predictions["prediction_id"])
                heard += list(new.feedback["feedback_id"])
                for row in new.labels.to_dict("records"):
                    assert counts.get(row["prediction_id"]) == (
                        None if row["earlier_label"] is None else row["earlier_label"]
                    )
                    counts[row["prediction_id"]] = row["label"]
                assert not len(new.labels) or not new.labels["income"].isna().any()
                if new.cursor == cursor:
                    break
                cursor = new.cursor
    assert sorted(seen) == sorted(row.id for row in rows)
    assert sorted(heard) == sorted(each.id for each in told)
    whole = log_table(place).dropna(subset="label").set_index("prediction_id")["label"].to_dict()
    assert counts == whole
    assert len(counts) > 20


def test_feedback_waits_for_its_prediction(place: str) -> None:
    journal = open_journal(place)
    journal.tell([event("a", 1, "no")])
    first = events(place)
    assert (len(first.feedback), len(first.labels), first.orphans) == (0, 0, 1)
    journal.record([entry(1)])
    second = events(place, first.cursor)
    assert second.labels["label"].tolist() == ["no"]
    assert (second.feedback["feedback_id"].tolist(), second.orphans) == (["a"], 0)
    third = events(place, second.cursor)
    assert third.cursor == second.cursor
    assert not len(third.predictions) + len(third.labels) + len(third.feedback)


def test_a_cursor_of_another_log_is_refused(tmp_path: Path) -> None:
    for name in ("a.db", "b.db"):
        open_journal(tmp_path / name).record([entry(1)])
    cursor = events(tmp_path / "a.db").cursor
    with pytest.raises(InputError, match="of another log"):
        events(tmp_path / "b.db", cursor)
    with pytest.raises(InputError, match="no place in a log"):
        events(tmp_path / "a.db", "12")


def test_a_log_is_read_of_one_moment_while_it_is_written(tmp_path: Path) -> None:
    from evenhand.monitoring.log.places import reading
    from evenhand.monitoring.log.tables import PREDICTIONS

    place = tmp_path / "log.db"
    journal = open_journal(place)
    journal.record([entry(1)])
    with reading(place) as connection:
        before = connection.execute(PREDICTIONS.select()).all()
        journal.record([entry(2)])
        assert connection.execute(PREDICTIONS.select()).all() == before
    assert len(log_table(place)) == 2


def test_an_empty_log_has_all_columns(place: str) -> None:
    open_journal(place).close()
    assert list(log_table(place))[:6] == ["prediction_id", "time", "model", "score", "decision", "label"]
    assert not len(events(place).labels)
    assert check_log(place).predictions == 0


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_files_of_the_same_columns_are_read_alike(tmp_path: Path, ending: str) -> None:
    journal = open_journal(tmp_path / "log.db")
    journal.record([entry(at) for at in range(6)])
    journal.tell([event("a", 2, "no", 1)])
    frame = log_table(tmp_path / "log.db")
    folder = tmp_path / "days"
    folder.mkdir()
    for day, part in enumerate((frame[:4], frame[4:])):
        part.attrs = {}
        write = part.to_parquet if ending == "parquet" else part.to_csv
        write(folder / f"{day}.{ending}", index=False)
    read = log_table(folder, after=NOON)
    assert read["time"].tolist() == frame["time"].tolist()
    for column in ("prediction_id", "score", "decision", "income", "sex"):
        assert read[column].tolist() == frame[column].tolist()
    assert read["label"].dropna().tolist() == ["no"]
    with pytest.raises(InputError, match="no order of receipt"):
        events(folder)


def test_all_that_is_against_the_schema_is_told_together(tmp_path: Path) -> None:
    place = tmp_path / "log.csv"
    place.write_text("prediction_id,time,score,appeal,label_time\na,2027-01-01,high,maybe,soon\n,2027-13-01,0.5,won,\n")
    with pytest.raises(InputError) as told:
        log_table(place)
    for words in ("'model' is missing", "'prediction_id' is empty in 1", "'time' is no time", "'score' is no number",
                  "'appeal' is no one of", "'label_time' is no time"):  # fmt: skip
        assert words in str(told.value)
    place.write_text("prediction_id,time,model,score\na,2027-01-01,m,1\na,2027-01-01,m,1\n")
    with pytest.raises(InputError, match="there twice, 'a' first"):
        log_table(place)


def test_a_database_of_other_columns_is_told_with_all_that_is_missing(tmp_path: Path) -> None:
    import sqlite3

    place = tmp_path / "log.db"
    open_journal(place).close()
    held = sqlite3.connect(place)
    held.execute("ALTER TABLE evenhand_predictions DROP COLUMN score")
    held.execute("ALTER TABLE evenhand_feedback DROP COLUMN source")
    held.execute("DROP TABLE evenhand_erased")
    held.commit()
    held.close()
    with pytest.raises(InputError) as told:
        log_table(place)
    assert len(told.value.problems) == 3


def test_a_check_counts_what_is_odd(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import evenhand.serving.journal.sql_journal as writer

    journal = open_journal(place)
    clock = iter(["2027-01-01T00:00:02.000000Z", "2027-01-01T00:00:01.000000Z", "2027-01-01T00:00:03.000000Z"])
    monkeypatch.setattr(writer, "now", lambda: next(clock))
    journal.record([entry(1)])
    journal.record([entry(2)])
    journal.tell([event("a", 1, "x", 1), event("b", 1, "y", 2), event("c", 2, "x", -3), event("d", 9, "x")])
    state = check_log(place)
    assert (state.predictions, state.labelled, state.orphans, state.relabelled) == (2, 2, 1, 1)
    assert (state.early, state.clock_back, state.erased, state.feedback) == (1, 1, 0, {"label": 4})


def test_a_file_of_feedback_is_read_and_its_problems_told(tmp_path: Path) -> None:
    place = tmp_path / "outcomes.csv"
    place.write_text(
        "id,prediction,kind,value,time\n01,p1,label,1,2027-01-02\n2,p2,complaint,,2027-01-02T01:00+01:00\n"
    )
    first, second = read_feedback(place)
    assert (first.id, first.value, first.time.tzinfo is not None) == ("01", 1, True)
    assert (second.value, second.time.isoformat()) == (None, "2027-01-02T01:00:00+01:00")
    place.write_text("id,prediction,kind,value,time\na,,label,1,soon\nb,p,shout,1,2027-01-01\n")
    with pytest.raises(InputError) as told:
        read_feedback(place)
    assert len(told.value.problems) == 3


@pytest.mark.postgres
def test_the_tables_in_the_docs_are_those_of_the_code(database: str) -> None:
    """Whoever makes them from the page has a log."""
    import psycopg

    text = (Path(__file__).parents[2] / "docs" / "design" / "log.md").read_text("utf-8")
    statements = text.partition("```sql\n")[2].partition("```")[0]
    with psycopg.connect(database) as connection:
        connection.execute(statements)
        connection.execute("INSERT INTO evenhand_log VALUES ('schema', '1'), ('salt', %s)", ["0" * 64])
    journal = open_journal(database)
    assert journal.record([entry(1)]) == ["stored"]
    assert journal.tell([event("a", 1, "no")]) == ["stored"]
    assert len(events(database).labels) == 1
