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
"""Mixed rows on which the parts are compared with the whole."""
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
    places = (len(both) - 1).bit_length()
    if whole.ndim != 2 or whole.size * (2 * places + 1) > MOST_CELLS:
        raise NotThisWay(
            "The prepared rows are too large for finding out which column each feature makes.", notable=True
        )
    owner = _owners(prepare, table, whole, both, places)
    mine = [np.flatnonzero(owner == player) for player in range(len(both))]
    levels = [whole[np.unique(codes, return_index=True)[1]][:, place] for codes, place in zip(both, mine, strict=True)]
    parts = PreparedParts(tuple(_as_slice(place) for place in mine), tuple(levels), whole[0].copy())
    taken = np.random.default_rng(0).integers(0, both.shape[1], (len(both), TRIED))
    mixed = np.ascontiguousarray(np.take_along_axis(both, taken, axis=1))
    if _differ(parts.compose(mixed), prepare(table.decode(mixed))).any():
        raise NotThisWay(
            "Rows that mix the features of others are not prepared as the features are alone.", notable=True
        )
    return parts


def _owners(
    prepare: Callable[[pd.DataFrame], NDArray[np.generic]],
    table: CodedTable,
    whole: NDArray[np.generic],
    both: NDArray[np.int32],
    places: int,
) -> NDArray[np.int64]:
    """Return (columns,): the player of each prepared column, -1 where no row differs in it.

    The players whose number has a 1 at a binary place are moved, then those who have a 0 there: a column of one
    player changes in just one of the two, and all places together spell its number.
    """
    owner = np.zeros(whole.shape[1], dtype=np.int64)
    varies = _differ(whole, whole[:1]).any(axis=0)
    numbers = np.arange(len(both))
    for place in range(places):
        ones = (numbers >> place) & 1 == 1
        changed, other = (_changed(prepare, table, whole, both, chosen) for chosen in (ones, ~ones))
        if ((changed & other) | ((changed | other) & ~varies)).any():
            raise NotThisWay("A column that the preprocessing makes comes from more than one feature.", notable=True)
        if (varies & ~changed & ~other).any():
            raise NotThisWay("A column that the preprocessing makes comes from no single feature.", notable=True)
        owner += changed.astype(np.int64) << place
    owner[~varies] = -1
    return owner


def _changed(
    prepare: Callable[[pd.DataFrame], NDArray[np.generic]],
    table: CodedTable,
    whole: NDArray[np.generic],
    both: NDArray[np.int32],
    chosen: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return (columns,): what changes where the chosen players' values are moved along by one row.

    A column that varies with them cannot stay as it was.
    """
    moved = np.where(chosen[:, None], np.roll(both, 1, axis=1), both)
    changed = _differ(prepare(table.decode(np.ascontiguousarray(moved))), whole)
    return np.asarray(changed.any(axis=0), dtype=bool)


def _differ(one: NDArray[np.generic], other: NDArray[np.generic]) -> NDArray[np.bool_]:
    if one.dtype.kind == "f":
        return np.asarray(~((one == other) | (np.isnan(one) & np.isnan(other))), dtype=bool)
    return np.asarray(one != other, dtype=bool)


def _as_slice(places: NDArray[np.int64]) -> NDArray[np.int64] | slice:
    if len(places) and np.array_equal(places, np.arange(places[0], places[0] + len(places))):
        return slice(int(places[0]), int(places[0]) + len(places))
    return places
