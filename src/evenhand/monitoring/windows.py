"""Sums since a few starting batches, so that a change late in a long series is not diluted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

Counts: TypeAlias = "Mapping[str, NDArray[np.int64]]"
"""Counts of rows by name, each a flat or shaped array; those of two batches add up."""
Windows: TypeAlias = "Mapping[int, Counts]"
"""The sums since each starting batch that is kept; 0 is the first batch ever."""
PATIENCE: Final = 4
"""How often its own spacing a start is kept for: starts are the denser, the nearer."""


def weight(start: int) -> float:
    """Return the share of the error that a starting batch has: half for the first, the rest over all others for ever.

    1/2 + the sum over j >= 1 of 1 / (2 j (j + 1)) = 1, however many batches are to come; so a start that is no longer
    kept loses power and no validity.

    Parameters
    ----------
    start : int
        The number of the batch, from 0.

    Examples
    --------
    >>> weight(0), weight(1), round(sum(weight(start) for start in range(10_000)), 3)
    (0.5, 0.25, 1.0)
    """
    return 0.5 if start == 0 else 0.5 / (start * (start + 1))


def is_kept(start: int, batches: int) -> bool:
    """Return whether a start is kept after so many batches: it depends on their numbers alone.

    Starts that 2^v divides, and no higher power, are kept for 4 x 2^v batches: about two of each power, so that of a
    million batches some 40 starts are left.

    Parameters
    ----------
    start : int
        The number of the batch, from 0.
    batches : int
        How many batches there were.

    Examples
    --------
    >>> [start for start in range(100) if is_kept(start, 100)]
    [0, 32, 48, 64, 72, 80, 84, 88, 92, 94, 96, 97, 98, 99]
    """
    return start == 0 or batches - start <= PATIENCE * (start & -start)


def advanced(windows: Windows, counts: Counts, batch: int) -> dict[int, Counts]:
    """Return the windows after one more batch, whose number is `batch`: each has grown, and one has begun."""
    grown = {start: added(held, counts) for start, held in windows.items() if is_kept(start, batch + 1)}
    return {**grown, batch: counts}


def added(one: Counts, other: Counts) -> Counts:
    """Return the sums of two batches of counts; a name that one lacks counts nothing there."""
    both = {name: one[name] + other[name] for name in one if name in other}
    return {**one, **other, **both}
