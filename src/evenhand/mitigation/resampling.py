"""A model fitted again on rows drawn so that the class does not depend on the group (Kamiran and Calders 2012)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from evenhand.mitigation.again import by_groups, network_again, recorded
from evenhand.mitigation.candidate import Candidate, Mitigation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "resampling"


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose a model fitted again on rows drawn as if the class did not depend on the group."""
    if problem.sensitive and (recorded(problem.model) is not None or hasattr(problem.model, "refit")):
        yield Candidate(NAME, NAME, partial(_made, problem), trains=True)


def _made(problem: Problem, rows: EvaluationSet, seed: int) -> Subject:
    from evenhand.training.config import TrainingConfig
    from evenhand.training.weighing import resampled_rows

    if recorded(problem.model) is not None:
        return network_again(problem, rows, seed, NAME, {"resample": "by_group"})
    drawn = resampled_rows(by_groups(problem, rows), TrainingConfig(resample="by_group", seed=seed))
    assert drawn is not None  # rows are asked to be drawn
    model: Any = problem.model
    made: Subject = model.refit(rows.take(drawn), seed)
    return made


MITIGATION: Final = Mitigation(_propose)
