"""From cells to the columns of a network without a table: for rows that come one by one, in a server."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from evenhand.training.codes import CodeColumn
from evenhand.training.columns import FURTHEST, CategoryColumn, NumberColumn, to_numbers
from evenhand.training.levels import spellings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.training.preprocessing import Preprocessing

Cell: TypeAlias = "str | float | int | bool | None"


class Cells:
    """Writes what `Preprocessing.transform` does, bit for bit, from rows of plain cells.

    A table of one row costs more to make than all of its arithmetic: here the numbers of all columns are scaled
    together, and a level is found by its name.

    Parameters
    ----------
    preprocessing : Preprocessing
        As it was fitted.

    Examples
    --------
    >>> import pandas as pd
    >>> from evenhand.training.preprocessing import Preprocessing
    >>> rows = pd.DataFrame({"income": [1.0, 3.0, None], "region": ["north", "south", "north"]})
    >>> fitted = Preprocessing.fit(rows)
    >>> bool((Cells(fitted).write([(3.0, "south")]) == fitted.transform(rows.iloc[[1]])).all())
    True
    """

    def __init__(self, preprocessing: Preprocessing) -> None:
        self._width = preprocessing.width
        numbers: list[tuple[int, int, NumberColumn]] = []
        categories: list[tuple[int, CategoryColumn, int]] = []
        start = 0
        for at, column in enumerate(preprocessing.columns):
            number = column.number if isinstance(column, CodeColumn) else column
            if isinstance(number, NumberColumn):
                numbers.append((at, start, number))
            if isinstance(column, CodeColumn):
                categories.append((at, column.category, start + column.number.width))
            elif isinstance(column, CategoryColumn):
                categories.append((at, column, start))
            start += column.width
        self._texts = [(at, place) for place, (at, _, column) in enumerate(numbers) if column.converted]
        self._numbers = [at for at, _, _ in numbers]
        self._starts = np.array([first for _, first, _ in numbers], dtype=np.intp)
        self._medians, self._means, self._scales = (
            np.array([getattr(column, field) for _, _, column in numbers], dtype=np.float64)
            for field in ("median", "mean", "scale")
        )
        self._marked = np.flatnonzero([column.missing > 0 for _, _, column in numbers])
        self._piece(numbers)
        self._categories = [_places(*category) for category in categories]

    def _piece(self, numbers: Sequence[tuple[int, int, NumberColumn]]) -> None:
        """Lay all pieces of all numbers beside each other."""
        parts: list[list[tuple[int, int, float, float, float, float]]] = [
            [
                (place, first + (2 if column.missing else 1) + at, column.edges[0], column.edges[-1], low, high - low)
                for at, (low, high) in enumerate(pairwise(column.edges))
            ]
            for place, (_, first, column) in enumerate(numbers)
        ]
        laid = [piece for part in parts for piece in part]
        self._of, self._to = (np.array([piece[at] for piece in laid], dtype=np.intp) for at in (0, 1))
        self._least, self._most, self._from, self._wide = (
            np.array([piece[at] for piece in laid], dtype=np.float64) for at in range(2, 6)
        )

    def write(self, rows: Sequence[Sequence[Cell]]) -> NDArray[np.float32]:
        """Return (n, width) prepared columns.

        Parameters
        ----------
        rows : sequence of sequences
            The cells of each row in the order of the columns; None where one is missing.
        """
        out = np.zeros((len(rows), self._width), dtype=np.float32)
        if self._numbers:
            self._write_numbers(rows, out)
        if self._categories:
            at_rows, at_columns = self._placed(rows)
            out[at_rows, at_columns] = 1.0
        return out

    def _placed(self, rows: Sequence[Sequence[Cell]]) -> tuple[list[int], list[int]]:
        """Return the rows and columns of the cells that are 1 for the level that is there."""
        at_rows, at_columns = [], []
        for at, places, missing, other in self._categories:
            for row, cells in enumerate(rows):
                cell = cells[at]
                spelt = str(cell) if type(cell) is bool else cell  # True is equal to 1, which is another level
                place = missing if spelt is None else places.get(spelt, other)
                if place is not None:
                    at_rows.append(row)
                    at_columns.append(place)
        return at_rows, at_columns

    def _write_numbers(self, rows: Sequence[Sequence[Cell]], out: NDArray[np.float32]) -> None:
        numbers = self._read(rows)
        absent = ~np.isfinite(numbers)
        with np.errstate(over="ignore"):  # overflow is clipped below
            standard = (np.where(absent, self._medians, numbers) - self._means) / self._scales
        out[:, self._starts] = np.clip(standard, -FURTHEST, FURTHEST)
        out[:, self._starts[self._marked] + 1] = absent[:, self._marked]
        if len(self._of):
            held = np.clip(standard[:, self._of], self._least, self._most)
            out[:, self._to] = np.clip((held - self._from) / self._wide, 0.0, 1.0)

    def _read(self, rows: Sequence[Sequence[Cell]]) -> NDArray[np.float64]:
        """Return (n, numbers) the numbers of each row, NaN where missing; text is read as it was in training."""
        if not self._texts:
            return np.array([[cells[at] for at in self._numbers] for cells in rows], dtype=np.float64)
        texts = {at for at, _ in self._texts}
        kept = [[None if at in texts else cells[at] for at in self._numbers] for cells in rows]
        numbers = np.array(kept, dtype=np.float64)
        for at, place in self._texts:
            given = pd.Series([str(cells[at]) if cells[at] is not None else None for cells in rows], dtype="string")
            numbers[:, place] = to_numbers("", given, text=True)
        return numbers


def _places(
    at: int, column: CategoryColumn, first: int
) -> tuple[int, Mapping[str | float, int], int | None, int | None]:
    """Return a category's place, and the prepared columns of its levels, of missing ones and of others."""
    places = {spelt: first + place for place, level in enumerate(column.levels) for spelt in spellings(level)}
    missing = first + len(column.levels) if column.missing else None
    return at, places, missing, first + column.width - 1 if column.rare else None
