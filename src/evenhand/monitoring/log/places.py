"""Where a log is, and how it is opened: an SQLite file, or a PostgreSQL database by its URL."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from evenhand.errors import InputError, need, quoted, shorten
from evenhand.monitoring.log.tables import ABOUT, SCHEMA, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.errors import EvenhandError

LOCK: Final = 7_106_953
"""PostgreSQL's advisory lock that every writer holds to the end of its transaction: without it a receipt could appear
after a later one was read. SQLite has one writer at a time anyway."""
WAIT: Final = 10.0
"""Seconds to wait for another writer, or for a database to answer."""
_MAGIC: Final = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a log is."""

    url: sa.URL
    shown: str
    """How sentences call it, without a password."""
    path: Path | None
    """The file of SQLite."""


def place_of(named: str | Path) -> Place:
    """Return where a log is.

    Parameters
    ----------
    named : path or str
        A path, ``sqlite:///PATH`` or ``postgresql://USER@HOST/DATABASE``.

    Raises
    ------
    InputError
        When it is a URL of another database.
    """
    text = str(named)
    if "://" not in text:
        path = Path(text)
        return Place(sa.URL.create("sqlite", database=str(path.absolute())), text, path.absolute())
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise InputError(f"{shorten(text)}: this is no URL of a database.") from None
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database:
        return place_of(url.database)
    if kind not in ("postgresql", "postgres"):
        raise InputError(f"{kind}://...: a log is an SQLite file, or postgresql://USER@HOST/DATABASE.")
    need("psycopg", "postgresql")
    return Place(url.set(drivername="postgresql+psycopg"), url.render_as_string(hide_password=True), None)


def engine_of(place: Place, *, writes: bool, wait: float = WAIT) -> sa.Engine:
    """Return connections to a log; nothing is opened yet."""
    if place.path is not None:
        return _sqlite(place, writes, wait)
    about = {"connect_timeout": max(2, round(wait)), "application_name": "evenhand"}
    if not writes:
        about["options"] = "-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read"
    else:
        about["options"] = f"-c lock_timeout={round(1000 * wait)} -c synchronous_commit=on"
    return sa.create_engine(place.url, connect_args=about, pool_pre_ping=True, pool_timeout=wait)


