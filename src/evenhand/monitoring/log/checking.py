"""Looking a log through: whether it is whole, what it holds, and what in it is odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from evenhand.errors import InputError, raise_all
from evenhand.monitoring.log.places import place_of, reading
from evenhand.monitoring.log.rows import opened, said
from evenhand.monitoring.log.sealing import refuse_without
from evenhand.monitoring.log.tables import ERASED, FEEDBACK, PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from evenhand.monitoring.log.sealing import Keyring

P, F = PREDICTIONS.c, FEEDBACK.c
MOST: Final = 5
"""Problems of rows that are told one by one."""


@dataclass(frozen=True, slots=True)
class LogState:
    """What a log holds."""

    predictions: int
    """Predictions."""
    labelled: int
    """Predictions with a label."""
    feedback: Mapping[str, int]
    """Events by kind."""
    orphans: int
    """Events whose prediction is not there."""
    relabelled: int
    """Predictions with several labels that differ; the latest counts."""
    early: int
    """Events that happened before their prediction."""
    clock_back: int
    """How often a row was received earlier than the one before it: the clock of the server went back."""
    erased: int
    """Predictions and persons that were erased."""
    sealed_by: Mapping[str, int]
    """Encrypted rows by the name of their key."""
    clear: int
    """Rows that are not encrypted."""
    first: str | None
    """The time of the earliest prediction."""
    last: str | None
    """The time of the latest prediction."""


def check_log(place: str | Path, *, encryption_key: Keyring | None = None) -> LogState:
    """Look a log through, every row of it.

    Parameters
    ----------
    place : path or str
        An SQLite file, or ``postgresql://USER@HOST/DATABASE``.
    encryption_key : Keyring, optional
        The keys of an encrypted log.

    Returns
    -------
    LogState

    Raises
    ------
    InputError
        When there is no log, and with what is damaged, was changed, or does not open with the keys.
    """
    with reading(place) as connection:
        if connection.dialect.name == "sqlite":
            told = list(connection.exec_driver_sql("PRAGMA integrity_check(5)").scalars())
            raise_all(InputError, (f"{place}: it is damaged: {line}." for line in told if line != "ok"))
        sealed_by = _sealed(connection)
        if encryption_key is None and sealed_by:
            refuse_without(next(iter(sealed_by)), None, place_of(place).shown)
        problems = list(_unreadable(connection, encryption_key))
        more = len(problems) - MOST
        raise_all(InputError, [f"{place}: {line}" for line in problems[:MOST]] + [f"And {more:,} more."] * (more > 0))
        return LogState(
            predictions=_count(connection, PREDICTIONS),
            labelled=connection.scalar(sa.select(sa.func.count(sa.distinct(F.prediction))).where(_known, _label)) or 0,
            feedback=_by_kind(connection),
            orphans=_count(connection, FEEDBACK, ~_known),
            relabelled=_relabelled(connection, encryption_key),
            early=_count(connection, FEEDBACK.join(PREDICTIONS, F.prediction == P.id), F.time < P.time),
            clock_back=sum(_clock_back(connection, table) for table in (PREDICTIONS, FEEDBACK)),
            erased=_count(connection, ERASED),
            sealed_by=sealed_by,
            clear=sum(_count(connection, table, table.c.sealed_by.is_(None)) for table in (PREDICTIONS, FEEDBACK)),
            first=connection.scalar(sa.select(sa.func.min(P.time))),
            last=connection.scalar(sa.select(sa.func.max(P.time))),
        )


_known = sa.select(P.id).where(P.id == F.prediction).exists()
_label = F.kind == "label"


def _count(connection: sa.Connection, table: sa.FromClause, *within: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table).where(*within)) or 0


def _unreadable(connection: sa.Connection, keyring: Keyring | None) -> Iterator[str]:
    """Yield what is wrong with single rows, in the order of receipt."""
    for row in connection.execute(sa.select(PREDICTIONS).order_by(P.receipt)):
        yield from _problem(row._asdict(), keyring)
    for row in connection.execute(sa.select(FEEDBACK).order_by(F.receipt)):
        yield from _problem(row._asdict(), keyring)


def _problem(row: Mapping[str, object], keyring: Keyring | None) -> list[str]:
    try:
        said(row, keyring) if "prediction" in row else opened(row, keyring)
    except InputError as wrong:
        return [str(wrong)]
    return []


def _relabelled(connection: sa.Connection, keyring: Keyring | None) -> int:
    values: dict[object, set[str | float | None]] = {}
    for row in connection.execute(sa.select(FEEDBACK).where(_label)):
        values.setdefault(row.prediction, set()).add(said(row._asdict(), keyring))
    return sum(len(found) > 1 for found in values.values())


def _by_kind(connection: sa.Connection) -> dict[str, int]:
    counted = sa.select(F.kind, sa.func.count().label("number")).group_by(F.kind).order_by(F.kind)
    return {row.kind: row.number for row in connection.execute(counted)}


def _clock_back(connection: sa.Connection, table: sa.Table) -> int:
    before = sa.func.lag(table.c.received).over(order_by=table.c.receipt).label("before")
    ordered = sa.select(table.c.received, before).subquery()
    return _count(connection, ordered, ordered.c.received < ordered.c.before)


def _sealed(connection: sa.Connection) -> dict[str, int]:
    found: dict[str, int] = {}
    for table in (PREDICTIONS, FEEDBACK):
        by = sa.select(table.c.sealed_by, sa.func.count()).where(table.c.sealed_by.is_not(None))
        for name, number in connection.execute(by.group_by(table.c.sealed_by)):
            found[name] = found.get(name, 0) + number
    return dict(sorted(found.items()))
