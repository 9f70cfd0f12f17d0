"""What a policy demands of thresholds: each limit on a rate as linear inequalities over shares selected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics import canonical, parse_disparity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.keys import Key
    from evenhand.mitigation.rates import Cells, Linear
    from evenhand.policy import Limit

ODDS = ("recall", "false_positive_rate")
"""The rates of equalized odds."""


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """One inequality: a linear number must not exceed a bound."""

    key: Key
    """The finding that the limit is judged on."""
    number: Linear
    """What must not exceed it."""
    bound: float
    """The bound."""
    least: float
    """The smallest bound that can be asked for: of a difference 0."""
    noise: float = 0.0
    """The standard error of the number on as many rows."""

    def tightened(self, inside: float) -> Demand:
        """Return the demand so many standard errors inside the bound.

        Parameters
        ----------
        inside : float
            How many.
        """
        return replace(self, bound=max(self.bound - inside * self.noise, min(self.least, self.bound)))


def demands(
    wanted: Iterable[tuple[Limit, Key]], rows: EvaluationSet, cells: Cells, usual: NDArray[np.float64]
) -> tuple[list[Demand], list[Key]]:
    """Return what limits demand of thresholds, and the keys of the limits that say nothing linear about them.

    Parameters
    ----------
    wanted : iterable of (Limit, Key)
        Limits, each with a finding that it is judged on.
    rows : EvaluationSet
        The rows that the shares are of.
    cells : Cells
        Their cells, of all features that the limits name.
    usual : NDArray[np.float64]
        (2 k,) shares that are selected now, for the noise.
    """
    found: list[Demand] = []
    aside: list[Key] = []
    for limit, key in wanted:
        numbers = [*_numbers(limit, key, rows, cells)]
        if not numbers:
            aside.append(key)
        found += [Demand(key, number, bound, least, _noise(number, cells, usual)) for number, bound, least in numbers]
    return found, aside


def performance(key: Key, rows: EvaluationSet, cells: Cells) -> Linear:
    """Return what is to be as great as can be: the measure of performance where it is linear, else accuracy.

    Parameters
    ----------
    key : Key
        The measure of performance.
    rows : EvaluationSet
        The rows.
    cells : Cells
        Their cells.
    """
    from evenhand.mitigation.trying import sign

    known = set(key.columns) <= set(cells.columns) and all(feature.group is not None for feature in key.features)
    number = _rate(key.metric, {f.column: f.group for f in key.features}, rows, cells) if known else None
    if number is None:
        number = cells.rate("accuracy", np.ones(len(cells), dtype=bool))
        assert number is not None  # there are rows
        return number
    return number.times(sign(key))


def _rate(name: str, groups: dict[str, str | None], rows: EvaluationSet, cells: Cells) -> Linear | None:
    """Return a rate of a group as a linear number."""
    spelled = canonical(name) or name
    members = cells.members(groups)
    if spelled == "favourable_rate":
        good = rows.roles.favourable_is_positive
        number = None if good is None else cells.rate("selection_rate", members)
        if number is None or good:
            return number
        return type(number)(1.0 - number.constant, -number.weights)
    return cells.rate(spelled, members)


def _numbers(limit: Limit, key: Key, rows: EvaluationSet, cells: Cells) -> Iterator[tuple[Linear, float, float]]:
    """Yield inequalities (number, bound, the smallest bound that can be asked for); none where they are not linear."""
    if not set(key.columns) <= set(cells.columns) or limit.required or limit.against:
        return
    compared = parse_disparity(key.metric)
    if compared is None and key.qualifiers == ():
        number = _rate(key.metric, {feature.column: feature.group for feature in key.features}, rows, cells)
        if number is not None and all(feature.group is not None for feature in key.features):
            yield _one_sided(number, limit)
        return
    if compared is None or any(feature.group is not None for feature in key.features):
        return
    metric, how = compared
    names = ODDS if metric == "equalized_odds" else (metric,)
    groups = [dict(zip(key.columns, labels, strict=True)) for labels in rows.grouping(*key.columns).labels]
    for name in names:
        rates = [_rate(name, dict(group), rows, cells) for group in groups]
        defined = [rate for rate in rates if rate is not None]
        if key.qualifiers == (("vs", "overall"),):
            whole = _rate(name, {}, rows, cells)
            pairs = [pair for rate in defined if whole is not None for pair in ((rate, whole), (whole, rate))]
        elif key.qualifiers == ():
            pairs = [*permutations(defined, 2)]
        else:
            return
        yield from _compared(pairs, defined, how, limit)


def _compared(
    pairs: list[tuple[Linear, Linear]], rates: list[Linear], how: str, limit: Limit
) -> Iterator[tuple[Linear, float, float]]:
    if how == "difference" and limit.at_most is not None:
        for one, other in pairs:
            yield _plain(one - other, limit.at_most, 0.0)
    elif how == "ratio" and limit.at_least is not None:
        for one, other in pairs:
            yield _plain(other.times(limit.at_least) - one, 0.0, -np.inf)
    elif how in ("group_min", "group_max") and (how == "group_min") == (limit.at_least is not None):
        yield from (_one_sided(rate, limit) for rate in rates)


def _one_sided(number: Linear, limit: Limit) -> tuple[Linear, float, float]:
    if limit.at_most is not None:
        return _plain(number, limit.at_most, -np.inf)
    return _plain(number.times(-1.0), -limit.bound, -np.inf)


def _plain(number: Linear, bound: float, least: float) -> tuple[Linear, float, float]:
    """Return an inequality whose constant is 0."""
    return type(number)(0.0, number.weights), bound - number.constant, least - number.constant


def _noise(number: Linear, cells: Cells, usual: NDArray[np.float64]) -> float:
    """Return the standard error of a number where shares are the usual ones."""
    people = np.maximum(np.concatenate([cells.positives, cells.negatives]), 1.0)
    return float(np.sqrt((number.weights**2 * usual * (1 - usual) / people).sum()))
