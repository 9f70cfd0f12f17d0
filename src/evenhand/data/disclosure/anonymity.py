"""How well rows hide among others that are alike in what an outsider may know: k-anonymity and its kin.

Rows that are equal in every quasi-identifier make a class. All measures are exact counts of one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Classes", "classes_of"]

CHUNK: Final = 4_000_000
"""Cells of class x value that are counted at a time."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of rows that are alike in some columns.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"age": [30, 30, 41], "town": ["a", "a", "b"], "ill": ["yes", "no", "no"]})
    >>> found = classes_of(table, ["age", "town"])
    >>> found.k, found.unique.tolist(), found.l(table["ill"])
    (1, [False, False, True], 1)
    """

    codes: NDArray[np.int64]
    """(n,) the class of each row, from 0."""
    sizes: NDArray[np.int64]
    """(C,) the rows of each class."""

    @property
    def k(self) -> int:
        """The rows of the smallest class (Samarati & Sweeney 1998); 0 without rows."""
        return int(self.sizes.min(initial=len(self.codes)))

    @property
    def unique(self) -> NDArray[np.bool_]:
        """(n,) whether no other row is alike."""
        return self.smaller(2)

    def smaller(self, k: int) -> NDArray[np.bool_]:
        """Return (n,) whether fewer than `k` rows are alike, the row itself included."""
        found: NDArray[np.bool_] = self.sizes[self.codes] < k
        return found

    def l(self, sensitive: pd.Series) -> int:  # noqa: E743 - the field's name for it
        """Return the fewest distinct sensitive values in a class (Machanavajjhala et al. 2007); 0 without rows."""
        values = _codes(sensitive)
        many = int(values.max(initial=0)) + 1
        found = np.bincount(np.unique(self.codes * many + values) // many, minlength=len(self.sizes))
        return int(found.min()) if len(found) else 0

    def t(self, sensitive: pd.Series) -> float:
        """Return the greatest distance of a class's distribution of a sensitive value from that of all rows, in [0, 1].

        It is the earth mover's distance of Li et al. (2007): of numbers over their order, with steps of 1 / (m - 1) for
        m distinct values; of other values half the sum of absolute differences of shares.
        """
        import pandas as pd

        ordered = pd.api.types.is_numeric_dtype(sensitive.dtype) and not pd.api.types.is_bool_dtype(sensitive.dtype)
        values, many = _codes(sensitive, sort=ordered), len(self.sizes)
        m = int(values.max(initial=0)) + 1
        if m < 2:
            return 0.0
        whole = np.bincount(values, minlength=m) / len(values)
        order = np.argsort(self.codes, kind="stable")
        ends, farthest = np.concatenate([[0], np.cumsum(self.sizes)]), 0.0
        step = max(1, CHUNK // m)
        for first in range(0, many, step):
            last = min(first + step, many)
            rows = order[ends[first] : ends[last]]
            cells = np.bincount((self.codes[rows] - first) * m + values[rows], minlength=(last - first) * m)
            apart = cells.reshape(-1, m) / self.sizes[first:last, None] - whole
            moved = np.abs(np.cumsum(apart, axis=1)).sum(axis=1) / (m - 1) if ordered else np.abs(apart).sum(axis=1) / 2
            farthest = max(farthest, float(moved.max()))
        return farthest


def classes_of(table: pd.DataFrame, columns: Sequence[str]) -> Classes:
    """Return the classes of rows that are equal in some columns; missing values are equal to each other.

    Parameters
    ----------
    table : pd.DataFrame
        (n, m) the rows.
    columns : sequence of str
        The quasi-identifiers: what an outsider may know of people, each harmless alone.

    Examples
    --------
    >>> import pandas as pd
    >>> classes_of(pd.DataFrame({"age": [1, 1, 2]}), ["age"]).sizes.tolist()
    [2, 1]
    """
    codes = np.zeros(len(table), dtype=np.int64)
    for column in columns:
        values = _codes(table[column])
        codes = np.unique(codes * (values.max(initial=0) + 1) + values, return_inverse=True)[1].astype(np.int64)
    return Classes(codes, np.bincount(codes).astype(np.int64))


def _codes(column: pd.Series, *, sort: bool = False) -> NDArray[np.int64]:
    """Return (n,) codes of a column's values from 0, those of missing values last."""
    import pandas as pd

    codes = pd.factorize(column, sort=sort)[0].astype(np.int64)
    codes[codes < 0] = codes.max(initial=-1) + 1
    return codes
