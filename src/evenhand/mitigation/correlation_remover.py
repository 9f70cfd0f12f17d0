"""Fairlearn's CorrelationRemover before a model: columns without what they share, linearly, with sensitive ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from evenhand.mitigation.candidate import Candidate, Mitigation
from evenhand.mitigation.estimating import preparation, recipe
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

NAME: Final = "correlation_remover"
STRENGTHS: Final = (1.0, 0.5)
"""How much of what is shared is taken out."""


def _propose(problem: Problem) -> Iterator[Candidate]:
    """Propose a refitted model on columns from which Fairlearn's CorrelationRemover took what groups share."""
    if not problem.sensitive or not problem.columns:
        return
    for alpha in STRENGTHS:
        name = f"CorrelationRemover, {alpha:g}"
        make = partial(_made, problem, alpha, name)
        yield Candidate(name, NAME, make, {"alpha": alpha}, needs_sensitive=True, library="fairlearn", trains=True)


def _made(problem: Problem, alpha: float, name: str, rows: EvaluationSet, seed: int) -> Subject:
    from fairlearn.preprocessing import CorrelationRemover
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    again = recipe(problem, rows, seed)
    sensitive, others = list(problem.sensitive), [c for c in again.columns if c not in problem.sensitive]
    table = rows.table[[*others, *sensitive]]
    coded = OneHotEncoder(drop="first", handle_unknown="ignore", sparse_output=False)
    width = coded.fit_transform(table[sensitive]).shape[1]
    both = ColumnTransformer([("groups", coded, sensitive), ("others", preparation(table[others]), others)])
    remover: Any = CorrelationRemover(sensitive_feature_ids=[*range(width)], alpha=alpha)
    whole = Pipeline([("prepare", both), ("remove", remover), ("model", again.estimator)])
    whole.fit(table, rows.y_true.astype(int))
    return as_subject(whole, name=name, features=tuple(map(str, table.columns)), positive=1)


MITIGATION: Final = Mitigation(_propose)
