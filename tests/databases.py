"""Logs to write to: a file, and a PostgreSQL server of this process where Debian's packages are."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.monitoring.log.schema import Entry, Feedback

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)
HASH_KEY = b"a key of thirty-two bytes or more"


def entry(number: int, **changes: Any) -> Entry:
    """Return the prediction of a number."""
    from evenhand.monitoring.log.schema import Entry

    inputs = {"income": 20 + number, "job": f"job {number % 3}"}
    made = Entry(
        f"p{number}", NOON + timedelta(minutes=number), "0" * 64, inputs, {"sex": "FM"[number % 2]}, 0.5, "yes"
    )
    return replace(made, **changes)


def event(id: str, prediction: int, value: Any, hours: float = 0, kind: Any = "label") -> Feedback:
    """Return an event of a prediction."""
    from evenhand.monitoring.log.schema import Feedback

    return Feedback(id, f"p{prediction}", kind, value, NOON + timedelta(hours=hours), "court")


@pytest.fixture(scope="session")
def kills() -> Iterator[Any]:
    """The benchmark that kills."""
    if os.name != "posix":
        pytest.skip("signals are those of POSIX")
    sys.path.insert(0, str(BENCHMARKS))
    import log_kills

    yield log_kills
    sys.path.remove(str(BENCHMARKS))
    for name in ("log_kills", "clusters", "measuring"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="session")
def server(kills: Any) -> Iterator[Any]:
    """A PostgreSQL server; nothing of it stays."""
    if kills.clusters.programs() is None:
        pytest.skip("PostgreSQL is not installed; Debian's package is postgresql")
    with kills.clusters.cluster() as made:
        yield made


@pytest.fixture
def database(server: Any) -> str:
    """An empty database."""
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return str(server.url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a log may be made, in each kind of database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("database"))
    return str(tmp_path / "log.db")
