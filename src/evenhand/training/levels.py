"""Levels of a category: found once for a column, however often each stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def count_levels(values: pd.Series) -> dict[str, int]:
    """Return how often each level stands in a column, the most frequent first, then by name; missing cells are none.

    Examples
    --------
    >>> count_levels(pd.Series([2.0, 1.0, None, 1.0]))
    {'1': 2, '2': 1}
    """
    codes, levels = _coded(values)
    counts: dict[str, int] = {}
    for level, count in zip(levels, np.bincount(codes[codes >= 0], minlength=len(levels)), strict=True):
        counts[level] = counts.get(level, 0) + int(count)
    # By count, then by name, so that the same rows in any order give the same columns.
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def place_levels(values: pd.Series, levels: Sequence[str]) -> NDArray[np.intp]:
    """Return (n,) the place of each row's level among `levels`; -1 for others, -2 where it is missing.

    Examples
    --------
    >>> place_levels(pd.Series([2.0, 1.0, None, 3.0]), ["1", "2"])
    array([ 1,  0, -2, -1])
    """
    codes, found = _coded(values)
    known = {level: at for at, level in enumerate(levels)}
    places = [known.get(level, -1) for level in found]
    return np.asarray([*places, -2], dtype=np.intp)[codes]  # missing has code -1, the last place


def texts_of(values: pd.Series) -> NDArray[np.object_]:
    """Return (n,) the text of each row's level; of a missing one, any text.

    Examples
    --------
    >>> texts_of(pd.Series([2.0, 1.5])).tolist()
    ['2', '1.5']
    """
    codes, found = _coded(values)
    return np.asarray([*found, ""], dtype=object)[codes]


def _coded(values: pd.Series) -> tuple[NDArray[np.intp], list[str]]:
    """Return (n,) codes, -1 where missing, and the text of each: of 1 and 1.0, which are one level, the same."""
    codes, found = pd.factorize(values)
    return codes, [show_level(value) for value in found]


def show_level(value: object) -> str:
    """Return a level as text: a whole float as the integer it is."""
    if type(value) is str:
        return value
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def spellings(level: str) -> tuple[str | float, ...]:
    """Return a level as text, and as the number that is shown so, where there is one; true and false are shown as text.

    Examples
    --------
    >>> spellings("3"), spellings("03"), spellings("north")
    (('3', 3.0), ('03',), ('north',))
    """
    try:
        number = float(level)
    except ValueError:
        return (level,)
    return (level, number) if show_level(number) == level else (level,)
