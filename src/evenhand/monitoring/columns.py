"""The bins in which a column is counted: few enough to keep, fine enough to see a shift."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from evenhand.data.values import is_number, plain, show
from evenhand.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Kind: TypeAlias = Literal["numbers", "categories", "other"]
"""Numbers are cut at quantiles, categories counted by value; of anything else only missing values are counted."""
MOST_BINS: Final = 20
"""Bins of a column, missing values and what was not seen at the audit aside."""
FEWEST_ROWS: Final = 10
"""Categories with fewer rows are pooled and not named."""
MOST_VALUES: Final = 1000
"""Text columns of more distinct values are names rather than categories."""


@dataclass(frozen=True, slots=True)
class Column:
    """The bins of a column, and how many rows of the audit each had."""

    name: str
    """The column."""
    kind: Kind
    """What it holds."""
    counts: tuple[int, ...]
    """Rows by bin: those of `edges` or `values` in order, of categories then the pooled ones and those not seen at the
    audit, and last the missing ones."""
    edges: tuple[float, ...] = ()
    """Of numbers: a bin ends at each edge, and holds it; the last bin is open."""
    values: tuple[str, ...] = ()
    """Of categories: those with a bin of their own."""
    pooled: tuple[str, ...] = ()
    """Of categories: short hashes of the values that share a bin, so that they are told from new ones."""
    whole: bool = False
    """Whether all numbers were whole."""

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.counts)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each bin."""
        if self.kind == "numbers":
            return (*(f"<= {edge:g}" for edge in self.edges), "above", "(missing)")
        named = (*self.values, "(pooled)", "(unseen)") if self.kind == "categories" else ("(any)",)
        return (*named, "(missing)")

    def count(self, values: pd.Series) -> NDArray[np.int64]:
        """Return the rows of each bin."""
        return np.bincount(self.places(values), minlength=len(self.names)).astype(np.int64)

    def places(self, values: pd.Series) -> NDArray[np.intp]:
        """Return the bin of each row."""
        last = len(self.names) - 1
        if self.kind == "numbers":
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            found = np.searchsorted(np.asarray(self.edges), numbers, side="left")
            return np.where(np.isnan(numbers), last, found)
        if self.kind == "other":
            return np.where(values.isna().to_numpy(), last, 0)
        codes, known = pd.factorize(values)
        own, pooled = {value: at for at, value in enumerate(self.values)}, set(self.pooled)
        many = len(self.values)
        shown = [show(plain(value)) for value in known]
        table = [own.get(said, many if short_hash(said) in pooled else many + 1) for said in shown]
        return np.asarray([*table, last], dtype=np.intp)[codes]  # the code of a missing value is -1

    def problems(self, where: str, values: pd.Series) -> Iterator[str]:
        """Yield why the values of a batch cannot be counted in these bins."""
        if self.kind != "numbers":
            return
        if not is_number(values) and values.notna().any():
            kind = shorten(str(values.dtype))
            yield f"{where}: column '{shorten(self.name)}' is {kind}; at the audit it held numbers."
        elif infinite := int(np.isinf(values.to_numpy(dtype=np.float64, na_value=np.nan)).sum()):
            yield f"{where}: column '{shorten(self.name)}' is infinite in {infinite:,} rows."


def binned(values: pd.Series) -> Column:
    """Return the bins of a column of the audit, with the rows of each."""
    name = str(values.name)
    if is_number(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        there = numbers[np.isfinite(numbers)]
        whole = bool(len(there)) and bool((there == np.floor(there)).all())
        return _counted(Column(name, "numbers", (), quantile_edges(there), whole=whole), values)
    texts = values.dropna().map(show)
    if len(texts) and (isinstance(values.iloc[0], pd.Timestamp) or texts.nunique() > MOST_VALUES):
        return _counted(Column(name, "other", ()), values)
    sizes = texts.value_counts().sort_index()
    order = sizes.sort_values(ascending=False, kind="stable")
    own = tuple(str(value) for value in order[order >= FEWEST_ROWS].index[: MOST_BINS - 2])
    rest = tuple(sorted(short_hash(str(value)) for value in order.index if str(value) not in own))
    return _counted(Column(name, "categories", (), values=own, pooled=rest), values)


def quantile_edges(numbers: NDArray[np.float64], *more: float) -> tuple[float, ...]:
    """Return edges at quantiles, without repeats, with some more; the greatest number ends no bin of its own."""
    if not len(numbers):
        return ()
    cuts = np.quantile(numbers, np.linspace(0, 1, MOST_BINS + 1)[1:-1], method="inverted_cdf")
    edges = np.unique([*cuts, *more])
    return tuple(float(edge) for edge in edges if edge < numbers.max() or edge in more)


def short_hash(text: str) -> str:
    """Return eight hexadecimal digits of the sha256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _counted(column: Column, values: pd.Series) -> Column:
    return replace(column, counts=tuple(map(int, column.count(values))))
