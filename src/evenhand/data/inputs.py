"""What a model reads: a table, arrays, texts, token ids or records, in memory or as files, batch by batch."""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pandas as pd

from evenhand.data.hashing import hash_batch
from evenhand.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads

Rows: TypeAlias = "NDArray[np.intp] | slice"
"""Positions of rows."""
BYTES: Final = 1 << 22
"""Bytes of a batch of arrays: a model often makes ten times as much of it."""
MOST_ROWS: Final = 4_096
"""Most rows of a batch of inputs outside the table."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """The rows that a model reads: what they are, how many there are, and a function that reads some of them.

    Nothing is read before it is used; rows are taken by a list of positions.

    Examples
    --------
    >>> squares = Inputs("arrays", 1000, lambda rows: np.arange(1000)[rows, None] ** 2, at_once=400)
    >>> [len(batch) for batch in squares.batches()], squares.take(np.array([3, 2])).whole().tolist()
    ([400, 400, 200], [[9], [4]])
    """

    kind: Reads
    """What they are."""
    count: int
    """Rows that can be read."""
    read: Callable[[Rows], Batch] = field(repr=False)
    """From positions to these rows, as a model is given them."""
    at_once: int = MOST_ROWS
    """Rows of a batch."""
    about: Mapping[str, Plain] = field(default_factory=dict)
    """Where they come from, for the provenance."""
    fingerprint: Callable[[Rows], NDArray[np.uint64]] | None = field(default=None, repr=False)
    """From positions to one hash per row; computed from the rows when not given."""
    rows: NDArray[np.intp] | None = field(default=None, repr=False)
    """Positions that were taken; None for all in order."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.count if self.rows is None else len(self.rows)

    def take(self, rows: Rows) -> Inputs:
        """Return the rows at these positions, in this order; nothing is read."""
        return replace(self, rows=(np.arange(self.count) if self.rows is None else self.rows)[rows])

    def batches(self, rows: int | None = None) -> Iterator[Batch]:
        """Yield all rows in order, so many at a time; by default as many as memory bears, of a table all."""
        yield from map(self.read, self._parts(rows or self.at_once))

    def whole(self) -> Batch:
        """Return all rows at once: take few before, unless of a table."""
        return self.read(slice(0, self.count) if self.rows is None else self.rows)

    def hashes(self) -> NDArray[np.uint64]:
        """Return (n,) one hash a row, equal for equal rows in every process; read batch by batch."""
        one = self.fingerprint or (lambda rows: hash_batch(self.read(rows)))
        return np.concatenate([np.empty(0, dtype=np.uint64), *map(one, self._parts(self.at_once))])

    def describe(self) -> dict[str, Plain]:
        """Return what they are and where they come from."""
        return {"kind": self.kind, **self.about}

    def _parts(self, size: int) -> Iterator[Rows]:
        for at in range(0, max(1, len(self)), max(1, size)):
            end = min(at + size, len(self))
            yield slice(at, end) if self.rows is None else self.rows[at:end]


def as_inputs(rows: Inputs | Batch | pd.Series, name: str = "memory") -> Inputs:
    """Return rows in memory as inputs; inputs as they are.

    Parameters
    ----------
    rows : Inputs, table, array, list or Series
        The rows.
    name : str
        What sentences call them.

    Returns
    -------
    Inputs

    Raises
    ------
    InputError
        For what no model reads.

    Examples
    --------
    >>> import numpy as np
    >>> images = as_inputs(np.zeros((5, 8, 8), dtype="float32"))
    >>> images.kind, len(images)
    ('arrays', 5)
    """
    if isinstance(rows, Inputs):
        return rows
    if isinstance(rows, pd.DataFrame):
        return Inputs("table", len(rows), partial(_of_table, rows), len(rows), {"columns": len(rows.columns)})
    if isinstance(rows, np.ndarray) and rows.dtype.kind in "biufc" and rows.ndim > 1:
        about: dict[str, Plain] = {"shape": list(rows.shape[1:]), "dtype": str(rows.dtype)}
        return Inputs("arrays", len(rows), partial(_of_array, rows), rows_at_once(rows.shape[1:], rows.itemsize), about)
    if isinstance(rows, (list, tuple, np.ndarray, pd.Series)):
        return Inputs(_kind_of(rows), len(rows), partial(_of_list, rows), about={"from": name})
    raise InputError(f"A {type(rows).__name__} holds no rows: a table, an array (n, ...) or a list is needed.")


def pick(rows: Inputs | Batch, at: Rows) -> Batch:
    """Return the rows at some positions, of inputs or of a batch in memory, as a model is given them.

    Parameters
    ----------
    rows : Inputs, table, array or list
        The rows.
    at : (k,) array of int
        The positions.

    Examples
    --------
    >>> import numpy as np
    >>> pick(["a", "b", "c"], np.array([2, 0]))
    ['c', 'a']
    """
    return as_inputs(rows).take(at).whole()


def rows_at_once(shape: Sequence[int], bytes_each: int = 1) -> int:
    """Return how many arrays of a shape make a batch."""
    return max(1, min(MOST_ROWS, BYTES // max(1, math.prod(shape) * bytes_each)))


def _of_table(frame: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    return frame if isinstance(rows, slice) and rows == slice(0, len(frame)) else frame.iloc[rows]


def _of_array(values: NDArray[Any], rows: Rows) -> NDArray[Any]:
    if not isinstance(values, np.memmap):
        return values[rows]
    copied, pages = np.array(values[rows]), getattr(values, "_mmap", None)
    if values.mode in ("r", "r+") and pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)  # else every page that was read counts as this process's memory
    return copied


def _of_list(values: Sequence[Any] | NDArray[Any] | pd.Series, rows: Rows) -> list[Any]:
    if isinstance(values, pd.Series):
        return values.iloc[rows].tolist()
    return list(values[rows]) if isinstance(rows, slice) else [values[at] for at in rows]


def _kind_of(values: Sequence[Any] | NDArray[Any] | pd.Series) -> Reads:
    """Return the kind of a list: texts where all are, else that of the first row."""
    held = pd.api.types.infer_dtype(values, skipna=False)
    first = next(iter(values), None)
    if held == "string":
        return "texts"
    if isinstance(first, Mapping):
        return "records"
    if isinstance(first, (list, tuple, np.ndarray)):
        return "tokens"
    raise InputError(f"Rows of {held} are no inputs: texts, lists of token ids or mappings are, one a row.")
