"""From what is fitted for each cell to a model under a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.mitigation.curves import shares_of
from evenhand.mitigation.demands import demands, performance
from evenhand.mitigation.rates import Cells
from evenhand.subjects.post_processing import PostProcessed
from evenhand.subjects.rules import Rule, Steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.mitigation.candidate import Problem
    from evenhand.mitigation.demands import Demand
    from evenhand.mitigation.rates import Linear

INSIDE: Final = (0.0, 1.5, 3.0, 4.5)
"""How many standard errors inside the limits candidates aim: what meets a limit exactly on the rows that it was fitted
on misses it on other rows about every second time, and a limit passes only where the whole interval is inside."""


class Ruled:
    """A problem as the fitting of thresholds sees it: cells, demands and a goal.

    Parameters
    ----------
    problem : Problem
        The problem.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.cells = Cells.of(problem.fit, problem.sensitive)
        usual = shares_of(problem.fit, problem.predictions.y_pred.astype(np.float64), self.cells)
        self.demands, self.aside = demands(problem.wanted, problem.fit, self.cells, usual)
        self.usual = usual

    @property
    def goal(self) -> Linear:
        """What is to be great."""
        return performance(self.problem.performance, self.problem.fit, self.cells)

    def tightened(self, inside: float) -> list[Demand]:
        """Return the demands so many standard errors inside.

        Parameters
        ----------
        inside : float
            How many.
        """
        return [demand.tightened(inside) for demand in self.demands]

    def subject(self, steps: Sequence[Steps], name: str, seed: int = 0) -> PostProcessed:
        """Return the model under the steps of each cell.

        Parameters
        ----------
        steps : sequence of Steps
            Of each cell.
        name : str
            What the report calls it.
        seed : int
            Of the lots.
        """
        problem = self.problem
        names = group_names(problem.fit, self.cells.columns)
        groups = {each: steps[self.cells.codes[at]] for each, at in _first(names)}
        return under(problem, groups, name, seed)


def under(problem: Problem, groups: Mapping[str, Steps], name: str, seed: int = 0) -> PostProcessed:
    """Return the deployed model under a rule by group.

    Parameters
    ----------
    problem : Problem
        The problem.
    groups : mapping
        The steps of each group, by its name in the rule.
    name : str
        What the report calls it.
    seed : int
        Of the lots.
    """
    columns, rows = problem.sensitive, problem.fit
    bins = {column: tuple(map(float, rows.bins[column])) for column in columns if column in rows.bins}
    rule = Rule(Steps.at(problem.predictions.threshold), columns, dict(groups), bins)
    return PostProcessed(problem.model, rule, problem.columns, seed=seed, name=name)


def group_names(rows: EvaluationSet, columns: tuple[str, ...]) -> NDArray[np.object_]:
    """Return (n,) the group of each row as rules name it.

    Parameters
    ----------
    rows : EvaluationSet
        The rows.
    columns : tuple of str
        The features.
    """
    if not columns:
        return np.full(len(rows), "", dtype=object)
    bins = {column: tuple(map(float, rows.bins[column])) for column in columns if column in rows.bins}
    return Rule(Steps.at(0.0), columns, {}, bins).names(rows.table)


def _first(names: NDArray[np.object_]) -> Iterator[tuple[str, int]]:
    """Yield each name with the first row that has it."""
    found, at = np.unique(names.astype(str), return_index=True)
    yield from zip(map(str, found), map(int, at), strict=True)
