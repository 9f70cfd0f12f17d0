"""Fairlearn's ThresholdOptimizer over the frozen model's scores (Hardt, Price and Srebro 2016)."""

from __future__ import annotations

import warnings
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.mitigation.candidate import Candidate, Mitigation
from evenhand.mitigation.constraints import constraints
from evenhand.mitigation.ruling import group_names, under
from evenhand.subjects.rules import Steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "threshold_optimizer"


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose what Fairlearn's ThresholdOptimizer makes of the frozen scores."""
    if problem.predictions.y_score is None or not problem.sensitive or not problem.columns:
        return
    for constraint, gap in constraints(problem).items():
        for tolerance in (0.0, gap / 2) if constraint != "equalized_odds" and _tolerant() else (0.0,):
            name = f"ThresholdOptimizer, {constraint}" + (f", tolerance {tolerance:.3g}" if tolerance else "")
            make = partial(_made, problem, constraint, tolerance, name)
            settings: dict[str, Plain] = {"constraints": constraint, "tol": tolerance, "objective": _objective(problem)}
            yield Candidate(name, NAME, make, settings, needs_sensitive=True, randomized=True, library="fairlearn")


def _scores() -> Any:
    """Return the frozen model as ThresholdOptimizer asks it: its scores are the rows."""
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Scores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, X: object, y: object) -> Scores:
            return self

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, X: Any) -> NDArray[np.float64]:
            return np.asarray(X, dtype=np.float64)[:, 0]

    return Scores()


def _objective(problem: Problem) -> str:
    balanced = problem.performance.metric == "balanced_accuracy"
    return "balanced_accuracy_score" if balanced else "accuracy_score"


def _tolerant() -> bool:
    """Whether this release of Fairlearn has a tolerance."""
    from fairlearn.postprocessing import ThresholdOptimizer

    return "tol" in signature(ThresholdOptimizer).parameters


def _made(problem: Problem, constraint: str, tolerance: float, name: str, rows: EvaluationSet, seed: int) -> Subject:
    from fairlearn.postprocessing import ThresholdOptimizer

    more = {"tol": tolerance} if tolerance else {}
    fitted = ThresholdOptimizer(
        estimator=_scores(), constraints=constraint, objective=_objective(problem), prefit=True,
        predict_method="predict", **more,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = group_names(rows, problem.sensitive)
        fitted.fit(problem.scores[:, None], rows.y_true.astype(int), sensitive_features=names)
    found = fitted.interpolated_thresholder_.interpolation_dict
    return under(problem, {str(group): _steps(mixed) for group, mixed in found.items()}, name, seed)


def _steps(mixed: Any) -> Steps:
    """Return the chance of a positive decision by score, as Fairlearn mixes two thresholds and a constant."""
    parts = [(float(mixed.p0), mixed.operation0), (float(mixed.p1), mixed.operation1)]
    edges = sorted({_edge(operation) for _, operation in parts} - {np.inf, -np.inf})
    inside = np.append(np.nextafter(edges[0], -np.inf), edges) if edges else np.array([0.0])
    chances = np.zeros(len(inside))
    for chance, operation in parts:
        chances += chance * np.asarray(operation(inside), dtype=np.float64)
    if "p_ignore" in mixed:
        chances = mixed.p_ignore * mixed.prediction_constant + (1 - mixed.p_ignore) * chances
    return Steps(tuple(map(float, edges)), tuple(float(chance) for chance in np.clip(chances, 0.0, 1.0)))


def _edge(operation: Any) -> float:
    """Return the least score above the threshold of an operation, which is ``score > t`` or ``score < t``."""
    threshold = float(operation.threshold)
    above = operation.operator == ">"
    return float(np.nextafter(threshold, np.inf)) if above and np.isfinite(threshold) else threshold


MITIGATION: Final = Mitigation(_propose)
