"""One input column: what was learnt of it, and how it is written for the network."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import pandas as pd

from evenhand.errors import ModelError, shorten
from evenhand.training.levels import count_levels, place_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.findings import Plain
    from evenhand.training.config import Scaling

MOST_LEVELS: Final = 64
"""Levels of a category that get a separate column, the most frequent ones, however rare they are."""
MORE_LEVELS: Final = 512
"""Levels that get one where each of those beyond `MOST_LEVELS` has `ENOUGH_ROWS`; the others share one column."""
ENOUGH_ROWS: Final = 20
"""Training rows by which one weight of its own can be learnt for a level."""
MOST_NUMBERS: Final = 0.95
"""Text of which at least this share of the cells are numbers is a column of numbers; the other cells are missing."""
LEAST_PIECE: Final = 1e-9
"""Values nearer than this, in scaled units, are not told apart by pieces."""
FURTHEST: Final = 10.0
"""A standardized number is held within this many standard deviations, so that one outlier cannot swamp the network."""


class Column(Protocol):
    """What a column of either kind can do."""

    @property
    def name(self) -> str:
        """The column of the table."""
        ...

    @property
    def width(self) -> int:
        """The number of prepared columns."""
        ...

    def write(self, values: pd.Series, out: NDArray[np.float32]) -> None:
        """Write the prepared columns, shape (n, width)."""
        ...

    def describe(self) -> dict[str, Plain]:
        """Return the description for a report."""
        ...

    def to_plain(self) -> dict[str, Plain]:
        """Return all that was learnt."""
        ...


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A number: the median where it is missing, standardized, and a mark where missing values were seen."""

    name: str
    """The column of the table."""
    median: float
    """The level of a missing value."""
    mean: float
    """What is taken away: the mean of the training rows, after filling, or their least value or middle."""
    scale: float
    """Standard deviation of the training rows, after filling, or their range; 1 for a constant column."""
    missing: int
    """Missing cells among the training rows."""
    held: int = 0
    """Cells of the training rows beyond `FURTHEST`, which were held there."""
    converted: int = 0
    """Cells of the training rows that were text and were read as numbers; above 0, text is read so from then on."""
    edges: tuple[float, ...] = ()
    """Ends of the pieces between quantiles of the training rows, in scaled units, growing; none for a scaled number
    alone."""

    @classmethod
    def fit(cls, name: str, values: pd.Series, scaling: Scaling = "standard", pieces: int = 0) -> NumberColumn:
        """Learn from training rows; into at most so many pieces (0 for none) the number is cut at its quantiles."""
        converted = int(read_as_numbers(values).notna().sum()) if _is_text(values) else 0
        numbers = to_numbers(name, values, bool(converted))
        absent = ~np.isfinite(numbers)
        known = numbers[~absent]
        median = float(np.median(known)) if len(known) else 0.0
        filled = np.where(absent, median, numbers)
        mean, scale = _scale(filled, scaling)
        scale = scale if scale > 1e-12 * float(np.abs(filled).max()) else 1.0
        held = int((np.abs((filled - mean) / scale) > FURTHEST).sum())
        edges = _edges((known - mean) / scale, pieces) if pieces else ()
        return cls(name, median, mean, scale, int(absent.sum()), held, converted, edges)

    @property
    def width(self) -> int:
        """One column, one for the mark of missing values, and one for each piece."""
        return (2 if self.missing else 1) + max(0, len(self.edges) - 1)

    def write(self, values: pd.Series, out: NDArray[np.float32]) -> None:
        """Write the standardized number, 1 where it is missing, and how much of each piece lies below it."""
        numbers = to_numbers(self.name, values, bool(self.converted))
        absent = ~np.isfinite(numbers)
        with np.errstate(over="ignore"):  # overflow is clipped below
            standard = (np.where(absent, self.median, numbers) - self.mean) / self.scale
        out[:, 0] = np.clip(standard, -FURTHEST, FURTHEST)
        if self.missing:
            out[:, 1] = absent
        if self.edges:
            edges = np.asarray(self.edges)
            held = np.clip(standard, edges[0], edges[-1])[:, None]
            out[:, 2 if self.missing else 1 :] = np.clip((held - edges[:-1]) / np.diff(edges), 0.0, 1.0)

    def describe(self) -> dict[str, Plain]:
        """Return the description for a report."""
        more = {"converted_cells": self.converted} if self.converted else {}
        more |= {"pieces": len(self.edges) - 1} if self.edges else {}
        cells = {"missing_cells": self.missing, "held_cells": self.held, **more}
        return {"column": self.name, "kind": "number", "columns": self.width, **cells}

    def to_plain(self) -> dict[str, Plain]:
        """Return all that was learnt."""
        told: dict[str, Plain] = {"kind": "number", **asdict(self), "edges": list(self.edges)}
        unused = [name for name in ("converted", "edges") if not told[name]]
        return {name: value for name, value in told.items() if name not in unused}


