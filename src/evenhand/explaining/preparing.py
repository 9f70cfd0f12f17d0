"""Mixed rows made from prepared columns: the model's preprocessing runs once, not for every mixed row.

Most preprocessing (scaling, imputing, one-hot coding, embedding by level) turns each column of the table into
separate columns. Whether a model's does is tested: the values of some players are moved along the rows, and what
changes belongs to one of them. A prepared column that two players change, or one mixed row that does not come out as
the model itself would prepare it, and the model predicts whole tables instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.choosing import NotThisWay

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.explaining.scores import LinkedScore
    from evenhand.explaining.table import CodedTable

MOST_CELLS: Final = 60_000_000
"""Prepared cells that may be spent on finding out."""
TRIED: Final = 256
"""The fewest mixed rows on which the parts are compared with the whole."""
CLOSE: Final = 1e-5
"""How near, in spreads of the score, prepared rows must come to the model's scores."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedParts:
    """For each player, the prepared columns it makes and their values at each of its levels."""

    places: tuple[NDArray[np.int64] | slice, ...]
    """The columns of each player."""
    levels: tuple[NDArray[np.generic], ...]
    """(levels, columns) of each player."""
    constant: NDArray[np.generic]
    """(width,): one prepared row; columns of no player never differ from it."""

    @property
    def width(self) -> int:
        """The prepared columns."""
        return len(self.constant)

    def compose(self, codes: NDArray[np.int32]) -> NDArray[np.generic]:
        """Return the prepared rows (rows, width) of codes (players, rows)."""
        made = np.empty((codes.shape[1], self.width), dtype=self.constant.dtype)
        made[:] = self.constant
        for place, levels, row in zip(self.places, self.levels, codes, strict=True):
            made[:, place] = levels[row]
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A model as preprocessing and a function of prepared rows."""

    parts: PreparedParts
    """What each player prepares to."""
    score: Callable[[NDArray[np.generic]], NDArray[np.float64]]
    """From prepared rows to scores on the explained scale."""
    network: object | None = None
    """The torch network whose output is that score, where it is one."""


def prepared(score: LinkedScore, table: CodedTable, joint: pd.DataFrame, own: NDArray[np.float64]) -> Prepared | None:
    """Return the model in two steps, or None where it has none or they do not reproduce its scores.

    `score`: the model; `table`: codes of the explained rows and the background; `joint`: the same rows, below each
    other; `own`: the model's scores of the first rows of `joint`.
    """
    from evenhand.explaining.stages import stages

    found = stages(score)
    if found is None:
        return None
    prepare, ways, network = found
    try:
        parts = prepared_parts(prepare, table, joint)
    except Exception:  # whatever it is, whole tables are predicted instead
        return None
    few = table.rows[:, : min(len(own), TRIED)]
    wanted = own[: few.shape[1]]
    for number, way in enumerate(ways):
        try:
            got = way(parts.compose(few))
        except Exception:  # the next way, or whole tables
            continue
        if got.shape == wanted.shape and np.max(np.abs(got - wanted)) <= CLOSE * max(float(np.ptp(wanted)), 1.0):
            return Prepared(parts, way, network if number == 0 else None)
    return None


def prepared_parts(
    prepare: Callable[[pd.DataFrame], NDArray[np.generic]], table: CodedTable, joint: pd.DataFrame
) -> PreparedParts:
    """Return what each player prepares to.

    Raises NotThisWay where a prepared column belongs to two players, or it is too dear to find out.
    """
    whole = prepare(joint)
    both = np.concatenate([table.rows, table.background], axis=1)
    if whole.ndim != 2 or whole.size * (len(both).bit_length() + 2) > MOST_CELLS:
        raise NotThisWay(
            "The prepared rows are too large for finding out which column each feature makes.", notable=True
        )
    owner = _owners(prepare, table, whole, both)
    mine = [np.flatnonzero(owner == player) for player in range(len(both))]
    levels = [whole[np.unique(codes, return_index=True)[1]][:, place] for codes, place in zip(both, mine, strict=True)]
    parts = PreparedParts(tuple(_as_slice(place) for place in mine), tuple(levels), whole[0].copy())
    # Every value of every player is met once, among values that other rows have of the others.
    rng = np.random.default_rng(0)
    times = -(-TRIED // both.shape[1])
    mixed = np.stack([np.concatenate([rng.permutation(codes) for _ in range(times)]) for codes in both])
    if (owner >= len(both)).any() or _differ(parts.compose(mixed), prepare(table.decode(mixed))).any():
        raise NotThisWay(
            "A column that the preprocessing makes comes from more than one feature, or from other rows.", notable=True
        )
    return parts


def _owners(
    prepare: Callable[[pd.DataFrame], NDArray[np.generic]],
    table: CodedTable,
    whole: NDArray[np.generic],
    both: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Return (columns,): the player of each prepared column, -1 where none changes it.

    Players are numbered from 1. Those whose number has a 1 at a binary place are moved along by one row, so that no
    column that varies with them can stay as it was: the places where a column changes spell the number of its player.
    Columns of several players spell another, which shows when rows are mixed.
    """
    owner = np.zeros(whole.shape[1], dtype=np.int64)
    numbers = np.arange(1, len(both) + 1)
    for place in range(len(both).bit_length()):
        chosen = (numbers >> place) & 1 == 1
        moved = np.where(chosen[:, None], np.roll(both, 1, axis=1), both)
        changed = _differ(prepare(table.decode(np.ascontiguousarray(moved))), whole).any(axis=0)
        owner += changed.astype(np.int64) << place
    return owner - 1


def _differ(one: NDArray[np.generic], other: NDArray[np.generic]) -> NDArray[np.bool_]:
    if one.dtype.kind == "f":
        return np.asarray(~((one == other) | (np.isnan(one) & np.isnan(other))), dtype=bool)
    return np.asarray(one != other, dtype=bool)


def _as_slice(places: NDArray[np.int64]) -> NDArray[np.int64] | slice:
    if len(places) and np.array_equal(places, np.arange(places[0], places[0] + len(places))):
        return slice(int(places[0]), int(places[0]) + len(places))
    return places
