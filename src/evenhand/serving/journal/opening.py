"""Opening a journal by the place it is at."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, need

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import sqlalchemy as sa

    from evenhand.monitoring.log.places import Place
    from evenhand.monitoring.log.sealing import Keyring
    from evenhand.serving.journal.sql_journal import SqlJournal

__all__ = ["open_journal"]

WAIT: Final = 10.0
"""Seconds to wait for other writers by default."""


def open_journal(
    place: str | Path,
    *,
    keep: Sequence[str] | None = None,
    hash_key: bytes | None = None,
    encryption_key: Keyring | None = None,
    wait: float = WAIT,
) -> SqlJournal:
    """Open a log to write to, and make its tables where there are none.

    Parameters
    ----------
    place : path or str
        The path of an SQLite file, or ``postgresql://USER@HOST/DATABASE``.
    keep : sequence of str, optional
        The inputs to store; others never reach the disk. All when absent. Groups are stored as they are given.
    hash_key : bytes, optional
        What persons' ids are hashed with before they are stored; see `read_hash_key`. An entry gives the id itself.
        Without a key, an entry that names a person is refused.
    encryption_key : Keyring, optional
        What rows are encrypted with; see `read_keyring`.
    wait : float
        Seconds to wait for another writer.

    Returns
    -------
    SqlJournal
        A `Journal`.

    Raises
    ------
    InputError
        When there is something else at the place, or the log is of another version, or of another `hash_key`; and when
        it has encrypted rows, of which the newest do not open with `encryption_key`: it would go on in the clear, or
        with a key that its readers do not have.
    JournalError
        When it cannot be opened or written.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from evenhand.monitoring.log.schema import Entry
    >>> journal = open_journal(Path(mkdtemp()) / "log.db", keep=["income"])
    >>> entry = Entry("a", datetime(2027, 1, 1, tzinfo=UTC), "0" * 64, {"income": 31, "name": "Ann"}, decision="yes")
    >>> journal.record([entry]), journal.record([entry])
    (['stored'], ['known'])
    >>> journal.close()
    """
    need("sqlalchemy", "serve")
    from evenhand.monitoring.log.places import place_of, refuse_absent
    from evenhand.serving.journal.sql_journal import SqlJournal

    if encryption_key is not None:
        need("cryptography", "serve")
    found = place_of(place)
    if found.path is not None and found.path.exists():
        refuse_absent(found)
    _prepare(found, hash_key, encryption_key, wait)
    return SqlJournal(found, keep, hash_key, encryption_key, wait)


def _prepare(place: Place, hash_key: bytes | None, keyring: Keyring | None, wait: float) -> None:
    """Make the tables where there are none, and check those that are there."""
    import sqlalchemy as sa

    from evenhand.monitoring.log.places import check_version, engine_of, take_turn, told
    from evenhand.monitoring.log.tables import ABOUT, TABLES
    from evenhand.serving.journal.journal import JournalError

    engine = engine_of(place, writes=True, wait=wait)
    try:
        with told(place, JournalError), engine.begin() as connection:
            take_turn(connection)
            if not (there := set(sa.inspect(connection).get_table_names())) & TABLES.tables.keys():
                if there and place.path is not None:
                    raise InputError(f"{place.shown}: this is a database of something else. Choose another place.")
                TABLES.create_all(connection)
                connection.execute(sa.insert(ABOUT), _facts())
            check_version(connection, place)
            _check_key(connection, place, hash_key)
            _check_keyring(connection, place, keyring)
    finally:
        engine.dispose()


def _facts() -> list[dict[str, str]]:
    from evenhand.monitoring.log.rows import now
    from evenhand.monitoring.log.tables import SCHEMA

    facts = {"schema": SCHEMA, "made": now(), "salt": secrets.token_hex(32)}
    return [{"name": name, "value": value} for name, value in facts.items()]


def _check_key(connection: sa.Connection, place: Place, hash_key: bytes | None) -> None:
    """Raise where persons were hashed with another key: theirs would be other people from here on."""
    import sqlalchemy as sa

    from evenhand.monitoring.log.places import about
    from evenhand.monitoring.log.sealing import keyed_hash
    from evenhand.monitoring.log.tables import ABOUT

    if hash_key is None:
        return
    check, known = keyed_hash("evenhand log", hash_key), about(connection).get("person_check")
    if known is None:
        connection.execute(sa.insert(ABOUT), [{"name": "person_check", "value": check}])
    elif not hmac.compare_digest(known, check):
        raise InputError(f"{place.shown}: persons were hashed with another key. Give that one, or begin a new log.")


def _check_keyring(connection: sa.Connection, place: Place, keyring: Keyring | None) -> None:
    """Raise where the newest encrypted rows do not open: new rows would be in the clear, or under a stranger's key."""
    import sqlalchemy as sa

    from evenhand.monitoring.log.rows import opened, said
    from evenhand.monitoring.log.sealing import refuse_without
    from evenhand.monitoring.log.tables import FEEDBACK, PREDICTIONS

    for table, content in ((PREDICTIONS, opened), (FEEDBACK, said)):
        sealed = sa.select(table).where(table.c.sealed_by.is_not(None)).order_by(table.c.receipt.desc()).limit(1)
        newest = connection.execute(sealed).first()
        if newest is None:
            continue
        refuse_without(newest.sealed_by, keyring, place.shown)
        try:
            content(newest._asdict(), keyring)
        except InputError as wrong:
            raise InputError(f"{place.shown}: {wrong.marked[0]}") from None
