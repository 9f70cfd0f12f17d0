"""A network pruned again, keeping the neurons that any group needs and not those that most rows do."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.mitigation.again import network_again, steps_of
from evenhand.mitigation.candidate import Candidate, Mitigation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.compression.recipe import Recipe
    from evenhand.data import EvaluationSet
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "kept_channels"


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose a network pruned again, by what a neuron is to the group that needs it most."""
    if problem.sensitive and any(step.get("recipe") == "neuron_pruning" for step in steps_of(problem)):
        yield Candidate("neurons kept that a group needs", NAME, partial(_made, problem), trains=True)


def _made(problem: Problem, rows: EvaluationSet, seed: int) -> Subject:
    name = "neurons kept that a group needs"
    return network_again(problem, rows, seed, name, adjust=_by_group, balance=problem.sensitive)


def _by_group(step: Recipe) -> Recipe:
    from evenhand.compression import NeuronPruning

    return replace(step, by_group=True) if isinstance(step, NeuronPruning) else step


MITIGATION: Final = Mitigation(_propose)
