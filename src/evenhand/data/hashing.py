"""Fingerprints of rows and tables, the same in every process and for every order of rows and columns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.values import CHUNK, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from evenhand.findings import Batch

_ABSENT = np.uint64(0x9E3779B97F4A7C15)
FEW: Final = 1024
"""Whole numbers this near each other are hashed once each."""
SAMPLE: Final = 10_000
"""Rows that tell whether rows repeat each other."""


def hash_rows(table: pd.DataFrame, columns: Iterable[str], y_true: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Return one hash per row over named columns and the truth.

    ``mix(sum over columns of mix(hash(value) xor hash(name)))`` in 64-bit arithmetic, so the order of the columns does
    not matter. 1, 1.0 and True are the same value, and so are all kinds of missing values.

    Parameters
    ----------
    table : pd.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns to look at.
    y_true : NDArray[np.int8]
        (n,) or (n, labels) the truth, which is part of a row.

    Returns
    -------
    NDArray[np.uint64]
        (n,) equal for equal rows; two different rows are equal with a chance of about 2**-64.
    """
    names = list(columns)
    if len(table) > CHUNK and not any(table[name].dtype == object for name in names):  # objects are one kind as a whole
        parts = [slice(start, start + CHUNK) for start in range(0, len(table), CHUNK)]
        return np.concatenate([hash_rows(table.iloc[part], names, y_true[part]) for part in parts])
    truths = y_true.reshape(len(y_true), -1)
    total = _each(truths[:, 0], lambda values: _mix(_hash_numbers(values)))
    for place in range(1, truths.shape[1]):
        total = _mix(total ^ _each(truths[:, place], _hash_numbers))
    for column, own in zip(names, _hash_texts(names), strict=True):
        total += hash_column(table[column], lambda hashed, own=own: _mix(hashed ^ own))  # type: ignore[misc]
    return _mix(total)


def hash_column(
    column: pd.Series, finish: Callable[[NDArray[np.uint64]], NDArray[np.uint64]] = np.asarray
) -> NDArray[np.uint64]:
    """Return one hash per value, of a number as a double, of anything else as text; `finish` makes it another one.

    Where values are few, each is hashed once.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        return finish(np.append(hash_column(pd.Series(column.cat.categories)), _ABSENT))[codes]
    if column.dtype == object:
        column = column.infer_objects()
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype):
        whole = isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub"
        numbers = column.to_numpy() if whole else column.to_numpy(dtype=np.float64, na_value=np.nan)
        return _each(numbers, lambda values: finish(_hash_numbers(values)))
    codes, found = pd.factorize(column.map(show, na_action="ignore") if column.dtype == object else column)
    return finish(np.append(_hash_texts([show(value) for value in found]), _ABSENT))[codes]


def _each(
    numbers: NDArray[np.generic], hashed: Callable[[NDArray[np.float64]], NDArray[np.uint64]]
) -> NDArray[np.uint64]:
    """Return the hash of each number; of whole ones that are near each other, each of these is hashed once."""
    if len(numbers) > FEW and numbers.dtype.kind in "iub":
        low, high = int(numbers.min()), int(numbers.max())
        if high - low < FEW:
            places = numbers.astype(np.intp) if low == 0 else numbers.astype(np.int64) - low
            return hashed(np.arange(low, high + 1).astype(np.float64))[places]
    return hashed(numbers.astype(np.float64))


def hash_content(row_hashes: NDArray[np.uint64], columns: Iterable[str]) -> str:
    """Return the sha256 over sorted column names and sorted row hashes: one name for a table, whatever its order."""
    digest = hashlib.sha256()
    for column in sorted(columns):
        digest.update(column.encode("utf-8", "surrogatepass") + b"\0")
    ordered = _in_order(row_hashes)
    for start in range(0, len(ordered), CHUNK):
        digest.update(ordered[start : start + CHUNK].astype("<u8").tobytes())
    return digest.hexdigest()


def _in_order(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return hashes in order; where the first rows repeat each other, the different ones are put in order alone."""
    head = hashes[:SAMPLE]
    if len(np.unique(head)) * 2 > len(head):
        return np.sort(hashes)
    step = CHUNK // 4
    parts = (pd.factorize(hashes[start : start + step]) for start in range(0, len(hashes), step))
    met, times = zip(*((found, np.bincount(codes)) for codes, found in parts), strict=True)
    found, place = np.unique(np.concatenate(met), return_inverse=True)
    return np.repeat(found, np.bincount(place, np.concatenate(times)).astype(np.intp))


def overlap(evaluated: NDArray[np.uint64], fitted: NDArray[np.uint64]) -> int:
    """Return how many rows of `evaluated` have an equal row in `fitted`.

    Equal people may well be different people: in a table of few, coarse columns some overlap is to be expected.

    Parameters
    ----------
    evaluated, fitted : NDArray[np.uint64]
        (n,) and (m,) row hashes, as `EvaluationSet.row_hashes` gives them for the same roles.

    Examples
    --------
    >>> import evenhand as eh
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> hashes = parts["test"].row_hashes()
    >>> overlap(hashes, hashes) == len(hashes)
    True
    """
    return int(np.isin(evaluated, fitted).sum())


def hash_batch(batch: Batch) -> NDArray[np.uint64]:
    """Return one hash per row: of a table, of arrays (n, ...) with shape and type, of texts, token ids or records."""
    if isinstance(batch, pd.DataFrame):
        return hash_rows(batch, map(str, batch.columns), np.zeros(len(batch), dtype=np.int8))
    if not isinstance(batch, np.ndarray) and all(isinstance(row, str) for row in batch):
        return _hash_texts([str(row) for row in batch])
    return np.fromiter((_hash_bytes(_row_bytes(row)) for row in batch), dtype=np.uint64, count=len(batch))


def hash_files(folder: Path, files: NDArray[np.object_], rows: NDArray[np.intp] | slice) -> NDArray[np.uint64]:
    """Return one hash for each of some files, of its bytes."""
    return np.array([_hash_bytes((folder / file).read_bytes()) for file in files[rows]], dtype=np.uint64)


def with_inputs(rows: NDArray[np.uint64], inputs: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return (n,) hashes of rows of a table and what else a model reads of each."""
    return _mix(rows ^ _mix(inputs))


def _row_bytes(row: object) -> bytes:
    if isinstance(row, Mapping):
        return b"".join(str(name).encode() + b"\0" + _row_bytes(row[name]) + b"\0" for name in sorted(row, key=str))
    if isinstance(row, str):
        return row.encode("utf-8", "surrogatepass")
    values = np.asarray(row)
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return f"{little.dtype.str}{little.shape}".encode() + little.tobytes()


def _hash_bytes(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _hash_numbers(numbers: NDArray[np.float64]) -> NDArray[np.uint64]:
    plain = numbers + 0.0  # makes -0.0 the same as 0.0
    hashed = _mix(plain.view(np.uint64))
    hashed[np.isnan(plain)] = _ABSENT
    return hashed


def _hash_texts(texts: list[str]) -> NDArray[np.uint64]:
    objects = np.empty(len(texts), dtype=object)
    objects[:] = texts
    return pd.util.hash_array(objects, categorize=False).astype(np.uint64)


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all 64 (the finalizer of splitmix64: Steele, Lea, Flood 2014)."""
    mixed = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)
