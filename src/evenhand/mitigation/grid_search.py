"""Fairlearn's GridSearch: one model, the best of a grid of prices for breaking a constraint (Agarwal et al. 2018)."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from evenhand.mitigation.candidate import Candidate, Mitigation
from evenhand.mitigation.constraints import constraints, moment
from evenhand.mitigation.estimating import recipe
from evenhand.mitigation.ruling import group_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "grid_search"
POINTS: Final = 20
"""Models that are fitted."""
WEIGHTS: Final = (0.5, 0.9)
"""How much the constraint counts beside the error, in the choice of one of them."""


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose a refitted model by Fairlearn's GridSearch."""
    if not problem.sensitive or not problem.columns:
        return
    for constraint, gap in constraints(problem).items():
        for weight in WEIGHTS:
            name = f"GridSearch, {constraint}, weight {weight:g}"
            settings: dict[str, Plain] = {"constraints": constraint, "constraint_weight": weight, "grid_size": POINTS}
            make = partial(_made, problem, constraint, gap / 2, weight, name)
            yield Candidate(name, NAME, make, settings, library="fairlearn", trains=True)


def _made(
    problem: Problem, constraint: str, gap: float, weight: float, name: str, rows: EvaluationSet, seed: int
) -> Subject:
    from fairlearn.reductions import GridSearch

    again = recipe(problem, rows, seed)
    fitted: Any = GridSearch(again.estimator, moment(constraint, gap), constraint_weight=weight, grid_size=POINTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = group_names(rows, problem.sensitive)
        fitted.fit(again.prepared(rows), rows.y_true.astype(int), sensitive_features=names)
    return again.subject(fitted.predictors_[fitted.best_idx_], name)


MITIGATION: Final = Mitigation(_propose)
