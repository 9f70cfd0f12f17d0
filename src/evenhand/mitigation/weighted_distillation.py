"""A network distilled, or fine-tuned, again with rows that weigh so that each group counts alike."""

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

NAME: Final = "weighted_distillation"


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose a network distilled or fine-tuned again with rows that weigh so that groups count alike."""
    trained = [step for step in steps_of(problem) if step.get("epochs")]
    if problem.sensitive and trained:
        taught = any(step.get("recipe") == "distillation" for step in trained)
        name = f"{'distilled' if taught else 'fine-tuned'} with groups that weigh alike"
        yield Candidate(name, NAME, partial(_made, problem, name), trains=True)


def _made(problem: Problem, name: str, rows: EvaluationSet, seed: int) -> Subject:
    return network_again(problem, rows, seed, name, balance=problem.sensitive)


MITIGATION: Final = Mitigation(_propose)