def _sqlite(place: Place, writes: bool, wait: float) -> sa.Engine:
    path = place.path
    assert path is not None
    named = f"{path.as_uri()}?mode={'rwc' if writes else 'ro'}"

    def connect() -> sqlite3.Connection:
        made = sqlite3.connect(named, uri=True, timeout=wait, isolation_level=None, check_same_thread=False)
        try:
            made.execute("PRAGMA trusted_schema=OFF")
            if writes:
                made.execute("PRAGMA secure_delete=ON")
                made.execute("PRAGMA journal_mode=WAL")
                made.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error:
            made.close()
            raise
        return made

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.QueuePool, pool_timeout=wait)
    sa.event.listen(engine, "begin", lambda held: held.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN"))
    return engine


def refuse_absent(place: Place) -> None:
    """Raise `InputError` where a file is absent, or is no file of SQLite."""
    if place.path is None:
        return
    if not place.path.exists():
        raise InputError(f"{place.shown}: there is no such file.")
    if not place.path.is_file():
        raise InputError(f"{place.shown}: this is no file.")
    try:
        with place.path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError as wrong:
        raise InputError(f"{place.shown}: it cannot be read: {wrong.strerror}.") from None
    if start and start != _MAGIC:
        raise InputError(f"{place.shown}: this is no log: it is no database of SQLite.")


@contextmanager
def reading(named: str | Path, wait: float = WAIT) -> Iterator[sa.Connection]:
    """Open a log for reading, in one transaction: all of it is of one moment, also while it is written.

    Raises
    ------
    InputError
        When there is no log, it is of another version, damaged, or cannot be reached.
    """
    place = place_of(named)
    refuse_absent(place)
    engine = engine_of(place, writes=False, wait=wait)
    try:
        with told(place, InputError), engine.begin() as connection:
            check_version(connection, place)
            yield connection
    finally:
        engine.dispose()


@contextmanager
def writing(named: str | Path, kind: type[EvenhandError], wait: float = WAIT) -> Iterator[sa.Connection]:
    """Open a log that is there for one transaction that changes it; what the database says is raised as `kind`."""
    place = place_of(named)
    refuse_absent(place)
    engine = engine_of(place, writes=True, wait=wait)
    try:
        with told(place, kind), engine.begin() as connection:
            take_turn(connection)
            check_version(connection, place)
            yield connection
    finally:
        engine.dispose()


def take_turn(connection: sa.Connection) -> None:
    """Wait for other writers, so that receipts are in the order of commits."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def about(connection: sa.Connection) -> dict[str, str]:
    """Return what is so of a log as a whole."""
    return {row.name: row.value for row in connection.execute(sa.select(ABOUT))}


def check_version(connection: sa.Connection, place: Place) -> None:
    """Raise `InputError` where a database holds no log, one of another version, or other columns; all together."""
    held = sa.inspect(connection)
    there = set(held.get_table_names())
    if ABOUT.name not in there:
        raise InputError(f"{place.shown}: this is no log: it has no table '{ABOUT.name}'.")
    version = about(connection).get("schema")
    if version != SCHEMA:
        raise InputError(
            f"{place.shown}: its tables are of version {quoted(version)}, and this evenhand reads version {SCHEMA}."
        )
    problems = [f"{place.shown}: it has no table '{name}'." for name in TABLES.tables if name not in there]
    for name in sorted(there & TABLES.tables.keys()):
        columns = {column["name"] for column in held.get_columns(name)}
        lacking = [column.name for column in TABLES.tables[name].c if column.name not in columns]
        problems += [f"{place.shown}: table '{name}' lacks column '{column}'." for column in lacking]
    if problems:
        raise InputError(*problems)


@contextmanager
def told(place: Place, kind: type[EvenhandError]) -> Iterator[None]:
    """Raise what a database says as one sentence of `kind`."""
    try:
        yield
    except DBAPIError as wrong:
        raise kind(f"{place.shown}: {_sentence(wrong.orig)}") from None
    except PoolTimeoutError:
        raise kind(f"{place.shown}: no connection was free in time. Try again.") from None
    except SQLAlchemyError as wrong:
        raise kind(f"{place.shown}: {shorten(wrong)}.") from None


_SAID: Final = {
    "SQLITE_FULL": "the disk is full, and nothing was stored. Make room; it goes on by itself.",
    "SQLITE_BUSY": "another process is writing, and did not finish in time. Try again.",
    "SQLITE_LOCKED": "another process is writing, and did not finish in time. Try again.",
    "SQLITE_NOTADB": "this is no log: it is no database of SQLite.",
    "SQLITE_CORRUPT": "the file is damaged. Restore it from a copy, or save what is left with sqlite3 .recover.",
    "SQLITE_READONLY": "it may not be written to.",
    "SQLITE_CANTOPEN": "it cannot be opened: the folder is missing, or there is no permission.",
    "SQLITE_IOERR": "the system cannot read or write the file: the disk is full, lost or broken. Nothing was stored.",
    "53100": "the disk of the database is full, and nothing was stored. Make room; it goes on by itself.",
    "55P03": "another process is writing, and did not finish in time. Try again.",
    "42501": "this user of the database may not do so.",
}
"""What is wrong, by SQLite's names and PostgreSQL's codes."""


def _sentence(wrong: BaseException | None) -> str:
    code = getattr(wrong, "sqlite_errorname", None) or getattr(wrong, "sqlstate", None) or ""
    known = next((said for name, said in _SAID.items() if code.startswith(name)), None)
    if known is None and code.startswith("57P"):
        known = "the database is going down. Try again when it is back."
    if known is None and type(wrong).__name__ == "OperationalError" and not code:
        known = f"the database is lost or cannot be reached: {shorten(wrong, 160)}. Try again when it is back."
    return known or f"{shorten(wrong, 160)}."


def cleaned(place: Place, kind: type[EvenhandError], wait: float = WAIT) -> str:
    """Give back what deleted rows took, so that no page holds them; return what was done, and what nobody can prove.

    Raises
    ------
    EvenhandError
        Of `kind`, when another process keeps the files from being cleaned.
    """
    engine = engine_of(place, writes=True, wait=wait).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with told(place, kind), engine.connect() as connection:
            if place.path is None:
                for table in TABLES.tables:
                    connection.exec_driver_sql(f"VACUUM FULL {table}")
                return _POSTGRESQL
    finally:
        engine.dispose()
    _clean_file(place, kind, wait)
    return _SQLITE


def _clean_file(place: Place, kind: type[EvenhandError], wait: float) -> None:
    with told(place, kind):
        held = sqlite3.connect(place.path or "", timeout=wait, isolation_level=None)
        try:
            held.execute("PRAGMA secure_delete=ON")
            held.execute("VACUUM")
            busy = held.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.Error as wrong:
            raise kind(f"{place.shown}: rows were deleted, but the file was not cleaned: {_sentence(wrong)}") from None
        finally:
            held.close()
    if busy:
        raise kind(
            f"{place.shown}: rows were deleted, but another process reads the log, and its file -wal could not be cut. "
            "Do it again when that has ended."
        )


_SQLITE: Final = (
    "The file was written anew without them (VACUUM), and its write-ahead log was cut. Copies, backups and what a disk "
    "keeps of old blocks are out of reach."
)
_POSTGRESQL: Final = (
    "The tables were written anew without them (VACUUM FULL). The server's write-ahead log, replicas, backups and "
    "files on its disk are out of reach: they hold old rows until they are recycled."
)
