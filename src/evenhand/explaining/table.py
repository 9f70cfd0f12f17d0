"""A table as integer codes, one per player: rows are mixed as codes and decoded for the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from evenhand.errors import InputError, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray


class CodedTable:
    """The explained rows and the background as codes of their distinct values.

    `X`, `background`: rows with the same, differently named columns; `players`: every column in exactly one player.
    """

    def __init__(self, X: pd.DataFrame, background: pd.DataFrame, players: Mapping[str, Sequence[str]]) -> None:
        self.columns = X.columns
        self.names = tuple(players)
        joint = {name: _joined(X[name], background[name]) for name in X.columns}
        single = {name: _codes(values, name) for name, values in joint.items()}
        coded, self._levels = [], {}
        self._player_of: dict[str, int] = {}
        for index, columns in enumerate(players.values()):
            codes, first = _joint_codes([single[name] for name in columns])
            coded.append(codes)
            for name in columns:
                self._player_of[name] = index
                self._levels[name] = joint[name].take(first)
        both = np.stack(coded).astype(np.int32)
        self.cardinalities = tuple(int(codes.max()) + 1 for codes in both)
        self.rows: NDArray[np.int32] = np.ascontiguousarray(both[:, : len(X)])
        self.background: NDArray[np.int32] = np.ascontiguousarray(both[:, len(X) :])
        self._matrix = self._as_matrix()

    def decode(self, codes: NDArray[np.int32]) -> pd.DataFrame:
        """Return the table of `codes` (players, rows), with the columns and types of the original."""
        if self._matrix is not None:
            values = np.empty((codes.shape[1], len(self._matrix)), dtype=self._matrix[0][1].dtype, order="F")
            for column, (player, levels) in enumerate(self._matrix):
                np.take(levels, codes[player], out=values[:, column])
            return pd.DataFrame(values, columns=self.columns, copy=False)
        made = {name: self._values(name, codes) for name in self.columns}
        table = pd.DataFrame(made, copy=False)
        table.columns = self.columns
        return table

    def _values(self, name: str, codes: NDArray[np.int32]) -> pd.Series | NDArray[np.generic] | ExtensionArray:
        values = self._levels[name].take(codes[self._player_of[name]])
        # From an array of objects pandas would make another kind of text columns.
        return pd.Series(values, dtype=object, copy=False) if values.dtype == np.dtype(object) else values

    def _as_matrix(self) -> list[tuple[int, NDArray[np.floating]]] | None:
        """Tables of one type of fractions alone are one array, which pandas and the model take without a copy."""
        types = {str(self._levels[name].dtype) for name in self.columns}
        if len(types) != 1 or not types <= {"float64", "float32"}:
            return None
        return [
            (self._player_of[name], np.asarray(self._levels[name], dtype=types.copy().pop())) for name in self.columns
        ]


def _joined(rows: pd.Series, background: pd.Series) -> NDArray[np.generic] | ExtensionArray:
    """Return both columns' values below each other, in the type of the first where they can share it."""
    if _unequal_categories(rows.dtype, background.dtype):
        from pandas.api.types import union_categoricals

        # Categories of the background alone go last, so that the codes of the rows do not change.
        return cast("ExtensionArray", union_categoricals([rows.array, background.array]))
    values = pd.concat([rows, background], ignore_index=True)
    return values.to_numpy() if isinstance(values.dtype, np.dtype) else cast("ExtensionArray", values.array)


def _unequal_categories(one: object, other: object) -> bool:
    both = isinstance(one, pd.CategoricalDtype) and isinstance(other, pd.CategoricalDtype)
    return (
        both
        and one != other
        and not (one.ordered or other.ordered)  # type: ignore[attr-defined]
        and one.categories.dtype == other.categories.dtype  # type: ignore[attr-defined]
    )


def _codes(values: NDArray[np.generic] | ExtensionArray, name: object) -> NDArray[np.int64]:
    try:
        codes, _ = pd.factorize(cast("NDArray[np.generic]", values), use_na_sentinel=False)
    except TypeError as problem:
        raise InputError(
            f"Column '{name}' holds values that cannot be compared with each other ({shorten(problem)}). "
            "Turn them into text or numbers, or leave the column out."
        ) from problem
    return np.asarray(codes, dtype=np.int64)


def _joint_codes(columns: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return one code for each distinct combination, and the first row that has it."""
    codes = columns[0]
    for column in columns[1:]:
        _, codes = np.unique(codes * (int(column.max()) + 1) + column, return_inverse=True)
    _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    return codes.astype(np.int64), first.astype(np.int64)
