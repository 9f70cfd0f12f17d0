"""What is looked at before anything is explained: the tables, the players, and how the model behaves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.errors import InputError, did_you_mean, raise_all, shorten
from evenhand.messages import message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.scores import LinkedScore

MOST_COLUMNS: Final = 2000
"""Beyond this a pair costs thousands of evaluations, and the result is unreadable."""

PROBED: Final = 64
"""Rows that are predicted together."""

ALONE: Final = 3
"""Of these, the rows that are predicted one by one."""

BATCH_TOLERANCE: Final = 1e-5
"""A score that moves by more than this, relative to the greatest score, depends on its batch; single precision does
not reach it."""


def checked_tables(X: pd.DataFrame, background: pd.DataFrame) -> pd.DataFrame:
    """Return the background with the columns of `X` in their order, or raise all that is wrong with the two."""
    not_tables = [
        f"The {name} must be a pandas DataFrame, not {type(table).__name__}."
        for name, table in (("rows to explain", X), ("background", background))
        if not isinstance(table, pd.DataFrame)
    ]
    raise_all(InputError, not_tables)
    raise_all(InputError, _table_problems(X, background))
    return background[X.columns]


def _table_problems(X: pd.DataFrame, background: pd.DataFrame) -> list[str]:
    problems = []
    if len(X) == 0:
        problems.append("There are no rows to explain: X is empty.")
    if len(background) == 0:
        problems.append("The background is empty; give at least one row, better 100 to 400 (see choose_background).")
    if X.shape[1] == 0:
        problems.append("X has no columns, so there is nothing to explain the score by.")
    if X.shape[1] > MOST_COLUMNS:
        problems.append(
            f"X has {X.shape[1]:,} columns; at most {MOST_COLUMNS:,} can be explained. Join columns that belong "
            "together inside the model, or explain fewer of them."
        )
    for name, table in (("X", X), ("The background", background)):
        twice = [str(column) for column in table.columns[table.columns.duplicated()].unique()]
        if twice:
            problems.append(f"{name} has more than one column called {', '.join(map(repr, twice[:5]))}. Rename them.")
    met = Counter(str(column) for column in X.columns.unique())
    alike = [name for name, n in met.items() if n > 1]
    problems += [f"X has different columns that are all called {name!r} as text. Rename them." for name in alike]
    absent = [str(column) for column in X.columns if column not in background.columns]
    if absent:
        known = [str(column) for column in background.columns]
        hint = did_you_mean(absent[0], known)
        problems.append(f"The background lacks {len(absent)} columns of X: {shorten(', '.join(absent))}.{hint}")
    return problems


def checked_players(X: pd.DataFrame, players: Mapping[str, Sequence[str]] | None) -> dict[str, tuple[str, ...]]:
    """Return every column in one player, in the order of the columns; columns of no group are single players.

    Raises InputError for unknown columns, a column in two groups, an empty group, or a group that is called like a
    column outside it.
    """
    named = {str(column): column for column in X.columns}
    groups = {
        str(name): (columns,) if isinstance(columns, str) else tuple(map(str, columns))
        for name, columns in (players or {}).items()
    }
    raise_all(InputError, _player_problems(groups, named))
    group_of = {column: name for name, columns in groups.items() for column in columns}
    made: dict[str, tuple[str, ...]] = {}
    for text, column in named.items():
        name = group_of.get(text, text)
        made[name] = (*made.get(name, ()), column)
    return made


def _player_problems(groups: Mapping[str, tuple[str, ...]], named: Mapping[str, object]) -> list[str]:
    problems = []
    met = Counter(column for columns in groups.values() for column in columns)
    for name, columns in groups.items():
        if not columns:
            problems.append(f"players: group '{name}' has no columns. Leave it out.")
        problems += [
            f"players: group '{name}' names column '{column}', which X does not have.{did_you_mean(column, named)}"
            for column in columns
            if column not in named
        ]
        if name in named and name not in columns and name not in met:
            problems.append(f"players: group '{name}' is called like a column outside of it. Give it another name.")
    problems += [f"players: column '{column}' stands in more than one group." for column, n in met.items() if n > 1]
    return problems


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a model answers the same question twice."""

    repeatable: bool
    """Whether it gave the same scores for the same rows twice."""
    batch_free: bool
    """Whether rows had the same scores alone, together and among others."""
    notes: tuple[str, ...]
    """What was found, as sentences."""


def observe(score: LinkedScore, X: pd.DataFrame, background: pd.DataFrame, own: NDArray[np.float64]) -> Behaviour:
    """Predict the same rows twice, alone, together and among others, and compare.

    `score`: the model, its scale settled; `X`, `background`: the rows to explain are probed, or the background where
    that is longer and they are few; `own` (n,): the scores of `X`.
    """
    table = X if len(X) > min(PROBED, len(background)) else background
    few = table.iloc[:PROBED]
    together = score(few)
    size = max(float(np.max(np.abs(together))), 1.0)
    noise = _apart(together, score(few))
    if noise > 1e-9 * size:
        note = message(
            "The model is not deterministic: asked twice for the same {rows} rows, its scores differed by up to "
            "{noise:.2g}. The values hold on average over its noise only; averaged= asks it several times.",
            rows=len(few),
            noise=noise,
        )
        return Behaviour(False, True, (note,))
    among = together
    if len(table) > len(few):
        among = (own if table is X else score(table))[: len(few)]
    alone = np.concatenate([score(few.iloc[[row]]) for row in range(min(ALONE, len(few)))])
    moved = max(_apart(together, among), _apart(together[: len(alone)], alone))
    if moved <= BATCH_TOLERANCE * size:
        return Behaviour(True, True, ())
    note = message(
        "The model's scores depend on the rows they are predicted together with, by up to {moved:.2g}, so its "
        "attributions are not well defined. They were computed in batches of one size.",
        moved=moved,
    )
    return Behaviour(True, False, (note,))


UNSEEN: Final = message(
    "Column '{column}' has values in {rows:,} explained rows that no background row has ({values}): what they add "
    "rests on rows that mix them with others."
)


def unseen(X: pd.DataFrame, background: pd.DataFrame) -> tuple[str, ...]:
    """Name the categories of the explained rows that no background row has; numbers are left out."""
    told = []
    for name in X.columns:
        if pd.api.types.is_numeric_dtype(X[name].dtype):
            continue
        new = ~X[name].isin(background[name].dropna().unique()) & X[name].notna()
        if new.any():
            values = ", ".join(repr(value) for value in X[name][new].unique()[:3])
            told.append(
                message(
                    UNSEEN,
                    column=str(name),
                    rows=int(new.sum()),
                    values=shorten(values, 60),
                )
            )
    return tuple(told)


def _apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.max(np.abs(one - other)))
