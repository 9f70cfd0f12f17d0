"""Means that rest on few of the rows: those that move at all, or those whose outcome is the heavier one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics.counts.sums import rows_by, sums_by

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.messages import Message
    from evenhand.metrics.counts.arrays import Floats, Marks

__all__ = ["few_heavier", "few_moved"]

LEAST: Final = 10
"""Rows that carry a mean below which no interval of it covers."""
MOSTLY: Final = 0.5
"""The share of values of exactly 0 above which a mean rests on the others."""


def few_moved(values: ArrayLike, codes: ArrayLike, n_groups: int = 1) -> tuple[str, ...]:
    """Return for each group why the mean of values that are mostly 0 has no interval that covers; empty where all have.

    Parameters
    ----------
    values : (n,) array
        What is averaged.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.

    Examples
    --------
    >>> few_moved([0.0] * 30 + [1.5] * 3, [0] * 33)[0]
    'Most values are exactly 0, and the mean rests on fewer than 10 rows that are not.'
    >>> few_moved([0.0] * 30 + [1.5] * 12, [0] * 42)
    ()
    """
    group = np.asarray(codes).astype(np.intp)
    others = rows_by(group[np.asarray(values) != 0], n_groups)
    why = message("Most values are exactly 0, and the mean rests on fewer than {rows} rows that are not.", rows=LEAST)
    return _told((others < LEAST) & (others < (1 - MOSTLY) * rows_by(group, n_groups)), why)


def few_heavier(
    if_so: ArrayLike, if_not: ArrayLike, happened: ArrayLike, codes: ArrayLike, n_groups: int = 1
) -> tuple[str, ...]:
    """Return for each group why the mean change of a loss has no interval that covers; empty where all have.

    Given its score a row has one of two changes, by its outcome. Until some rows were seen with the outcome that moves
    the loss more, neither the mean nor its spread is known; nor where no row moves at all. Rows are counted by what
    the outcome makes of them (Kish).

    Parameters
    ----------
    if_so, if_not : (n,) arrays
        The change of the loss where the truth is 1, and where it is 0.
    happened : (n,) array of 0 and 1
        The truth.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.

    Examples
    --------
    >>> import numpy as np
    >>> rare, common = np.full(60, 1.2), np.full(60, -0.01)
    >>> few_heavier(rare, common, [1] * 4 + [0] * 56, [0] * 60)[0]
    'The change of a loss rests on rows whose outcome moves it most, and fewer than 10 of these are here.'
    >>> few_heavier(rare, common, [1] * 14 + [0] * 46, [0] * 60)
    ()
    """
    group = np.asarray(codes).astype(np.intp)
    so, other = np.asarray(if_so, dtype=np.float64), np.asarray(if_not, dtype=np.float64)
    apart, true = np.abs(so - other), np.asarray(happened) == 1
    heavier = np.where(true == (np.abs(so) > np.abs(other)), apart, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        number: Floats = sums_by(group, heavier, n_groups) ** 2 / sums_by(group, heavier**2, n_groups)
    why = message(
        "The change of a loss rests on rows whose outcome moves it most, and fewer than {rows} of these are here.",
        rows=LEAST,
    )
    return _told(np.nan_to_num(number) < LEAST * (1 - 1e-9), why)


def _told(marked: Marks, why: Message) -> tuple[str, ...]:
    return tuple(why if few else "" for few in marked) if marked.any() else ()
