"""Explaining a model's scores."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast, get_args

import numpy as np
import pandas as pd

from evenhand.errors import InputError, raise_all
from evenhand.explaining.additive import explain_additive
from evenhand.explaining.attributions import Attributions
from evenhand.explaining.blocks import block_errors, pooled
from evenhand.explaining.checks import checked_players, checked_tables, observe
from evenhand.explaining.choosing import Method, NotThisWay, ways_to_try
from evenhand.explaining.engine import PairEngine, PairMeans, Progress
from evenhand.explaining.evaluating import Evaluator
from evenhand.explaining.linear import explain_linear
from evenhand.explaining.planning import make_plan
from evenhand.explaining.scores import Link, LinkedScore
from evenhand.explaining.table import CodedTable
from evenhand.explaining.through_shap import explain_through_shap
from evenhand.explaining.tree import explain_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Literal

    from numpy.typing import NDArray

    from evenhand.subjects import Subject

TOLERANCE: Final = 1e-3
"""A closed form or a tree explainer is refused when its sums miss the model's scores by more than this, relative to
the spread of the scores: single precision leaves about a tenth of it."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What is asked, after all checks."""

    score: LinkedScore
    X: pd.DataFrame
    background: pd.DataFrame
    players: Mapping[str, Sequence[str]]
    own: NDArray[np.float64]
    seed: int
    permutations: int
    budget: int | None
    deadline: float | None
    batch_free: bool
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one way found."""

    method: str
    reason: str
    exact: bool
    evaluations: int
    values: NDArray[np.float64]
    base_value: float
    means: PairMeans | None
    used: int
    notes: tuple[str, ...] = ()


def explain(
    subject_or_predict: Subject | Callable[[pd.DataFrame], object],
    X: pd.DataFrame,
    background: pd.DataFrame,
    *,
    seed: int = 0,
    link: Link = "logit",
    permutations: int = 1,
    budget_evaluations: int | None = None,
    budget_seconds: float | None = None,
    players: Mapping[str, Sequence[str]] | None = None,
    method: Method = "auto",
    progress: Progress | None = None,
) -> Attributions:
    """Return interventional Shapley values of the columns of `X` for the model's score.

    ``phi_j(x) = mean over b of sum over S without j of |S|! (d - |S| - 1)! / d! * (f(x on S + j, b elsewhere) -
    f(x on S, b elsewhere))``, over the d players in which x and b differ. What the model does with a column inside
    (encoding, scaling) is its own business: the column is one player.

    The same seed, rows and background give every model the same random orders, so that the values of two models can
    be subtracted.

    Parameters
    ----------
    subject_or_predict : Subject or callable
        A subject, a fitted estimator, or a function from a table to one score a row.
    X : DataFrame
        The n rows to explain.
    background : DataFrame
        The rows they are explained against; all are used (see `choose_background`).
    seed : int
        Seed of the random orders and of the blocks of the background.
    link : "logit" or "identity"
        Explain log-odds, or the score as it is; a ranking score or a label is always explained as it is.
    permutations : int
        Random orders, each with its reverse, for each pair that is not enumerated. More background rows help more.
    budget_evaluations : int, optional
        Composed rows to spend: enumerates more pairs where it allows, uses fewer background rows where it does not.
    budget_seconds : float, optional
        Stop after the background row during which the time runs out, and give the estimate so far with its error.
    players : mapping of str to columns, optional
        Groups of columns to be explained as one; the other columns are players of their own.
    method : str
        ``auto``, or one of `WAYS`.
    progress : callable, optional
        Called with the evaluations done and those planned.

    Returns
    -------
    Attributions
        Values, errors, and how they were found.

    Raises
    ------
    InputError
        For tables, players or arguments that cannot be explained.
    ModelError
        When the model fails, or gives scores that are not finite.

    References
    ----------
    Shapley (1953); Strumbelj and Kononenko (2014) for the sampling; Mitchell, Cooper, Frank and Holmes (2022),
    "Sampling Permutations for Shapley Value Estimation", JMLR 23, for orders with their reverses.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rows = pd.DataFrame({"income": [1.0, 2.0], "region": ["north", "south"]})
    >>> def predict(X):
    ...     return 1 / (1 + np.exp(-X["income"].to_numpy() - (X["region"] == "south").to_numpy()))
    >>> found = explain(predict, rows, rows.iloc[:1])
    >>> found.values.round(6).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    started = time.monotonic()
    _check_arguments(seed, link, permutations, budget_evaluations, budget_seconds)
    ways = ways_to_try(method)
    background = checked_tables(X, background)
    named = checked_players(X, players)
    score = LinkedScore(subject_or_predict, link)
    score.settle(X)
    behaviour = observe(score, X, background)
    score.clipped = 0
    own = score(X)
    deadline = None if budget_seconds is None else started + budget_seconds
    task = _Task(
        score,
        X,
        background,
        named,
        own,
        seed,
        permutations,
        budget_evaluations,
        deadline,
        behaviour.batch_free,
        progress,
    )
    return _finished(task, _first_that_holds(task, ways, asked=method), behaviour.notes)


def _check_arguments(seed: int, link: str, permutations: int, evaluations: int | None, seconds: float | None) -> None:
    problems = []
    if not 0 <= seed < 2**63:
        problems.append(f"seed is {seed}; it must be at least 0 and below 2^63.")
    if link not in get_args(Link):
        problems.append(f"link is {link!r}; it is one of {', '.join(get_args(Link))}.")
    if permutations < 1:
        problems.append(f"permutations is {permutations}; it must be at least 1.")
    if evaluations is not None and evaluations < 1:
        problems.append(f"budget_evaluations is {evaluations}; it must be at least 1.")
    if seconds is not None and not seconds > 0:
        problems.append(f"budget_seconds is {seconds}; it must be above 0.")
    raise_all(InputError, problems)


