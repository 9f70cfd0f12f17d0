"""People who labelled the same row, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evenhand.data.values import is_number
from evenhand.errors import InputError, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Disagreement:
    """Where several people labelled a row.

    See Also
    --------
    evenhand.data.checks.disagreements : Makes it.
    """

    several: NDArray[np.bool_]
    """(n,) whether at least two people did."""
    differ: NDArray[np.bool_]
    """(n,) whether they did not all say the same."""


def disagreements(table: pd.DataFrame, columns: Sequence[str], votes: bool = False, name: str = "data") -> Disagreement:
    """Return for each row whether those who labelled it agree.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : sequence of str
        One column for each person, with what they said; or one for each class, with how many people said it.
    votes : bool
        Whether the columns hold numbers of people.
    name : str
        How sentences call the table.

    Raises
    ------
    InputError
        When there are fewer than two columns, one is absent, or numbers of people are no whole numbers.

    Examples
    --------
    >>> rows = pd.DataFrame({"ann": ["hate", "fine"], "ben": ["hate", "hate"], "cem": [None, "fine"]})
    >>> disagreements(rows, ["ann", "ben", "cem"]).differ.tolist()
    [False, True]
    """
    raise_all(InputError, _problems(table, columns, votes, name))
    if votes:
        counts = np.column_stack([table[c].to_numpy(dtype=np.float64, na_value=0.0) for c in columns])
        return Disagreement(counts.sum(axis=1) >= 2, (counts > 0).sum(axis=1) > 1)
    texts = np.column_stack([table[column].astype(str).to_numpy(dtype=object) for column in columns])
    known = np.column_stack([table[column].notna().to_numpy() for column in columns])
    codes = pd.factorize(texts.ravel())[0].reshape(texts.shape)
    low = np.where(known, codes, np.iinfo(np.int64).max).min(axis=1)
    high = np.where(known, codes, -1).max(axis=1)
    several = known.sum(axis=1) >= 2
    return Disagreement(several, several & (low < high))


def _problems(table: pd.DataFrame, columns: Sequence[str], votes: bool, name: str) -> Iterator[str]:
    if len(columns) < 2:
        yield f"{name}: whether people agree is told by at least two columns of what they said."
    for column in columns:
        if column not in table:
            yield f"{name}: there is no column '{shorten(column)}' of what a person said."
        elif votes:
            numbers = table[column].to_numpy(dtype=np.float64, na_value=0.0) if is_number(table[column]) else None
            if numbers is None or (numbers != np.floor(numbers)).any() or (numbers < 0).any():
                yield f"{name}: column '{shorten(column)}' holds no numbers of people."
