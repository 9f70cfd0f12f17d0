"""Erasing what is known of a person, or one prediction, for good, with what proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from evenhand.monitoring.log.places import about
from evenhand.monitoring.log.sealing import keyed_hash
from evenhand.monitoring.log.tables import ERASED

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_ONCE: Final = 500
"""Hashes that are looked up by one statement."""


def erased_among(connection: sa.Connection, ids: Sequence[str]) -> list[str]:
    """Return which predictions were erased: they are not stored again when somebody sends them late."""
    if connection.execute(sa.select(ERASED.c.hash).limit(1)).first() is None:
        return []
    salt = about(connection)["salt"]
    hashes = {tombstone(id, salt): id for id in ids}
    named = list(hashes)
    parts = (named[start : start + AT_ONCE] for start in range(0, len(named), AT_ONCE))
    found = (connection.scalars(sa.select(ERASED.c.hash).where(ERASED.c.hash.in_(part))) for part in parts)
    return [hashes[hash] for part in found for hash in part]


def tombstone(id: str, salt: str) -> str:
    """Return the hash under which it is kept that a prediction was erased."""
    return keyed_hash(f"erased {id}", salt.encode())
