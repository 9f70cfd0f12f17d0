"""Recourse: the smallest change that flips a decision."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from evenhand.errors import InputError, did_you_mean, raise_all
from evenhand.explaining.dependence import is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

Direction: TypeAlias = Literal["increase", "decrease", "any"]
"""The direction in which a feature can be changed."""
STEPS: Final = 9
"""Values of a number that are tried: its deciles among the rows that are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Recourse:
    """The smallest change of actionable features that flips each refusal."""

    cost: NDArray[np.float64]
    """(n,) the sum over changed features of how far along their distribution they move, 0 to 1 each; inf for none."""
    changed: tuple[tuple[str, ...], ...]
    """(n,) the features of the least change; empty without one."""
    rows: pd.DataFrame
    """(n, m) the rows as changed, in the types of the model's columns; unchanged where there is no way."""

    @property
    def found(self) -> NDArray[np.int64]:
        """The positions of the rows with a way out."""
        return np.flatnonzero(np.isfinite(self.cost))


def recourse(
    accepts: Callable[[pd.DataFrame], NDArray[np.bool_]],
    rows: pd.DataFrame,
    reference: pd.DataFrame,
    actionable: Mapping[str, Direction],
    levels: Mapping[str, Collection[str]] | None = None,
) -> Recourse:
    """Return the smallest change of one or two actionable features that gets each refused row accepted.

    Numbers move among the deciles of `reference`, in the direction given; their cost is the share of its distribution
    in between (Ustun et al. 2019, FAT*). Another value of a category costs 1. Only values are tried that occur in
    `reference` and that the column of `rows` holds as they are: of whole numbers none with a fraction.

    Parameters
    ----------
    accepts : callable
        From a table to (n,) bool: whether the decision is the one that is good for the person.
    rows : DataFrame
        The refused rows, columns as the model reads them.
    reference : DataFrame
        Rows whose values are possible, such as training rows.
    actionable : mapping of feature to "increase", "decrease" or "any"
    levels : mapping of feature to texts, optional
        The levels of a category that the model has learned; no others are tried.

    Raises
    ------
    InputError
        When a feature is not a column or a direction is unknown.
    """
    raise_all(InputError, actionable_problems(rows.columns, actionable))
    known = levels or {}
    ways = [
        step
        for name, direction in actionable.items()
        for step in _steps(reference[name], rows[name], direction, known.get(name))
    ]
    single = [(step,) for step in ways]
    double = [pair for pair in combinations(ways, 2) if pair[0].name != pair[1].name]
    cost = np.full(len(rows), np.inf)
    taken: list[tuple[_Step, ...]] = [()] * len(rows)
    for steps in (*single, *double):
        prices = np.sum([step.price(rows[step.name]) for step in steps], axis=0)
        tried = np.flatnonzero(prices < cost)
        if not len(tried):
            continue
        table = _put(rows.iloc[tried], steps)
        for place in tried[np.asarray(accepts(table), dtype=bool)]:
            cost[place], taken[place] = prices[place], steps
    return Recourse(cost, tuple(tuple(step.name for step in steps) for steps in taken), _changed(rows, taken))


def _put(rows: pd.DataFrame, steps: tuple[_Step, ...]) -> pd.DataFrame:
    """Return the rows with each step's value, in the types that they have."""
    table = rows.copy()
    for step in steps:
        table[step.name] = pd.Series([step.value] * len(table), index=table.index).astype(rows[step.name].dtype)
    return table


def _changed(rows: pd.DataFrame, taken: list[tuple[_Step, ...]]) -> pd.DataFrame:
    """Return the rows, each as it was when its way was tried."""
    places: dict[tuple[_Step, ...], list[int]] = {}
    for place, steps in enumerate(taken):
        places.setdefault(steps, []).append(place)
    order = np.array([place for some in places.values() for place in some], dtype=np.int64)
    parts = [_put(rows.iloc[some], steps) for steps, some in places.items()]
    return pd.concat(parts).iloc[np.argsort(order)] if parts else rows.copy()


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One value to which a feature may be set."""

    name: str
    value: object
    direction: Direction
    known: NDArray[np.float64] | None
    """The sorted values of a number; None for a category."""

    def price(self, column: pd.Series) -> Floats:
        """Return the cost of setting each row to the value; inf where that is the wrong direction, or no change."""
        if self.known is None:
            return np.where(column.to_numpy(dtype=object) == self.value, np.inf, 1.0)
        now = column.to_numpy(dtype=np.float64, na_value=np.nan)
        target = float(self.value)  # type: ignore[arg-type]  # a number, as the values known are
        # half of the rows that share a value are below it, so a move is as dear there as back
        places = (np.searchsorted(self.known, [target], "left") + np.searchsorted(self.known, [target], "right")) / 2
        here = (np.searchsorted(self.known, now, "left") + np.searchsorted(self.known, now, "right")) / 2
        move = np.abs(places[0] - here) / len(self.known)
        barred = (now == target) | ~np.isfinite(now)
        if self.direction != "any":
            barred |= (target < now) if self.direction == "increase" else (target > now)
        return np.where(barred, np.inf, move)


def _steps(
    reference: pd.Series, column: pd.Series, direction: Direction, levels: Collection[str] | None
) -> Iterator[_Step]:
    """Yield the values of the reference that may be tried: those that the column holds and the model has learned."""
    known, name = reference.dropna(), str(reference.name)
    if not is_number(reference):
        for value in known.unique():
            if (held := _held(value, column)) is not None and (levels is None or str(held) in levels):
                yield _Step(name, held, "any", None)
        return
    values = np.sort(known.to_numpy(dtype=np.float64))
    whole = pd.api.types.is_integer_dtype(reference.dtype)
    for value in np.unique(np.quantile(values, np.linspace(0, 1, STEPS + 2), method="inverted_cdf")):
        if (held := _held(int(value) if whole else float(value), column)) is not None:
            yield _Step(name, held, direction, values)


def _held(value: object, column: pd.Series) -> object | None:
    """Return a value as the column's type holds it; None where it would become another, or missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return value if value in column.dtype.categories else None
    try:
        held = pd.Series([value]).astype(column.dtype).iloc[0]
    except (TypeError, ValueError, OverflowError):
        return None
    rounds = pd.api.types.is_float_dtype(column.dtype) and is_number(pd.Series([value]))
    same = not pd.isna(held) and (rounds or bool(held == value))
    return held if same else None


def actionable_problems(columns: Iterable[object], actionable: Mapping[str, str]) -> list[str]:
    """Return a sentence for each feature that is none of `columns`, and for each direction that is none."""
    read = [str(column) for column in columns]
    found = [
        f"'{name}' is said to be actionable, but the model reads no such column.{did_you_mean(name, read)}"
        for name in actionable
        if name not in read
    ]
    known = ("increase", "decrease", "any")
    found += [
        f"'{name}' is actionable in the direction '{direction}'; known are {', '.join(known)}."
        for name, direction in actionable.items()
        if direction not in known
    ]
    return found
