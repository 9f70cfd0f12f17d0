"""From columns to group codes: single features and their intersections."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evenhand.data.lookalikes import is_mixed
from evenhand.data.values import order, show
from evenhand.keys import group_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

MISSING = "(missing)"
"""The group of rows without a value. The texts "nan" and "" are values like any other."""

_DENSE = 1 << 24
"""Intersections up to this many cells are counted in an array; more are sorted."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of one feature, or of the intersection of several.

    Groups without rows have no code; `iter_empty` yields them.

    Examples
    --------
    >>> import evenhand as eh
    >>> race = eh.load_loanapp().grouping("race")
    >>> race.columns, race.labels
    (('race',), (('black',), ('hispanic',), ('white',)))
    """

    columns: tuple[str, ...]
    """The columns that make the groups: ``("race",)`` or ``("race", "sex")``."""
    labels: tuple[tuple[str, ...], ...]
    """One tuple of values a group, as text, in order."""
    codes: NDArray[np.int32]
    """(n,) index into `labels`."""
    values: tuple[tuple[str, ...], ...] = ()
    """The values of each column, in order."""

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.labels)

    def name(self, group: int) -> str:
        """Return a group as the page names it: its value, or ``race=black, sex=female`` for an intersection."""
        return group_name(zip(self.columns, self.labels[group], strict=True))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all groups."""
        return tuple(self.name(group) for group in range(len(self.labels)))

    @property
    def rows(self) -> NDArray[np.int64]:
        """(G,) the number of rows of each group."""
        return np.bincount(self.codes, minlength=len(self.labels)).astype(np.int64)

    def iter_empty(self) -> Iterator[tuple[str, ...]]:
        """Yield the empty intersections one by one, for features with too many values to list all."""
        seen = set(self.labels)
        return (labels for labels in product(*self.values) if self.values and labels not in seen)


def encode(name: str, column: pd.Series, edges: Sequence[float] | None = None) -> Grouping:
    """Return the groups of one column.

    Numbers are in numeric order, False before True, ordered categories in their order, everything else in the order
    of its text. Rows without a value make the last group, `MISSING`.

    Parameters
    ----------
    name : str
        The column's name.
    column : pd.Series
        (n,) its values.
    edges : sequence of float, optional
        Increasing edges for a numeric column: a value v is in the group from edge e if e <= v < the next edge.
    """
    if edges is not None:
        codes, texts = _binned(column, edges)
    elif isinstance(column.dtype, pd.CategoricalDtype):
        codes, texts = _categories(column)
    else:
        codes, texts = _factorized(column)
    codes, labels = _used(codes, texts, known=not isinstance(column.dtype, pd.CategoricalDtype) and edges is None)
    absent = codes < 0
    if absent.any():
        codes = codes.copy()
        word = MISSING
        while word in labels:
            word = f"({word})"
        codes[absent] = len(labels)
        labels = (*labels, word)
    return Grouping((name,), tuple((text,) for text in labels), codes, (labels,))


def called(grouping: Grouping, names: Mapping[str, str]) -> Grouping:
    """Return the groups of one column with names in place of values, in the order of the values."""
    texts = tuple(names.get(text, text) for text in grouping.values[0])
    return replace(grouping, labels=tuple((text,) for text in texts), values=(texts,))


def intersect(singles: Sequence[Grouping], rows: int) -> Grouping:
    """Return the groups of several features together that have rows; without features, one group of all rows."""
    columns = tuple(single.columns[0] for single in singles)
    values = tuple(single.values[0] for single in singles)
    sizes = [len(texts) for texts in values]
    cells = math.prod(sizes)
    if not singles:
        return Grouping((), ((),), np.zeros(rows, dtype=np.int32), ())
    if cells >= 2**63:
        return _intersect_by_steps(singles)
    mixed = np.zeros(rows, dtype=np.int64)
    for single, size in zip(singles, sizes, strict=True):
        mixed *= size
        mixed += single.codes
    present, codes = _compact(mixed, cells)
    digits = np.unravel_index(present, sizes)
    labels = tuple(
        tuple(texts[digit] for texts, digit in zip(values, row, strict=True)) for row in zip(*digits, strict=True)
    )
    return Grouping(columns, labels, codes, values)


def bin_labels(edges: Sequence[float], whole: bool) -> tuple[str, ...]:
    """Return the names of the groups between edges: ``<25``, ``25-39``, ``>=40``, or ``25 to <40`` for fractions."""
    between = [_between(low, high, whole) for low, high in pairwise(edges)]
    return (f"<{show(edges[0])}", *between, f">={show(edges[-1])}")


