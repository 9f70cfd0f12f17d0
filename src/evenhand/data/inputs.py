"""What a model reads: a table, arrays, texts, token ids or records, in memory or as files, batch by batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from evenhand.data.hashing import hash_batch, hash_rows
from evenhand.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads

BYTES: Final = 1 << 22
"""Bytes of a batch of arrays: a model often makes ten times as much of it."""
MOST_ROWS: Final = 4_096
"""Rows of a batch at most, of whatever is no table."""


@runtime_checkable
class Inputs(Protocol):
    """The rows that a model reads, by position. Nothing of them is read before it is asked for."""

    @property
    def kind(self) -> Reads:
        """What they are."""
        ...

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def take(self, rows: NDArray[np.intp] | slice) -> Inputs:
        """Return the rows at these positions, in this order."""
        ...

    def batches(self, rows: int | None = None) -> Iterator[Batch]:
        """Yield all rows in order, so many at a time; by default as many as memory bears, of a table all."""
        ...

    def whole(self) -> Batch:
        """Return all rows at once: take few before."""
        ...

    def hashes(self) -> NDArray[np.uint64]:
        """Return (n,) one hash a row, equal for equal rows in every process; read batch by batch."""
        ...

    def describe(self) -> dict[str, Plain]:
        """Return what they are, for the provenance."""
        ...


class Source(Protocol):
    """Where rows are read from, any of them by position."""

    @property
    def at_once(self) -> int:
        """Rows of a batch."""
        ...

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def read(self, rows: NDArray[np.intp] | slice) -> Batch:
        """Return the rows at these positions."""
        ...

    def hashes(self, rows: NDArray[np.intp] | slice) -> NDArray[np.uint64]:
        """Return one hash for each of these rows."""
        ...

    def describe(self) -> dict[str, Plain]:
        """Return what it is, for the provenance."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TableInputs:
    """Columns of a table in memory; a batch is the whole of it unless fewer rows are asked for."""

    frame: pd.DataFrame
    """(n, m) the columns."""

    @property
    def kind(self) -> Reads:
        """A table."""
        return "table"

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    def take(self, rows: NDArray[np.intp] | slice) -> TableInputs:
        """Return some of the rows."""
        return TableInputs(self.frame.iloc[rows])

    def batches(self, rows: int | None = None) -> Iterator[pd.DataFrame]:
        """Yield the table, or its rows so many at a time."""
        size = rows or max(1, len(self))
        yield from (self.frame if size >= len(self) else self.frame.iloc[at : at + size] for at in _starts(self, size))

    def whole(self) -> pd.DataFrame:
        """Return the table itself."""
        return self.frame

    def hashes(self) -> NDArray[np.uint64]:
        """Return one hash a row."""
        return hash_rows(self.frame, map(str, self.frame.columns), np.zeros(len(self), dtype=np.int8))

    def describe(self) -> dict[str, Plain]:
        """Return how many columns there are."""
        return {"kind": "table", "columns": len(self.frame.columns)}


