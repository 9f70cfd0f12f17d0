"""A compiled loop for counting, where numba is installed and the rows are many enough to pay for it."""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Ints

    Kernel: TypeAlias = Callable[[NDArray[Any], NDArray[Any], NDArray[Any], int, int, int], Ints]

WORTH_IT: Final = 50_000_000
"""Rows from which the seconds that loading and compiling take are less than what the loop saves."""


@cache
def compiled() -> Kernel | None:
    """Return the compiled loop over three columns of codes; None where numba is not installed.

    It counts into four tables in turn, so that neighbouring rows of one cell need not wait for each other.
    """
    if importlib.util.find_spec("numba") is None:
        return None
    import numba

    cell = numba.uintp  # unsigned, so that no index is looked at for being negative

    def count(first: Any, second: Any, third: Any, cells: int, size: int, last: int) -> Any:
        one, two = np.zeros(cells, np.int64), np.zeros(cells, np.int64)
        three, four = np.zeros(cells, np.int64), np.zeros(cells, np.int64)
        rows = len(first)
        whole = rows - rows % 4
        for row in range(0, whole, 4):
            one[cell((first[row] * size + second[row]) * last + third[row])] += 1
            two[cell((first[row + 1] * size + second[row + 1]) * last + third[row + 1])] += 1
            three[cell((first[row + 2] * size + second[row + 2]) * last + third[row + 2])] += 1
            four[cell((first[row + 3] * size + second[row + 3]) * last + third[row + 3])] += 1
        for row in range(whole, rows):
            one[cell((first[row] * size + second[row]) * last + third[row])] += 1
        return one + two + three + four

    kernel: Kernel = numba.njit(count, nogil=True)
    return kernel
