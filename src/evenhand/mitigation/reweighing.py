"""A model fitted again with rows that weigh as if the class did not depend on the group (Kamiran and Calders 2012)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.mitigation.again import by_groups, network_again, recorded
from evenhand.mitigation.candidate import Candidate, Mitigation
from evenhand.mitigation.estimating import recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "reweighing"


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose a model fitted again with rows that weigh as if the class did not depend on the group."""
    if problem.sensitive and (problem.columns or recorded(problem.model) is not None):
        yield Candidate(NAME, NAME, partial(_made, problem), trains=True)


def _made(problem: Problem, rows: EvaluationSet, seed: int) -> Subject:
    from evenhand.training.weighing import reweighing

    if recorded(problem.model) is not None:
        return network_again(problem, rows, seed, NAME, {"class_weight": "reweighing"})
    again, weight = recipe(problem, rows, seed), rows.sample_weight
    by_group = reweighing(by_groups(problem, rows), weight)
    weighed = by_group if weight is None else by_group * weight
    fitted = again.estimator.fit(again.prepared(rows), rows.y_true.astype(int), sample_weight=weighed)
    return again.subject(fitted, NAME)


MITIGATION: Final = Mitigation(_propose)
