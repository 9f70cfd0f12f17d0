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
    from collections.abc import Callable, Iterable, Mapping

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


def recourse(
    accepts: Callable[[pd.DataFrame], NDArray[np.bool_]],
    rows: pd.DataFrame,
    reference: pd.DataFrame,
    actionable: Mapping[str, Direction],
) -> Recourse:
    """Return the smallest change of one or two actionable features that gets each refused row accepted.

    Numbers move among the deciles of `reference`, in the direction given; their cost is the share of its distribution
    in between (Ustun et al. 2019, FAT*). Another value of a category costs 1.

    Parameters
    ----------
    accepts : callable
        From a table to (n,) bool: whether the decision is the one that is good for the person.
    rows : DataFrame
        The refused rows, columns as the model reads them.
    reference : DataFrame
        Rows whose values are possible, such as training rows.
    actionable : mapping of feature to "increase", "decrease" or "any"

    Raises
    ------
    InputError
        When a feature is not a column or a direction is unknown.
    """
    raise_all(InputError, actionable_problems(rows.columns, actionable))
    ways = [step for name, direction in actionable.items() for step in _steps(reference[name], str(name), direction)]
    single = [(step,) for step in ways]
    double = [pair for pair in combinations(ways, 2) if pair[0].name != pair[1].name]
    cost = np.full(len(rows), np.inf)
    changed: list[tuple[str, ...]] = [()] * len(rows)
    for steps in (*single, *double):
        prices = np.sum([step.price(rows[step.name]) for step in steps], axis=0)
        tried = np.flatnonzero(prices < cost)
        if not len(tried):
            continue
        table = rows.iloc[tried].copy()
        for step in steps:
            table[step.name] = pd.Series([step.value] * len(table), index=table.index).astype(rows[step.name].dtype)
        for place in tried[np.asarray(accepts(table), dtype=bool)]:
            cost[place], changed[place] = prices[place], tuple(step.name for step in steps)
    return Recourse(cost, tuple(changed))


@dataclass(frozen=True, slots=True)
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


def _steps(column: pd.Series, name: str, direction: Direction) -> list[_Step]:
    known = column.dropna()
    if not is_number(column):
        return [_Step(name, value, "any", None) for value in known.unique()]
    values = np.sort(known.to_numpy(dtype=np.float64))
    chosen = np.unique(np.quantile(values, np.linspace(0, 1, STEPS + 2), method="inverted_cdf"))
    whole = pd.api.types.is_integer_dtype(column.dtype)
    return [_Step(name, int(value) if whole else float(value), direction, values) for value in chosen]


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
