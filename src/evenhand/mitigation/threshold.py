"""One other threshold for everybody: whoever the limits are about, nobody is treated by group."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError
from evenhand.messages import message
from evenhand.mitigation.candidate import Candidate, Mitigation
from evenhand.mitigation.curves import curves
from evenhand.mitigation.ruling import INSIDE, Ruled
from evenhand.mitigation.searching import single
from evenhand.subjects.post_processing import PostProcessed
from evenhand.subjects.rules import Rule, Steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "threshold"


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose one other threshold for everybody, with most performance within the limits."""
    if problem.predictions.y_score is None:
        return
    for inside in INSIDE:
        name = f"one threshold, {inside:g} SE inside"
        yield Candidate(name, NAME, partial(_made, problem, inside, name), {"inside": inside})


def _made(problem: Problem, inside: float, name: str, rows: EvaluationSet, seed: int) -> Subject:
    """Return the model under the threshold of most performance that meets the limits on the rows of the fit."""
    ruled = Ruled(problem)
    points = curves(rows, problem.scores, ruled.cells, alike=True)
    threshold, met = single(points, ruled.tightened(inside), ruled.goal)
    if not met:
        raise ModelError(message("No one threshold meets the limits on the rows that it was fitted on."))
    return PostProcessed(problem.model, Rule(Steps.at(threshold)), problem.columns, seed=seed, name=name)


MITIGATION: Final = Mitigation(_propose)
