"""A journal in SQL: one transaction a call, so that what a call returned for is on disk."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from evenhand.errors import quoted
from evenhand.monitoring.log.erasing import erased_among
from evenhand.monitoring.log.places import check_version, engine_of, take_turn, told
from evenhand.monitoring.log.rows import as_text, check, content_of, feedback_row, now, opened, prediction_row, said
from evenhand.monitoring.log.sealing import hashed_person
from evenhand.monitoring.log.tables import FEEDBACK, PREDICTIONS
from evenhand.serving.journal.journal import ConflictError, JournalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from evenhand.monitoring.log.places import Place
    from evenhand.monitoring.log.schema import Entry, Feedback
    from evenhand.monitoring.log.sealing import Keyring
    from evenhand.serving.journal.journal import Stored

AT_ONCE: Final = 500
"""Ids that are looked up by one statement; SQLite takes no more than 999 places in older builds."""


class SqlJournal:
    """A `Journal` in an SQLite file or a PostgreSQL database. Several threads and processes may write at once.

    Parameters
    ----------
    place : Place
        Where the log is; its tables are there.
    keep : sequence of str, optional
        The inputs that are stored; all when absent.
    hash_key : bytes, optional
        What persons' ids are hashed with.
    keyring : Keyring, optional
        What rows are encrypted with.
    wait : float
        Seconds to wait for other writers.
    """

    def __init__(
        self, place: Place, keep: Sequence[str] | None, hash_key: bytes | None, keyring: Keyring | None, wait: float
    ) -> None:
        self._place, self._hash_key, self._keyring, self._wait = place, hash_key, keyring, wait
        self._keep = None if keep is None else frozenset(keep)
        self._engine, self._opened_as = engine_of(place, writes=True, wait=wait), self._identity()

    def record(self, entries: Sequence[Entry]) -> Sequence[Stored]:
        """Store predictions, all or none; a prediction that is there with the same content is known.

        The time is no part of the content: of a prediction that is sent again the first time stands. Inputs and groups
        are compared by the columns that both have.

        Raises
        ------
        InputError
            When an entry cannot be stored as it is.
        ConflictError
            When an id is there with another content, or was erased; nothing is stored.
        JournalError
            When nothing can be stored.
        """
        check(entries, ())
        kept = [self._minimised(entry) for entry in entries]
        with self._writing() as connection:
            _refuse_erased(connection, [entry.id for entry in kept])
            held = {row["id"]: row for row in _rows(connection, PREDICTIONS, [entry.id for entry in kept])}
            new: dict[str, Entry] = {}
            stored: list[Stored] = []
            conflicts: list[str] = []
            for entry in kept:
                if entry.id in held or entry.id in new:
                    same = _same(entry, new[entry.id]) if entry.id in new else self._is_held(entry, held[entry.id])
                    stored.append("known")
                    conflicts += [] if same else [entry.id]
                else:
                    new[entry.id] = entry
                    stored.append("stored")
            _refuse("prediction", "rows", conflicts, new)
            received = now()
            _insert(connection, PREDICTIONS, [prediction_row(each, self._keyring, received) for each in new.values()])
        return stored

    def tell(self, events: Sequence[Feedback]) -> Sequence[Stored]:
        """Store feedback, all or none; an event that is there with the same content is known. Raises as `record`.

        The time is part of the content, except of an event that named none: when that was received is not said again.
        """
        check((), events)
        with self._writing() as connection:
            _refuse_erased(connection, [event.prediction for event in events])
            held = {row["id"]: row for row in _rows(connection, FEEDBACK, [event.id for event in events])}
            there = {row["id"] for row in _rows(connection, PREDICTIONS, [event.prediction for event in events])}
            new: dict[str, Feedback] = {}
            stored: list[Stored] = []
            conflicts: list[str] = []
            for event in events:
                if event.id in held or event.id in new:
                    there_as = _told(new[event.id]) if event.id in new else self._told(held[event.id])
                    stored.append("known")
                    conflicts += [] if _is_again(event, there_as) else [event.id]
                else:
                    new[event.id] = event
                    stored.append("stored" if event.prediction in there else "orphan")
            _refuse("feedback", "events", conflicts, new)
            received = now()
            _insert(connection, FEEDBACK, [feedback_row(each, self._keyring, received) for each in new.values()])
        return stored

    def check(self) -> None:
        """Raise `JournalError` unless the log can be written now."""
        with self._writing() as connection:
            check_version(connection, self._place)

    def close(self) -> None:
        """Let go of the file or the connections."""
        self._engine.dispose()

    def _minimised(self, entry: Entry) -> Entry:
        kept = {name: value for name, value in entry.inputs.items() if self._keep is None or name in self._keep}
        return replace(entry, inputs=kept, person=hashed_person(entry.person, self._hash_key))

    def _is_held(self, entry: Entry, row: Mapping[str, object]) -> bool:
        old, new = opened(row, self._keyring), content_of(entry)
        return (
            (row["model"], row["person"], old["score"], old["decision"])
            == (entry.model, entry.person, new["score"], new["decision"])
            and _agree(old["inputs"], new["inputs"])
            and _agree(old["groups"], new["groups"])
        )

    def _told(self, row: Mapping[str, object]) -> tuple[object, ...]:
        return (row["prediction"], row["kind"], said(row, self._keyring), row["source"], row["time"])

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        self._follow()
        with told(self._place, JournalError), self._engine.begin() as connection:
            take_turn(connection)
            yield connection

    def _follow(self) -> None:
        """Open the log anew in a forked process, or where another file has taken the place of the one that was open."""
        here = self._identity()
        if here == self._opened_as:
            return
        if here[1:] == (0, 0) and self._place.path is not None:
            raise JournalError(f"{self._place.shown}: the file of the log is gone. Put it back; it goes on by itself.")
        self._engine.dispose(close=here[0] == self._opened_as[0])
        self._engine, self._opened_as = engine_of(self._place, writes=True, wait=self._wait), here
        with told(self._place, JournalError), self._engine.begin() as connection:
            check_version(connection, self._place)

    def _identity(self) -> tuple[int, int, int]:
        """Return the process, and which file is in the log's place."""
        try:
            there = None if self._place.path is None else self._place.path.stat()
        except OSError:
            there = None
        return (os.getpid(), 0, 0) if there is None else (os.getpid(), there.st_dev, there.st_ino)


