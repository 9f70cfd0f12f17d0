"""Erasing what is known of a person, or one prediction, for good, with what proves it; and pruning what is old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

import sqlalchemy as sa

from evenhand.errors import InputError, OutputError, argument, quoted
from evenhand.monitoring.log.places import about, cleaned, place_of, writing
from evenhand.monitoring.log.proving import left_in_files, traces_of
from evenhand.monitoring.log.rows import as_text, now
from evenhand.monitoring.log.sealing import hashed_person, keyed_hash
from evenhand.monitoring.log.tables import ERASED, FEEDBACK, PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

AT_ONCE: Final = 500
"""Ids that are looked up by one statement."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out of a log."""

    predictions: int
    """Rows of predictions."""
    feedback: int
    """Rows of feedback."""
    proven: str
    """What was looked at to prove it, and what cannot be proven."""


def erase(place: str | Path, id: str, *, hash_key: bytes | None = None) -> Removed:
    """Erase all rows of a person, or of one prediction, and prove that the log's files hold them no more.

    A hash of what was erased stays, with the time and the numbers of rows, so that a late copy is not stored again. It
    is another hash than the rows had: keyed with `hash_key` for a person, salted for a prediction.

    Looked for in every byte are ids, the hash of the person and pieces of contents, unless another row has them, too;
    texts of less than 8 bytes stand in any file by chance, and are not looked for.

    Parameters
    ----------
    place : path or str
        The log.
    id : str
        The person's id as the caller of the server gave it, or the id of a prediction.
    hash_key : bytes, optional
        What persons' ids were hashed with; without it `id` is that of a prediction.

    Returns
    -------
    Removed

    Raises
    ------
    InputError
        When there is no log, nothing in it has this id, or the key is another than that of the log.
    OutputError
        When it cannot be written, or files still hold what was erased; erase again when no other process reads.
    """
    person = None if hash_key is None else hashed_person(id, hash_key)
    with writing(place, OutputError) as connection:
        _refuse_other_key(connection, hash_key, place)
        rows = _of(connection, PREDICTIONS, PREDICTIONS.c.id == id)
        rows += [] if person is None else _of(connection, PREDICTIONS, PREDICTIONS.c.person == person)
        ids = list(dict.fromkeys([*(cast("str", row["id"]) for row in rows), id]))
        told = [row for part in _parts(ids) for row in _of(connection, FEEDBACK, FEEDBACK.c.prediction.in_(part))]
        if not rows and not told and not _erased_before(connection, id, hash_key):
            also = "" if hash_key else f" To erase a person, pass {argument('hash_key')}."
            raise InputError(f"{place}: nothing in the log has the id {quoted(id)}.{also}")
        salt = about(connection)["salt"]
        stones = {tombstone(cast("str", row["prediction" if "prediction" in row else "id"]), salt): "prediction"
                  for row in (*rows, *told)}  # fmt: skip
        if hash_key is not None and person in {row["person"] for row in rows}:
            stones = {keyed_hash(f"erased {id}", hash_key): "person", **stones}
        _remove(connection, ids)
        _bury(connection, stones, len(rows), len(told))
    return Removed(len(rows), len(told), _proven(place, [id, *ids, *([person] if person else [])], [*rows, *told]))


def prune(place: str | Path, keep_days: float, *, today: datetime | None = None) -> Removed:
    """Remove predictions that are older than some days with their feedback, and feedback so old without a prediction.

    Parameters
    ----------
    place : path or str
        The log.
    keep_days : float
        How many days are kept.
    today : datetime, optional
        From when days are counted back; now by default.

    Returns
    -------
    Removed

    Raises
    ------
    InputError
        When there is no log, or the days are none.
    OutputError
        When it cannot be written, or another process keeps its files from being cleaned.
    """
    if not 0 <= keep_days < 100_000:
        raise InputError(f"{argument('keep_days')} {keep_days} is no number of days.")
    oldest = as_text((today or datetime.now(UTC)) - timedelta(days=keep_days))
    with writing(place, OutputError) as connection:
        old = sa.select(PREDICTIONS.c.id).where(PREDICTIONS.c.time < oldest)
        there = sa.select(PREDICTIONS.c.id).where(PREDICTIONS.c.id == FEEDBACK.c.prediction).exists()
        alone = sa.and_(FEEDBACK.c.time < oldest, ~there)
        gone = sa.or_(FEEDBACK.c.prediction.in_(old), alone)
        feedback = connection.execute(sa.delete(FEEDBACK).where(gone)).rowcount
        predictions = connection.execute(sa.delete(PREDICTIONS).where(PREDICTIONS.c.time < oldest)).rowcount
    return Removed(predictions, feedback, cleaned(place_of(place), OutputError))


def erased_among(connection: sa.Connection, ids: Sequence[str]) -> list[str]:
    """Return which predictions were erased: they are not stored again when somebody sends them late."""
    if connection.execute(sa.select(ERASED.c.hash).limit(1)).first() is None:
        return []
    salt = about(connection)["salt"]
    hashes = {tombstone(id, salt): id for id in ids}
    found = (
        connection.scalars(sa.select(ERASED.c.hash).where(ERASED.c.hash.in_(part))) for part in _parts(list(hashes))
    )
    return [hashes[hash] for part in found for hash in part]


def tombstone(id: str, salt: str) -> str:
    """Return the hash under which it is kept that a prediction was erased."""
    return keyed_hash(f"erased {id}", salt.encode())


def _erased_before(connection: sa.Connection, id: str, hash_key: bytes | None) -> bool:
    """Return whether an id was erased before; that is proven again then."""
    keyed = [] if hash_key is None else [keyed_hash(f"erased {id}", hash_key)]
    names = [tombstone(id, about(connection)["salt"]), *keyed]
    return connection.execute(sa.select(ERASED.c.hash).where(ERASED.c.hash.in_(names))).first() is not None


def _refuse_other_key(connection: sa.Connection, hash_key: bytes | None, place: str | Path) -> None:
    known = about(connection).get("person_check")
    if hash_key is not None and known is not None and known != keyed_hash("evenhand log", hash_key):
        raise InputError(f"{place}: persons were hashed with another key, so that none can be found with this one.")


def _of(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool]) -> list[Mapping[str, object]]:
    return [row._asdict() for row in connection.execute(sa.select(table).where(which))]


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE))


def _remove(connection: sa.Connection, ids: Sequence[str]) -> None:
    for part in _parts(ids):
        connection.execute(sa.delete(FEEDBACK).where(FEEDBACK.c.prediction.in_(part)))
        connection.execute(sa.delete(PREDICTIONS).where(PREDICTIONS.c.id.in_(part)))


def _bury(connection: sa.Connection, stones: Mapping[str, str], predictions: int, feedback: int) -> None:
    """Note what was erased; the numbers stand with the first, which names what was asked for."""
    for at, (hash, kind) in enumerate(stones.items()):
        numbers = {"predictions": predictions, "feedback": feedback} if at == 0 else {"predictions": 0, "feedback": 0}
        connection.execute(sa.delete(ERASED).where(ERASED.c.hash == hash))
        connection.execute(sa.insert(ERASED), [{"hash": hash, "kind": kind, "time": now(), **numbers}])


def _proven(place: str | Path, names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """Clean the files, and look for what was erased in every byte of them."""
    found = place_of(place)
    how = cleaned(found, OutputError)
    if found.path is None:
        return how
    left = left_in_files(found, traces_of(names, rows))
    if left:
        raise OutputError(
            f"{place}: rows were deleted, but {left[0].name} still holds bytes of them. "
            "Stop what has the log open, and erase again."
        )
    return how