@dataclass(frozen=True, slots=True, eq=False)
class StoredInputs:
    """Rows of a source, all of them or those at some positions."""

    kind: Reads
    """What they are."""
    source: Source
    """Where they are read from."""
    rows: NDArray[np.intp] | None = None
    """Positions in the source; None for all in order."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.source) if self.rows is None else len(self.rows)

    def take(self, rows: NDArray[np.intp] | slice) -> StoredInputs:
        """Return some of the rows; nothing is read."""
        at = np.arange(len(self.source))[rows] if self.rows is None else self.rows[rows]
        return replace(self, rows=at)

    def batches(self, rows: int | None = None) -> Iterator[Batch]:
        """Yield all rows in order, so many at a time."""
        yield from (self.source.read(part) for part in self._parts(rows))

    def whole(self) -> Batch:
        """Return all rows at once."""
        return self.source.read(slice(0, len(self.source)) if self.rows is None else self.rows)

    def hashes(self) -> NDArray[np.uint64]:
        """Return one hash a row."""
        return np.concatenate([np.empty(0, dtype=np.uint64), *(self.source.hashes(part) for part in self._parts())])

    def describe(self) -> dict[str, Plain]:
        """Return what they are and where they come from."""
        return {"kind": self.kind, **self.source.describe()}

    def _parts(self, rows: int | None = None) -> Iterator[NDArray[np.intp] | slice]:
        size = rows or self.source.at_once
        for at in _starts(self, size):
            end = min(at + size, len(self))
            yield slice(at, end) if self.rows is None else self.rows[at:end]


def _starts(inputs: Inputs, size: int) -> range:
    return range(0, max(1, len(inputs)), size)


def rows_at_once(shape: Sequence[int], bytes_each: int) -> int:
    """Return how many arrays of a shape make a batch."""
    return max(1, min(MOST_ROWS, BYTES // max(1, math.prod(shape) * bytes_each)))


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Texts, token ids or records in memory."""

    values: Sequence[Any] | NDArray[Any] | pd.Series
    """A list, an array of objects or a column."""
    name: str = "memory"
    """Where they come from: a column's name, say."""

    @property
    def at_once(self) -> int:
        """Rows of a batch."""
        return MOST_ROWS

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    def read(self, rows: NDArray[np.intp] | slice) -> list[Any]:
        """Return a list of these rows."""
        if isinstance(self.values, pd.Series):
            return self.values.iloc[rows].tolist()
        return list(self.values[rows]) if isinstance(rows, slice) else [self.values[at] for at in rows]

    def hashes(self, rows: NDArray[np.intp] | slice) -> NDArray[np.uint64]:
        """Return one hash for each of these rows."""
        return hash_batch(self.read(rows))

    def describe(self) -> dict[str, Plain]:
        """Return where they come from."""
        return {"from": self.name}


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """An array (n, ...) in memory or mapped from a file, of which a batch is read at a time."""

    values: NDArray[Any]
    """(n, ...) as it is handed to the model."""

    @property
    def at_once(self) -> int:
        """Rows of a batch."""
        return rows_at_once(self.values.shape[1:], self.values.itemsize)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    def read(self, rows: NDArray[np.intp] | slice) -> NDArray[Any]:
        """Return these rows; of a file they are copied, and the pages that held them are given back."""
        found = self.values[rows]
        if not isinstance(self.values, np.memmap):
            return found
        import mmap

        copied, pages = np.array(found), getattr(self.values, "_mmap", None)
        if self.values.mode in ("r", "r+") and pages is not None and hasattr(mmap, "MADV_DONTNEED"):
            pages.madvise(mmap.MADV_DONTNEED)  # else every page that was read counts as this process's memory
        return copied

    def hashes(self, rows: NDArray[np.intp] | slice) -> NDArray[np.uint64]:
        """Return one hash for each of these rows."""
        return hash_batch(self.read(rows))

    def describe(self) -> dict[str, Plain]:
        """Return shape and type of a row."""
        return {"shape": list(self.values.shape[1:]), "dtype": str(self.values.dtype)}


def as_inputs(rows: Inputs | Batch | pd.Series) -> Inputs:
    """Return rows in memory as inputs; inputs as they are.

    Raises
    ------
    InputError
        For what no model reads.
    """
    if isinstance(rows, pd.DataFrame):
        return TableInputs(rows)
    if isinstance(rows, np.ndarray) and rows.dtype.kind in "biufc" and rows.ndim > 1:
        return StoredInputs("arrays", Arrays(rows))
    if isinstance(rows, (list, tuple, np.ndarray, pd.Series)):
        return StoredInputs(_kind_of(rows), Listed(rows))
    if isinstance(rows, Inputs):
        return rows
    raise InputError(f"A {type(rows).__name__} holds no rows: a table, an array (n, ...) or a list is needed.")


def _kind_of(values: Sequence[Any] | NDArray[Any] | pd.Series) -> Reads:
    """Return what a list holds: texts where all are, else as the first row is."""
    held = pd.api.types.infer_dtype(values, skipna=False)
    if held == "string":
        return "texts"
    first = values.iloc[0] if isinstance(values, pd.Series) and len(values) else next(iter(values), None)
    if isinstance(first, Mapping):
        return "records"
    if isinstance(first, (list, tuple, np.ndarray)):
        return "tokens"
    raise InputError(f"Rows of {held} are no inputs: texts, lists of token ids or mappings are, one a row.")


def pick(rows: Inputs | Batch, at: NDArray[np.intp] | slice) -> Batch:
    """Return the rows at some positions, of inputs or of a batch in memory, as a model is given them."""
    return as_inputs(rows).take(at).whole()
