"""Thresholds by group that meet the policy's own limits with most performance: certain ones, and mixed by lots."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError
from evenhand.messages import message
from evenhand.mitigation.candidate import Candidate, Mitigation
from evenhand.mitigation.curves import curves
from evenhand.mitigation.programme import solve
from evenhand.mitigation.ruling import INSIDE, Ruled
from evenhand.mitigation.searching import thresholds
from evenhand.subjects.rules import Steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "group_thresholds"


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose thresholds by group with most performance within the limits, certain ones and randomized ones."""
    if problem.predictions.y_score is None or not problem.sensitive or not problem.columns:
        return
    for randomized in (False, True):
        for inside in INSIDE:
            name = f"{'randomized ' if randomized else ''}thresholds by group, {inside:g} SE inside"
            make = partial(_made, problem, inside, randomized, name)
            settings = {"inside": inside, "randomized": randomized}
            yield Candidate(name, NAME, make, settings, needs_sensitive=True, randomized=randomized)


def _made(problem: Problem, inside: float, randomized: bool, name: str, rows: EvaluationSet, seed: int) -> Subject:
    ruled = Ruled(problem)
    points, demanded = curves(rows, problem.scores, ruled.cells), ruled.tightened(inside)
    best = solve(points, demanded, ruled.goal)
    if best is None:
        raise ModelError(message("No thresholds by group meet the limits on the rows that they were fitted on."))
    if randomized:
        return ruled.subject(best.steps, name, seed)
    found, met = thresholds(points, demanded, ruled.goal, best.shares)
    if not met:
        raise ModelError(message("Only randomized thresholds meet the limits on the rows that they were fitted on."))
    return ruled.subject([Steps.at(each) for each in found], name, seed)


MITIGATION: Final = Mitigation(_propose)