def _edges(numbers: NDArray[np.float64], pieces: int) -> tuple[float, ...]:
    """Return the quantiles of numbers, or all values where there are few; none where a line says as much."""
    values = np.unique(numbers)
    if len(values) > pieces + 1:
        values = np.unique(np.quantile(numbers, np.linspace(0.0, 1.0, pieces + 1), method="nearest"))
    values = values[np.concatenate([[True], np.diff(values) > LEAST_PIECE])] if len(values) else values
    return tuple(float(value) for value in values) if len(values) > 2 and np.isfinite(values).all() else ()


_SQUARED: Final = (1e-140, 1e140)
"""Numbers whose squares, summed, are numbers still."""


def _scale(numbers: NDArray[np.float64], scaling: Scaling) -> tuple[float, float]:
    """Return the offset and the divisor."""
    size = float(np.abs(numbers).max())
    if not _SQUARED[0] < size < _SQUARED[1] and size > 0:  # squares leave the range of numbers: measured in units of it
        mean, scale = _scale(numbers / size, scaling)
        return mean * size, scale * size
    if scaling == "standard":
        return float(numbers.mean()), float(numbers.std())
    low, high = float(numbers.min()), float(numbers.max())
    return (low, high - low) if scaling == "unit" else ((low + high) / 2, (high - low) / 2)


@dataclass(frozen=True, slots=True)
class CategoryColumn:
    """A category: one column a level seen in training, one for missing values and one for rare levels, where seen."""

    name: str
    """The column of the table."""
    levels: tuple[str, ...]
    """The levels that have a column, as text, in order."""
    missing: int
    """Missing cells among the training rows."""
    rare: int
    """Training rows whose level has no separate column."""

    @classmethod
    def fit(cls, name: str, values: pd.Series, most: int) -> CategoryColumn:
        """Learn from training rows; the `most` most frequent levels get columns, and all that have enough rows."""
        counts = count_levels(values)
        ranked = list(counts)
        most = max(most, sum(counts[level] >= ENOUGH_ROWS for level in ranked[:MORE_LEVELS]))
        rare = sum(counts[level] for level in ranked[most:])
        return cls(name, tuple(sorted(ranked[:most])), int(values.isna().sum()), rare)

    @property
    def width(self) -> int:
        """One a level, one for missing and one for rare levels where training rows had them."""
        return len(self.levels) + bool(self.missing) + bool(self.rare)

    def write(self, values: pd.Series, out: NDArray[np.float32]) -> None:
        """Write 1 in the column of the level and 0 elsewhere."""
        places = place_levels(values, self.levels)
        out[:] = 0.0
        known = np.flatnonzero(places >= 0)
        out[known, places[known]] = 1.0
        if self.missing:
            out[places == -2, len(self.levels)] = 1.0
        if self.rare:
            out[places == -1, -1] = 1.0

    def describe(self) -> dict[str, Plain]:
        """Return the description for a report."""
        cells = {"missing_cells": self.missing, "rare_cells": self.rare}
        return {"column": self.name, "kind": "category", "columns": self.width, "levels": len(self.levels), **cells}

    def to_plain(self) -> dict[str, Plain]:
        """Return all that was learnt."""
        return {"kind": "category", **asdict(self), "levels": list(self.levels)}


def read_as_numbers(values: pd.Series) -> pd.Series:
    """Return text as numbers, "1,200" and " 7 " too; anything else is missing."""
    text = values.astype("string").str.strip().str.replace(",", "", regex=False)
    return pd.to_numeric(text, errors="coerce")


def numbers_as_text(values: pd.Series) -> bool:
    """Whether a text column holds numbers: more different ones than a category has, and few cells that are none."""
    if not _is_text(values) or values.nunique() <= MOST_LEVELS:
        return False
    return bool(read_as_numbers(values).notna().sum() >= MOST_NUMBERS * values.notna().sum())


def _is_text(values: pd.Series) -> bool:
    text = pd.api.types.is_string_dtype(values.dtype) or values.dtype == object
    return bool(text and not _only_numbers(values))


def to_numbers(name: str, values: pd.Series, text: bool = False) -> NDArray[np.float64]:
    """Return a column as float64, NaN where missing; with `text`, text is read as numbers.

    Raises ModelError where it holds something else than numbers.
    """
    if text and _is_text(values):
        return np.asarray(read_as_numbers(values).to_numpy(dtype=np.float64, na_value=np.nan))
    if not pd.api.types.is_numeric_dtype(values.dtype) and not _only_numbers(values):
        raise ModelError(
            f"Column '{shorten(name)}' held numbers in training and holds {values.dtype} now: the model cannot read it."
        )
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _only_numbers(values: pd.Series) -> bool:
    return values.dtype == object and all(isinstance(value, (int, float, np.number)) for value in values)
