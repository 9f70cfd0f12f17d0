"""Looking through the bytes of a log's files for what was erased."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from evenhand.monitoring.log.places import reading
from evenhand.monitoring.log.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from evenhand.monitoring.log.places import Place

PIECE: Final = 24
"""Bytes of a piece: a long text is spread over pages of the file, so that it is looked for in pieces."""
LEAST: Final = 8
"""Bytes of the shortest text that is looked for: a shorter one stands in any file by chance."""
_CONTENT: Final = ("inputs", "groups", "decision", "value", "source")


def traces_of(names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> tuple[set[bytes], set[bytes]]:
    """Return what no file may hold any more: ids and hashes; and pieces of contents, that other rows may have alike."""
    ids = {str(row["id"]) for row in rows} | set(names)
    texts = [str(row[name]).encode() for row in rows for name in _CONTENT if row.get(name) is not None]
    sealed = [bytes(part) for row in rows if isinstance(part := row["sealed"], (bytes, memoryview))]
    names_held, pieces = {id.encode() for id in ids}, {piece for text in (*texts, *sealed) for piece in _pieces(text)}
    return {name for name in names_held if len(name) >= LEAST}, {piece for piece in pieces if len(piece) >= LEAST}


def _pieces(text: bytes) -> Iterator[bytes]:
    yield from (text[start : start + PIECE] for start in range(0, max(1, len(text) - PIECE + 1), PIECE))
    if len(text) > PIECE:
        yield text[-PIECE:]


def left_in_files(place: Place, traces: tuple[set[bytes], set[bytes]]) -> list[Path]:
    """Return the files of a log in SQLite that hold a trace which no row that is there accounts for."""
    assert place.path is not None
    names, pieces = traces
    files = [file for file in place.path.parent.glob(f"{place.path.name}*") if _is_of(file, place.path)]
    found = {file: _held(file, names | pieces) for file in files}
    suspects = set().union(*found.values())
    accounted = _accounted(place, suspects) if suspects else set()
    return sorted(file for file, held in found.items() if held - accounted)


def _is_of(file: Path, log: Path) -> bool:
    return file.name.removeprefix(log.name) in ("", "-wal", "-shm", "-journal") and file.is_file()


def _held(file: Path, traces: Iterable[bytes]) -> set[bytes]:
    if not file.stat().st_size:
        return set()
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as held:
        return {trace for trace in traces if trace and held.find(trace) >= 0}


def _accounted(place: Place, traces: set[bytes]) -> set[bytes]:
    """Return the traces that are part of a row that is rightly there: others have the same inputs, or longer ids."""
    with reading(place.path or "") as connection:
        found: set[bytes] = set()
        for table in TABLES.tables.values():
            for row in connection.execute(sa.select(table)):
                whole = _bytes_of(row._asdict())
                found |= {trace for trace in traces if trace in whole}
        schema = " ".join(connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").scalars())
    return found | {trace for trace in traces if trace in schema.encode()}


def _bytes_of(row: Mapping[str, object]) -> bytes:
    parts = (part if isinstance(part, bytes) else str(part).encode() for part in row.values() if part is not None)
    return b"\0".join(parts)
