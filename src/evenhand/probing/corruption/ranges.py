"""What is plausible: the ranges and categories of columns, and of arrays, as training rows show them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from evenhand.findings import Batch

__all__ = ["Column", "Kind", "Ranges", "learn_ranges"]

Kind: TypeAlias = Literal["number", "category", "text", "other"]
"""A column of numbers, of a few values, of free text, or one that is left alone."""
WORDS: Final = 3.0
"""Blanks of a mean value from which on a column of many different strings is free text."""
MANY: Final = 20
"""Different strings from which on a column may be free text."""
MOST: Final = 1_000
"""Different strings of a column that are drawn from; the most frequent ones."""
USUAL: Final = 0.5
"""The share of rows that have the usual number of a column at least."""
CHANNELS: Final = (1, 2, 3, 4)
"""Numbers of channels that an image may have."""
WHITE: Final = 255
"""The greatest value of an image of bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """What training rows show of one column.

    Examples
    --------
    >>> found = learn_ranges(pd.DataFrame({"age": [20, 30, 40]})).columns["age"]
    >>> found.kind, found.whole, found.low, found.high, found.mean
    ('number', True, 20.0, 40.0, 30.0)
    """

    kind: Kind
    """What it holds."""
    whole: bool = False
    """Whether all its numbers are whole."""
    low: float = 0.0
    """The least number."""
    high: float = 0.0
    """The greatest number."""
    mean: float = 0.0
    """The mean number."""
    spread: float = 0.0
    """Standard deviation."""
    usual: float = math.nan
    """The number that more than half of the rows have, such as no capital gain; nan where there is none."""
    values: tuple[Any, ...] = ()
    """Its values, the most frequent first; of those as frequent, in the order of their text. None of numbers."""
    shares: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """The share of each of these values."""
    strings: bool = False
    """Whether its values are strings."""
    missing: bool = False
    """Whether some are missing."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """What is plausible in rows, and what must stay as it is.

    Examples
    --------
    >>> learn_ranges(np.zeros((2, 8, 8), dtype="uint8")).high
    255.0
    """

    columns: Mapping[str, Column] = field(default_factory=dict)
    """The columns of a table that may change."""
    kept: tuple[str, ...] = ()
    """The columns that never change."""
    takes_missing: frozenset[Kind] = frozenset()
    """In which kinds of columns the model takes missing values; in others a cell is filled with mean or mode."""
    takes_unseen: bool = False
    """Whether it takes a category that no row has."""
    low: float = 0.0
    """The least value of an array."""
    high: float = 1.0
    """The greatest value of an array."""
    images: bool = True
    """Whether arrays have a height and a width."""
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Words in small letters, each with what else says it."""

    def of(self, *kinds: Kind) -> dict[str, Column]:
        """Return the columns of some kinds that may change."""
        return {name: column for name, column in self.columns.items() if column.kind in kinds}


def layout(shape: tuple[int, ...]) -> int | None:
    """Return the axis of a batch (n, ...) that has the channels; 0 for none, None where it holds no images.

    Examples
    --------
    >>> layout((5, 28, 28)), layout((5, 28, 28, 3)), layout((5, 3, 28, 28)), layout((5, 784))
    (0, 3, 1, None)
    """
    if len(shape) == 3:
        return 0 if min(shape[1:]) > 1 else None
    if len(shape) != 4:
        return None
    return 1 if shape[1] in CHANNELS and shape[3] not in CHANNELS else 3 if shape[3] in CHANNELS else None


def learn_ranges(
    rows: Batch, immutable: Iterable[str] = (), synonyms: Mapping[str, tuple[str, ...]] | None = None
) -> Ranges:
    """Return what rows show to be plausible.

    Parameters
    ----------
    rows : table, array (n, ...) or list of texts
        Training rows, or others like those that are corrupted.
    immutable : names
        Columns that are never changed.
    synonyms : mapping, optional
        Words, each with what else says it.

    Returns
    -------
    Ranges

    Examples
    --------
    >>> rows = pd.DataFrame({"age": [20, 30, 41], "job": ["a", "b", "a"], "sex": ["f", "m", "f"]})
    >>> found = learn_ranges(rows, immutable=["sex"])
    >>> list(found.columns), found.columns["job"].values, found.kept
    (['age', 'job'], ('a', 'b'), ('sex',))
    """
    words = {word.casefold(): tuple(others) for word, others in (synonyms or {}).items() if others}
    if isinstance(rows, pd.DataFrame):
        kept = set(immutable)
        columns = {str(name): _column(rows[name]) for name in rows.columns if str(name) not in kept}
        return Ranges(columns, tuple(str(name) for name in rows.columns if str(name) in kept))
    if not isinstance(rows, np.ndarray):
        return Ranges(synonyms=words)
    if rows.dtype == np.uint8:
        return Ranges(low=0.0, high=float(WHITE), images=layout(rows.shape) is not None)
    low, high = float(rows.min(initial=0.0)), float(rows.max(initial=0.0))
    return Ranges(low=low, high=max(high, 1.0) if low >= 0 else high, images=layout(rows.shape) is not None)


def _column(values: pd.Series) -> Column:
    known = values.dropna()
    missing = len(known) < len(values)
    if len(known) == 0 or isinstance(known.iloc[0], (list, tuple, dict, np.ndarray)):
        return Column("other")
    numeric = pd.api.types.is_numeric_dtype(known.dtype) and not pd.api.types.is_bool_dtype(known.dtype)
    if numeric and known.nunique() > 2:
        return _numbers(known.to_numpy(dtype=np.float64), missing)
    if not numeric and pd.api.types.is_datetime64_any_dtype(known.dtype):
        return Column("other")
    counts = known.astype(object).value_counts()
    order = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))[:MOST]
    if len(order) < 2:
        return Column("other")
    sizes = np.array([count for _, count in order], dtype=np.float64)
    strings = all(isinstance(value, str) for value, _ in order)
    kind: Kind = "category"
    if strings and len(counts) >= MANY and np.mean([str(value).count(" ") for value, _ in order]) >= WORDS:
        kind = "text"
    return Column(
        kind, values=tuple(value for value, _ in order), shares=sizes / sizes.sum(), strings=strings, missing=missing
    )


def _numbers(values: NDArray[np.float64], missing: bool) -> Column:
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return Column("other")
    whole = bool((values == np.rint(values)).all())
    ends, spread = (float(values.min()), float(values.max())), float(values.std())
    middle = float(np.median(values))  # what more than half of the rows have is their median
    usual = middle if float((values == middle).mean()) > USUAL else math.nan
    return Column("number", whole, *ends, float(values.mean()), spread, usual, missing=missing)
