"""The tables of a log in SQL, for SQLite and PostgreSQL alike; `docs/design/log.md` shows them to other writers."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

SCHEMA: Final = "1"
"""The version of these tables; a log of another is refused."""
TABLES: Final = sa.MetaData()
_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")

ABOUT: Final = sa.Table(
    "evenhand_log",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""What is so of the log as a whole: `schema`, `salt`, and `person_check`, by which a wrong key is known."""
PREDICTIONS: Final = sa.Table(
    "evenhand_predictions",
    TABLES,
    sa.Column("receipt", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("time", sa.Text, nullable=False, index=True),
    sa.Column("received", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("person", sa.Text, index=True),
    sa.Column("inputs", sa.Text),
    sa.Column("groups", sa.Text),
    sa.Column("score", sa.Double),
    sa.Column("decision", sa.Text),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("sealed_by", sa.Text),
    sqlite_autoincrement=True,
)
"""One row a prediction. A receipt is never used twice, also after rows were deleted."""
FEEDBACK: Final = sa.Table(
    "evenhand_feedback",
    TABLES,
    sa.Column("receipt", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("prediction", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("received", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("value", sa.Text),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("sealed_by", sa.Text),
    sqlite_autoincrement=True,
)
"""One row an event; its prediction need not be there yet."""
ERASED: Final = sa.Table(
    "evenhand_erased",
    TABLES,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("predictions", sa.Integer, nullable=False),
    sa.Column("feedback", sa.Integer, nullable=False),
)
"""What was erased: a hash that is in no other table, when, and how many rows."""
