"""Lots that are a function of the row: the same row draws the same number, in any batch, order and process."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, cast

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Batch

STEP, FIRST, SECOND = (np.uint64(part) for part in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
ABSENT: Final = ""
"""A missing value as text."""


def uniform(rows: NDArray[np.uint64], seed: int, draw: int) -> NDArray[np.float64]:
    """Return a number in [0, 1) of each fingerprint, the seed and the draw (splitmix64; Steele et al. 2014).

    Parameters
    ----------
    rows : NDArray[np.uint64]
        (n,) fingerprints.
    seed, draw : int
        Other numbers for other seeds, and for other draws of one.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.arange(100_000, dtype=np.uint64)
    >>> bool(abs((uniform(rows, 1, 0) < 0.3).mean() - 0.3) < 0.01)
    True
    """
    key = np.random.SeedSequence([seed, draw]).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        mixed = (rows ^ key) + STEP
        return np.asarray((_mix(mixed) >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def fingerprints(batch: Batch) -> NDArray[np.uint64]:
    """Return a fingerprint of each row: of a table by columns' names and values, in any order of columns.

    1, 1.0 and True are the same value, a category is its text, and all kinds of missing values are one.

    Parameters
    ----------
    batch : table, array or list
        What a model reads of the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> one, other = pd.DataFrame({"a": [1, 2], "b": ["x", None]}), pd.DataFrame({"b": ["x", None], "a": [1.0, 2.0]})
    >>> bool((fingerprints(one) == fingerprints(other)).all())
    True
    """
    if not hasattr(batch, "columns"):
        return np.array([_of_bytes(_bytes(row)) for row in batch], dtype=np.uint64)
    table = cast("pd.DataFrame", batch)
    total = np.zeros(len(table), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for place, column in enumerate(table.columns):
            own = np.uint64(_of_bytes(str(column).encode("utf-8", "surrogatepass")))
            total += _mix(_values(table.iloc[:, place]) ^ own)
        return _mix(total)


def texts(column: pd.Series) -> NDArray[np.object_]:
    """Return values as text: a whole number without its point, a missing value as the empty text.

    Parameters
    ----------
    column : pd.Series
        (n,) values of any kind.

    Examples
    --------
    >>> import pandas as pd
    >>> texts(pd.Series([1.0, 2.5, None])).tolist(), texts(pd.Series([True, False])).tolist()
    (['1', '2.5', ''], ['1', '0'])
    """
    import pandas as pd

    codes, found = pd.factorize(column)
    known = np.array([*map(_text, found), ABSENT], dtype=object)
    return known[codes]


def _text(value: object) -> str:
    if isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        return f"{int(value)}" if float(value).is_integer() else repr(float(value))
    return str(value)


def _values(column: pd.Series) -> NDArray[np.uint64]:
    """Return a hash of each value; where values repeat, each is hashed once."""
    import pandas as pd

    codes, found = pd.factorize(column)
    hashed = [_of_bytes(_text(value).encode("utf-8", "surrogatepass")) for value in found]
    return np.array([*hashed, _of_bytes(ABSENT.encode())], dtype=np.uint64)[codes]


def _bytes(row: object) -> bytes:
    if isinstance(row, str):
        return row.encode("utf-8", "surrogatepass")
    if isinstance(row, dict):
        return b"\0".join(f"{name}\0".encode() + _bytes(row[name]) for name in sorted(row, key=str))
    values = np.ascontiguousarray(row)
    return f"{values.dtype.str}{values.shape}".encode() + values.tobytes()


def _of_bytes(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all 64 (the finalizer of splitmix64: Steele, Lea, Flood 2014)."""
    mixed = (bits ^ (bits >> np.uint64(30))) * FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * SECOND
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)