def _rows(connection: sa.Connection, table: sa.Table, ids: Sequence[str]) -> Iterator[Mapping[str, object]]:
    for start in range(0, len(ids), AT_ONCE):
        found = connection.execute(sa.select(table).where(table.c.id.in_(ids[start : start + AT_ONCE])))
        yield from (row._asdict() for row in found)


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        connection.execute(sa.insert(table), rows)


def _same(one: Entry, other: Entry) -> bool:
    return replace(one, time=other.time) == other


def _agree(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return all(one[name] == other[name] for name in one.keys() & other.keys())


def _told(event: Feedback) -> tuple[object, ...]:
    return (event.prediction, event.kind, event.value, event.source, as_text(event.time))


def _is_again(event: Feedback, held: tuple[object, ...]) -> bool:
    """Return whether an event is one that is there; the time is compared where the event named one."""
    told = _told(event)
    return told[:-1] == held[:-1] and (event.stamped or told[-1] == held[-1])


def _refuse(what: str, several: str, ids: Iterable[str], new: Mapping[str, object]) -> None:
    """Raise where ids are in the log, or are among the `new` ones, with another content."""
    found = list(dict.fromkeys(ids))
    if found:
        problems = (
            f"{what} {quoted(id)}: two {several} of the request have this id, with different contents."
            if id in new
            else f"{what} {quoted(id)} is in the log with another content."
            for id in found
        )
        raise ConflictError(*problems, ids=found)


def _refuse_erased(connection: sa.Connection, ids: Sequence[str]) -> None:
    found = erased_among(connection, ids)
    if found:
        raise ConflictError(
            *(f"prediction {quoted(id)} was erased; it is not stored again." for id in found), ids=found
        )
