"""A network fitted again with a penalty on the gaps that the policy limits."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.mitigation.again import network_again, recorded
from evenhand.mitigation.candidate import Candidate, Mitigation
from evenhand.mitigation.constraints import constraints

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "penalty"
WEIGHTS: Final = (3.0, 30.0, 300.0)
"""How much the squared gaps weigh against the loss."""
OF: Final[Mapping[str, str]] = {
    "demographic_parity": "demographic_parity",
    "true_positive_rate_parity": "equal_opportunity",
    "false_positive_rate_parity": "equalized_odds",
    "equalized_odds": "equalized_odds",
}
"""The penalty that stands for a constraint."""


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose a network fitted again with a penalty on the gap that the policy limits."""
    if not problem.sensitive or recorded(problem.model) is None:
        return
    for fairness in dict.fromkeys(OF[name] for name in constraints(problem)):
        for weight in WEIGHTS:
            settings: dict[str, Plain] = {"fairness": fairness, "fairness_weight": weight}
            name = f"penalty on {fairness}, weight {weight:g}"
            yield Candidate(name, NAME, partial(_made, problem, settings, name), settings, trains=True)


def _made(problem: Problem, settings: Mapping[str, Plain], name: str, rows: EvaluationSet, seed: int) -> Subject:
    return network_again(problem, rows, seed, name, {**settings, "mixup": 0.0})


MITIGATION: Final = Mitigation(_propose)