def _first_that_holds(task: _Task, ways: tuple[str, ...], asked: Method) -> _Answer:
    passed_over: list[str] = []
    for way in ways[:-1]:
        try:
            return _by(task, way)
        except NotThisWay as reason:
            # With auto, that a model is neither linear nor a tree is no news.
            if asked != "auto" or reason.notable:
                passed_over.append(f"Not {way}: {reason}")
    answer = _by(task, ways[-1])
    return replace(answer, reason=" ".join([answer.reason, *passed_over]))


def _by(task: _Task, way: str) -> _Answer:
    if way == "linear":
        means = explain_linear(task.score.model, task.X, task.background, task.players, task.own, task.seed)
        return _checked_answer(task, way, means, "The score is linear in these columns: closed form.")
    if way == "additive":
        means = explain_additive(task.score, task.X, task.background, task.players, task.seed)
        return _checked_answer(task, way, means, "The score is a sum over these columns: each was varied on its own.")
    if way == "tree":
        means = explain_tree(task.score.model, task.X, task.background, task.players, task.score.link, task.seed)
        return _checked_answer(
            task, way, means, "A tree ensemble: shap's TreeExplainer, interventional, against every background row."
        )
    table = CodedTable(task.X, task.background, task.players)
    evaluate = Evaluator(task.score, table, fixed_batch=not task.batch_free)
    if way.startswith("shap-"):
        return _through_shap(task, way, evaluate, table)
    return _by_pairs(task, cast("Literal['pairs', 'exact']", way), evaluate, table)


def _by_pairs(task: _Task, way: Literal["pairs", "exact"], evaluate: Evaluator, table: CodedTable) -> _Answer:
    plan = make_plan(table, seed=task.seed, permutations=task.permutations, budget=task.budget, method=way)
    means = PairEngine(evaluate, table, plan, task.seed).run(deadline=task.deadline, progress=task.progress)
    used = int(means.block_rows.sum())
    reason = plan.reason
    if used < len(plan.order):
        reason += f" The time was up after {used:,} of {len(plan.order):,} background rows."
    constant = float(np.ptp(means.predictions)) == 0.0 and not means.block_values.any()
    notes = ("The model gave every row the same score whatever its values, so every value is 0.",) if constant else ()
    values = pooled(means.block_values, means.block_rows)
    return _Answer(way, reason, plan.exact, evaluate.evaluations, values, means.base_value, means, used, notes)


def _through_shap(task: _Task, way: str, evaluate: Evaluator, table: CodedTable) -> _Answer:
    values, base = explain_through_shap(
        way, evaluate, table, seed=task.seed, permutations=task.permutations, budget=task.budget
    )
    note = "shap's explainer gives no error of its values, and the background was not split into blocks."
    reason = "Asked for by name; every background row was used."
    if task.deadline is not None:
        reason += " shap's explainers cannot be stopped, so budget_seconds was not kept."
    used = len(task.background)
    return _Answer(way, reason, way == "shap-exact", evaluate.evaluations, values, base, None, used, (note,))


def _checked_answer(task: _Task, way: str, means: PairMeans, reason: str) -> _Answer:
    """Refuse a way whose sums are not the scores of the user's own predict: some explainers read a model wrongly."""
    values = pooled(means.block_values, means.block_rows)
    against = task.score(task.background)
    spread = max(float(np.std(np.concatenate([task.own, against]))), 1e-9)
    miss = max(
        float(np.max(np.abs(values.sum(axis=1) + means.base_value - task.own))),
        abs(means.base_value - float(against.mean())),
    )
    if miss > TOLERANCE * spread:
        raise NotThisWay(
            f"Its sums miss the model's own scores by up to {miss:.2g} (their spread is {spread:.2g}).", notable=True
        )
    return _Answer(way, reason, True, 0, values, means.base_value, means, int(means.block_rows.sum()))


def _finished(task: _Task, answer: _Answer, seen: tuple[str, ...]) -> Attributions:
    errors = None if answer.means is None else block_errors(answer.means.block_values, answer.means.block_rows)
    misses = np.abs(answer.values.sum(axis=1) + answer.base_value - task.own)
    notes = [*task.score.notes, *seen, *answer.notes]
    if answer.used == 1:
        notes.append("There is one background row, so the values say nothing of other backgrounds and have no error.")
    if task.score.clipped:
        notes.append(
            f"{task.score.clipped:,} probabilities nearer to 0 or 1 than 1e-7 were clipped before the log-odds."
        )
    return Attributions(
        values=answer.values,
        base_value=answer.base_value,
        predictions=task.own,
        feature_names=tuple(task.players),
        standard_errors=errors,
        block_values=None if answer.means is None else answer.means.block_values,
        block_rows=None if answer.means is None else answer.means.block_rows,
        method=answer.method,
        reason=answer.reason,
        exact=answer.exact,
        residual=float(misses.max()),
        residual_p99=float(np.quantile(misses, 0.99)),
        evaluations=answer.evaluations,
        model_rows=task.score.rows_asked,
        clipped=task.score.clipped,
        background_rows=answer.used,
        seed=task.seed,
        link=task.score.link,
        notes=tuple(notes),
        data=_player_data(task.X, task.players),
    )


def _player_data(X: pd.DataFrame, players: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    made = {name: X[columns[0]] if len(columns) == 1 else _together(X, columns) for name, columns in players.items()}
    return pd.DataFrame(made, index=X.index)


def _together(X: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    parts = [[f"{column}={value}" for value in X[column]] for column in columns]
    return [", ".join(values) for values in zip(*parts, strict=True)]
