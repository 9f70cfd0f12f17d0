"""Tables of counts put together: what one count of all rows would have given, exactly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from evenhand.errors import InputError, shorten
from evenhand.evidence.counting import BIN, FREQUENCY, SCORE, SQUARES, WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable


def merge_counts(tables: Iterable[object], frequency: str = FREQUENCY) -> pd.DataFrame:
    """Return the sum of several tables of counts: of the shards of one table, say.

    Rows and weights add up; the mean score of a bin is that of all its rows.

    Parameters
    ----------
    tables : iterable of paths or pandas tables
        Of the same columns, as `count_files` makes them.
    frequency : str
        The column of counts.

    Raises
    ------
    InputError
        When a table has other columns, or no column of counts.
    """
    frames = [table if isinstance(table, pd.DataFrame) else _counts_file(Path(str(table))) for table in tables]
    first = list(frames[0].columns)
    for frame in frames:
        if frequency not in frame.columns or set(frame.columns) != set(first):
            raise InputError(f"The tables of counts differ in their columns, or lack '{shorten(frequency)}'.")
    whole = pd.concat([frame[first] for frame in frames], ignore_index=True)
    means = [SCORE] if {BIN, SCORE} <= set(first) else []
    sums = [frequency, *means, *((WEIGHT, SQUARES) if {WEIGHT, SQUARES} <= set(first) else ())]
    for column in means:
        whole[column] *= whole[frequency]
    keys = [column for column in first if column not in sums]
    merged = whole.groupby(keys, dropna=False, sort=True)[sums].sum().reset_index()
    for column in means:
        merged[column] = (merged[column] / merged[frequency]).clip(0, 1)
    return merged[first]


def _counts_file(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise InputError(f"{path}: there is no such file.")
    # texts stay what they are, so that equal groups of two shards are equal; only the empty field is missing
    return pd.read_csv(path, keep_default_na=False, na_values=[""])
