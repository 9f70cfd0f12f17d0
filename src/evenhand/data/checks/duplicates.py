"""Rows that occur again: how many, how many of them coincidence makes, and whether they agree on the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.data.hashing import hash_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

MOST_LEFT_OUT: Final = 60
"""Columns that are left out in turn, to see how many rows differ in one alone."""
LOOKED_AT: Final = 200_000
"""Rows that are enough for that."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many rows equal an earlier one.

    See Also
    --------
    evenhand.data.checks.repeats : Makes it.
    """

    rows: int
    """All rows."""
    repeats: int
    """Rows that equal an earlier one."""
    coincidences: float
    """How many of these are to be expected among different people, by how many rows differ in one or two columns."""

    @property
    def excess(self) -> int:
        """How many more there are than coincidence makes."""
        return max(round(self.repeats - self.coincidences), 0)


def repeats(table: pd.DataFrame, columns: Sequence[str], least: int = 1) -> Repeats:
    """Count rows that equal an earlier one in all of some columns.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : sequence of str
        The columns that are compared: no ids, and nothing that a model has said.
    least : int
        Fewer repeated rows than so are taken for coincidence, which is then not looked at.

    Notes
    -----
    Different people may well be equal in few, coarse columns. Such coincidences come with many pairs that differ in
    one column: where A, B and AB count the pairs that differ in only the first, only the second, and only both of two
    columns, A B / AB pairs that differ in neither are expected if the two vary independently within the others (the
    estimate of Lincoln and Petersen). Copied rows have no such company.

    Examples
    --------
    >>> import pandas as pd
    >>> found = repeats(pd.DataFrame({"income": [1.25, 2.5, 1.25, 4.0], "debt": [3, 1, 3, 7]}), ["income", "debt"])
    >>> found.repeats, found.coincidences
    (1, 0.0)
    """
    names = list(columns)
    total = hash_rows(table, names, np.zeros(len(table), dtype=np.int8))
    count = len(total) - len(np.unique(total))
    if count < max(least, 1) or len(names) < 2:
        return Repeats(len(table), count, float(count))
    part = slice(None) if len(table) <= LOOKED_AT else slice(LOOKED_AT)
    equal = pairs_of(total[part])
    expected = _coincidences(table.iloc[part], names, equal) if equal else 0.0
    return Repeats(len(table), count, float(count * min(expected / max(equal, 1.0), 1.0)))


def _coincidences(table: pd.DataFrame, names: Sequence[str], equal: float) -> float:
    """Return how many pairs of equal rows coincidence makes; `equal` are there."""
    none = np.zeros(len(table), dtype=np.int8)

    def pairs_without(*left: str) -> float:
        return pairs_of(hash_rows(table, [name for name in names if name not in left], none))

    alone = {name: pairs_without(name) - equal for name in names[:MOST_LEFT_OUT]}
    first = sorted(alone, key=lambda name: -alone[name])[:3]
    found = [0.0]
    for at, one in enumerate(first):
        for other in first[at + 1 :]:
            both = pairs_without(one, other) - alone[one] - alone[other] - equal
            found.append(alone[one] * alone[other] / max(both, 1.0))
    return max(found)


def pairs_of(hashes: Hashes) -> float:
    """Return how many pairs of rows are equal.

    Examples
    --------
    >>> pairs_of(np.array([1, 1, 1, 2], dtype=np.uint64))
    3.0
    """
    times = np.unique(hashes, return_counts=True)[1].astype(np.float64)
    return float((times * (times - 1) / 2).sum())


@dataclass(frozen=True, slots=True)
class Twins:
    """How many rows of one table have an equal row in another, and how many have one by coincidence.

    See Also
    --------
    evenhand.data.checks.twins : Makes it.
    """

    rows: int
    """Rows of the one."""
    seen: int
    """Those of them with an equal row in the other."""
    others: int
    """Rows of the other."""
    alike: int
    """Those of the other with an equal row among the rest of the other: what coincidence, and copies there, make."""
    pairs: int
    """Values that occur in exactly two rows of the other."""


def twins(one: Hashes, other: Hashes) -> Twins:
    """Count rows of one table that have an equal row in another.

    Parameters
    ----------
    one, other : (n,) and (m,) arrays of hashes
        Of rows that were evaluated, and of those that a model was fitted on.

    Examples
    --------
    >>> twins(np.array([1, 2, 3], dtype=np.uint64), np.array([3, 4, 4, 5], dtype=np.uint64))
    Twins(rows=3, seen=1, others=4, alike=2, pairs=1)
    """
    _, at, times = np.unique(other, return_inverse=True, return_counts=True)
    alike, pairs = int((times[at] > 1).sum()), int((times == 2).sum())
    return Twins(len(one), int(np.isin(one, other).sum()), len(other), alike, pairs)


def conflicts(hashes: Hashes, truth: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return (n,) whether a row has an equal row with another label.

    Parameters
    ----------
    hashes : (n,) array
        Equal for rows that are equal but for the label.
    truth : (n,) array
        The label.

    Examples
    --------
    >>> conflicts(np.array([7, 7, 8], dtype=np.uint64), np.array([0, 1, 1])).tolist()
    [True, True, False]
    """
    _, at = np.unique(hashes, return_inverse=True)
    low, high = np.full(at.max(initial=-1) + 1, np.inf), np.full(at.max(initial=-1) + 1, -np.inf)
    values = np.asarray(truth, dtype=np.float64)
    np.minimum.at(low, at, values)
    np.maximum.at(high, at, values)
    return np.asarray((low < high)[at])
