"""A network quantized again, with calibration rows of which each group has as many as can be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.mitigation.again import network_again, steps_of
from evenhand.mitigation.candidate import Candidate, Mitigation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "balanced_calibration"


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose a network quantized again, with as many calibration rows of each group as can be."""
    if problem.sensitive and any(step.get("calibration_rows") for step in steps_of(problem)):
        yield Candidate("calibration rows balanced by group", NAME, partial(_made, problem), trains=True)


def _made(problem: Problem, rows: EvaluationSet, seed: int) -> Subject:
    return network_again(problem, rows, seed, "calibration rows balanced by group", balance=problem.sensitive)


MITIGATION: Final = Mitigation(_propose)
