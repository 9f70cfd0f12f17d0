"""Columns of a delimited file as they are written: numbers only where the text of each is how the number is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.validating import MOST_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?").fullmatch
_AMOUNT: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?").fullmatch
_DIGITS: Final = 15
"""Digits that a double holds exactly; a longer number is a code."""
_BOOLEANS: Final = ({"True", "False"}, {"TRUE", "FALSE"}, {"true", "false"})
"""The first is how booleans are shown."""


def as_written(column: pd.Series, booleans: bool = False) -> pd.Series:
    """Return a column of texts, as numbers where that merges no two of them and changes no name.

    "01" and "1", "1e3" and "1000", "TRUE" and "true" stay the texts that they are, and so does every column that holds
    one of them, or a number of more than 15 digits.

    Parameters
    ----------
    column : pd.Series
        (n,) texts, as they stand in the file; missing values are NaN.
    booleans : bool
        Whether "TRUE" and "FALSE", or "true" and "false", become booleans, too, as "True" and "False" always do.

    Examples
    --------
    >>> import pandas as pd
    >>> as_written(pd.Series(["1", "2", "10"])).tolist(), as_written(pd.Series(["01", "1"])).tolist()
    ([1, 2, 10], ['01', '1'])
    """
    codes, found = pd.factorize(column)
    texts = [str(text) for text in found]
    if texts and any(set(texts) <= pair for pair in (_BOOLEANS if booleans else _BOOLEANS[:1])):
        values: Iterable[object] = [text[0] in "Tt" for text in texts]
    elif texts and _are_numbers(texts):
        values = _numbers(texts)
    else:
        return column
    known = pd.Series(values)
    if (codes < 0).any():
        known = pd.concat([known.astype(object if known.dtype == bool else np.float64), pd.Series([np.nan])])
    return pd.Series(known.to_numpy()[codes], index=column.index, name=column.name)


def _are_numbers(texts: list[str]) -> bool:
    bare = [text.strip() for text in texts]
    if len(bare) > MOST_NUMBERS and any("." in text for text in bare):
        return all(map(_AMOUNT, bare))  # so many with a point are amounts, which make no groups without edges
    if not all(_NUMBER(text) and (len(text) <= _DIGITS or "." in text) for text in bare):
        return False
    return len(set(map(float, bare))) == len(texts)


def _numbers(texts: list[str]) -> np.ndarray:
    whole = not any(set(text) & set(".eE") for text in texts)
    return np.array([float(text) for text in texts]).astype(np.int64 if whole else np.float64)
