"""Fairlearn's ExponentiatedGradient: a lottery of models that together keep to a constraint (Agarwal et al. 2018)."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from evenhand.mitigation.candidate import Candidate, Mitigation
from evenhand.mitigation.constraints import constraints, moment
from evenhand.mitigation.estimating import recipe
from evenhand.mitigation.ruling import group_names
from evenhand.subjects.mixture import Mixture
from evenhand.subjects.post_processing import PostProcessed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "exponentiated_gradient"
ROUNDS: Final = 30
"""Models that are fitted at most."""
LEAST: Final = 1e-4
"""A model of less weight is left out."""


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose a lottery of refitted models by Fairlearn's ExponentiatedGradient."""
    if not problem.sensitive or not problem.columns:
        return
    for constraint, gap in constraints(problem).items():
        name = f"ExponentiatedGradient, {constraint}"
        settings: dict[str, Plain] = {"constraints": constraint, "difference_bound": gap / 2, "max_iter": ROUNDS}
        make = partial(_made, problem, constraint, gap / 2, name)
        yield Candidate(name, NAME, make, settings, randomized=True, library="fairlearn", trains=True)


def _made(problem: Problem, constraint: str, gap: float, name: str, rows: EvaluationSet, seed: int) -> Subject:
    from fairlearn.reductions import ExponentiatedGradient

    again = recipe(problem, rows, seed)
    fitted: Any = ExponentiatedGradient(again.estimator, moment(constraint, gap), eps=max(gap, 1e-3), max_iter=ROUNDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = group_names(rows, problem.sensitive)
        fitted.fit(again.prepared(rows), rows.y_true.astype(int), sensitive_features=names)
    kept = [(float(weight), at) for at, weight in fitted.weights_.items() if weight > LEAST]
    members = [again.subject(fitted.predictors_[at], f"{name}, {place}") for place, (_, at) in enumerate(kept)]
    if len(members) == 1:
        return again.subject(fitted.predictors_[kept[0][1]], name)
    mixed = Mixture(members, [weight for weight, _ in kept], name)
    return PostProcessed(mixed, None, again.columns, seed=seed, name=name)


MITIGATION: Final = Mitigation(_propose)