def _between(low: float, high: float, whole: bool) -> str:
    if not whole:
        return f"{show(low)} to <{show(high)}"
    return show(low) if high == low + 1 else f"{show(low)}-{show(high - 1)}"


def _binned(column: pd.Series, edges: Sequence[float]) -> tuple[NDArray[np.int32], list[str]]:
    numbers = pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan)
    absent = np.isnan(numbers)
    known = numbers[~absent]
    whole = bool(np.all(known == np.floor(known))) and all(float(edge).is_integer() for edge in edges)
    codes = np.digitize(numbers, np.asarray(edges, dtype=np.float64)).astype(np.int32)
    codes[absent] = -1
    return codes, list(bin_labels(edges, whole))


def _categories(column: pd.Series) -> tuple[NDArray[np.int32], list[str]]:
    codes = column.cat.codes.to_numpy().astype(np.int32)
    values = _each(column.cat.categories)
    return (codes, [show(value) for value in values]) if column.cat.ordered else _sorted(codes, values)


def _factorized(column: pd.Series) -> tuple[NDArray[np.int32], list[str]]:
    if is_mixed(column):
        return _mixed(column)
    codes, values = pd.factorize(column)
    return _sorted(codes.astype(np.int32), _each(values))


def _mixed(column: pd.Series) -> tuple[NDArray[np.int32], list[str]]:
    """Return the groups of values of several kinds: 1 and True, which are equal in Python, are two, 1 and "1" one."""
    first: dict[str, object] = {}
    for value in column.dropna():
        if isinstance(first.get(show(value), ""), str):
            first[show(value)] = value
    codes, names = pd.factorize(column.map(show, na_action="ignore"))
    return _sorted(codes.astype(np.int32), [first[name] for name in names])


def _each(values: pd.Index) -> list[object]:
    array = np.asarray(values)
    # a float32 must stay one to be shown as 0.1 and not as 0.10000000149011612
    return list(array) if array.dtype.kind == "f" else list(values)


def _sorted(codes: NDArray[np.int32], values: list[object]) -> tuple[NDArray[np.int32], list[str]]:
    positions = order(values)
    if positions == list(range(len(values))):
        return codes, [show(value) for value in values]
    rank = np.empty(len(values) + 1, dtype=np.int32)
    rank[positions] = np.arange(len(values), dtype=np.int32)
    rank[-1] = -1  # where a missing value's code of -1 looks
    return rank[codes], [show(values[at]) for at in positions]


def _used(codes: NDArray[np.int32], texts: list[str], known: bool) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Drop values without rows, and let values of the same text (1 and "1") be one group.

    `known`: the values come from the rows, so that each has one.
    """
    if known and len(set(texts)) == len(texts):
        return codes, tuple(texts)
    # Shifted by one, so that rows without a value are counted too and no copy without them is made.
    rows = np.bincount(codes + 1, minlength=len(texts) + 1)[1:]
    if rows.all() and len(set(texts)) == len(texts):
        return codes, tuple(texts)
    new: dict[str, int] = {}
    lookup = np.full(len(texts) + 1, -1, dtype=np.int32)
    for at, text in enumerate(texts):
        if rows[at]:
            lookup[at] = new.setdefault(text, len(new))
    return lookup[codes], tuple(new)


def _compact(mixed: NDArray[np.int64], cells: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    if cells > _DENSE:
        present, inverse = np.unique(mixed, return_inverse=True)
        return present, inverse.astype(np.int32)
    present = np.flatnonzero(np.bincount(mixed, minlength=cells)).astype(np.int64)
    lookup = np.zeros(cells, dtype=np.int32)
    lookup[present] = np.arange(len(present), dtype=np.int32)
    return present, lookup[mixed]


def _intersect_by_steps(singles: Sequence[Grouping]) -> Grouping:
    """Intersect features whose product of sizes exceeds 64 bits, two at a time."""
    columns = tuple(single.columns[0] for single in singles)
    labels, codes = list(singles[0].labels), singles[0].codes
    for single in singles[1:]:
        size = len(single.labels)
        present, codes = _compact(codes.astype(np.int64) * size + single.codes, len(labels) * size)
        labels = [labels[at // size] + single.labels[at % size] for at in present.tolist()]
    return Grouping(columns, tuple(labels), codes, tuple(single.values[0] for single in singles))
