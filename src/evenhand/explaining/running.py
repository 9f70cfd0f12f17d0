"""The methods of computing values, tried in the order of the table until one applies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pandas as pd

from evenhand.explaining.additive import explain_additive
from evenhand.explaining.blocks import pooled
from evenhand.explaining.choosing import Method, NotThisWay
from evenhand.explaining.engine import PairEngine, PairMeans, Progress
from evenhand.explaining.evaluating import Evaluator
from evenhand.explaining.gradients import POINTS, explain_gradients, explain_rescaled
from evenhand.explaining.linear import explain_linear
from evenhand.explaining.planning import Plan, bound_of, make_plan
from evenhand.explaining.preparing import Prepared, prepared
from evenhand.explaining.repeating import run_repeated
from evenhand.explaining.summing import Summed, Walker
from evenhand.explaining.table import CodedTable
from evenhand.explaining.through_shap import explain_through_shap
from evenhand.explaining.tree import TreesOf, explain_tree
from evenhand.explaining.trees.walking import TreeWalker
from evenhand.messages import message, sentences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from numpy.typing import NDArray

    from evenhand.explaining.scores import Link, LinkedScore

TOLERANCE: Final = 1e-3
"""A closed form or a tree explainer is refused when its sums miss the model's scores by more than this, relative to
the spread of the scores: single precision leaves about a tenth of it."""


SINGLE: Final = 4 * float(np.finfo(np.float32).eps)
"""Probabilities no further apart may be one, as a library that adds in single precision returns it."""
PRECISE: Final = 8
"""Random orders per pair that a requested error is expected to need: pairs that cost no more are enumerated."""


@dataclass(frozen=True, slots=True)
class Task:
    """The arguments of `explain`, after all checks.

    `own` (n,) are the model's scores of `X`; `trees` reads its trees where it has any; `decide_at` is on the scale of
    the scores, `deadline` on the monotonic clock; `batch_free`: whether a row's score is the same in every batch.
    """

    score: LinkedScore
    X: pd.DataFrame
    background: pd.DataFrame
    players: Mapping[str, Sequence[str]]
    own: NDArray[np.float64]
    trees: TreesOf
    seed: int
    permutations: int
    error: float | None
    budget: int | None
    deadline: float | None
    batch_free: bool
    decide_at: float | None
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one way found, and why that way: (n, m) values, and their means over blocks of the background where known.

    `exact`: whether nothing was sampled; `used`: the number of background rows; `notes`: caveats.
    """

    method: str
    reason: str
    exact: bool
    evaluations: int
    values: NDArray[np.float64]
    base_value: float
    means: PairMeans | None
    used: int
    notes: tuple[str, ...] = ()
    decisions: PairMeans | None = None
    """The values of the decision, where requested."""


def first_that_holds(task: Task, ways: tuple[str, ...], asked: Method) -> Answer:
    """Return the answer of the first method that applies to this model."""
    passed_over: list[str] = []
    for way in ways[:-1]:
        try:
            return _with_decisions(task, _by(task, way))
        except NotThisWay as reason:
            # With auto, a model that is neither linear nor a tree needs no note.
            if asked != "auto" or reason.notable:
                passed_over.append(message("Not {way}: {reason}", way=way, reason=reason.args[0]))
    answer = _with_decisions(task, _by(task, ways[-1]))
    return replace(answer, reason=sentences(answer.reason, *passed_over))


def _by(task: Task, way: str) -> Answer:
    if way in ("linear", "additive", "tree"):
        return _by_form(task, way)
    table = CodedTable(task.X, task.background, task.players)
    walker = task.trees.walker(task.own) if way in ("pairs", "exact") and task.batch_free else None
    found = None if walker is not None else _in_two_stages(task, table)
    if way == "gradients":
        means = explain_gradients(table, found, task.seed)
        reason = message(
            "Expected gradients at {points} midpoints against every background row: no Shapley values, but near.",
            points=POINTS,
        )
        return _of_means(way, reason, means, exact=False)
    if way == "rescale":
        means = explain_rescaled(table, found, task.seed)
        return _checked_answer(
            task, way, means, message("The rescale rule of DeepLIFT: no Shapley values, but they add up.")
        )
    evaluate = _evaluator(task, table, found, walker)
    if way.startswith("shap-"):
        return _through_shap(task, way, evaluate, table)
    return _by_pairs(task, cast("Literal['pairs', 'exact']", way), evaluate, table)


def _by_form(task: Task, way: str) -> Answer:
    """Explain by the form of the model."""
    theirs = None
    if way == "linear":
        means = explain_linear(task.score.model, task.X, task.background, task.players, task.own, task.seed)
        reason = message("The score is linear in these columns: closed form.")
    elif way == "additive":
        means = explain_additive(task.score, task.X, task.background, task.players, task.seed)
        reason = message("The score is a sum over these columns: each was varied on its own.")
    else:
        means, theirs = explain_tree(task.trees.found(), task.score.link, task.seed)
        reason = message("The score is a sum of trees: their values in closed form, against every background row.")
    return _checked_answer(task, way, means, reason, theirs)


def _in_two_stages(task: Task, table: CodedTable) -> Prepared | None:
    joint = pd.concat([task.X, task.background], ignore_index=True)
    return prepared(task.score, table, joint, task.own)


def _evaluator(task: Task, table: CodedTable, found: Prepared | None, split: Walker | None = None) -> Evaluator:
    """Return the model as a function of codes: split where it can be, else by prepared rows, else by whole tables."""
    cut, fixed = task.decide_at, not task.batch_free
    if found is None:

        def ask_tables(codes: NDArray[np.int32]) -> NDArray[np.float64]:
            return task.score(table.decode(codes))

        return Evaluator(ask_tables, table, width=len(table.columns), fixed_batch=fixed, decide_at=cut, split=split)
    parts, score = found.parts, found.score

    def ask_prepared(codes: NDArray[np.int32]) -> NDArray[np.float64]:
        task.score.rows_asked += codes.shape[1]
        return score(parts.compose(codes))

    if split is None and found.network is not None and task.batch_free:
        from evenhand.explaining.splitting import split_network

        split = split_network(found.network, parts, table)
    return Evaluator(ask_prepared, table, width=parts.width, fixed_batch=fixed, decide_at=cut, split=split)


def _by_pairs(task: Task, way: Literal["pairs", "exact"], evaluate: Evaluator, table: CodedTable) -> Answer:
    plan = _plan_of(task, evaluate, table, way)
    means, *others = _run(task, evaluate, table, plan)
    used = int(means.block_rows.sum())
    drawn = 1 if means.by_repetition is None else len(means.by_repetition)
    reason = plan.why(drawn)
    if used < len(plan.order):
        late = message("The time was up after {n:,} of {rows:,} background rows.", n=used, rows=len(plan.order))
        reason = sentences(reason, late)
    if evaluate.split is not None:
        by_trees = message(
            "The mixed rows were answered by the model's trees, and compared with the model's own scores."
        )
        by_layer = message("The network's first layer was taken apart by features.")
        reason = sentences(reason, by_trees if isinstance(evaluate.split, TreeWalker) else by_layer)
        task.score.rows_asked += evaluate.split.asked
    constant = float(np.ptp(means.predictions)) == 0.0 and not means.block_values.any()
    said = message("The model gave every row the same score whatever its values, so every value is 0.")
    notes = (said,) if constant else ()
    answer = _of_means(way, reason, means, exact=plan.exact)
    return replace(answer, evaluations=evaluate.evaluations, notes=notes, decisions=others[0] if others else None)


def _of_means(way: str, reason: str, means: PairMeans, *, exact: bool) -> Answer:
    values = pooled(means.block_values, means.block_rows)
    return Answer(way, reason, exact, 0, values, means.base_value, means, int(means.block_rows.sum()))


def _with_decisions(task: Task, answer: Answer) -> Answer:
    """Add the values of the decision, by the pairs, where another way gave those of the score."""
    if task.decide_at is None or answer.decisions is not None:
        return answer
    table = CodedTable(task.X, task.background, task.players)
    summands = None if answer.means is None else answer.means.summands
    split: Walker | None = None if summands is None else Summed(*summands)
    if answer.method == "tree":
        split = task.trees.walker()  # compared with the model already
    found = None if split is not None else _in_two_stages(task, table)
    evaluate = _evaluator(task, table, found, split)
    _, decisions = _run(task, evaluate, table, _plan_of(task, evaluate, table, "pairs"))
    return replace(answer, decisions=decisions)


def _plan_of(task: Task, evaluate: Evaluator, table: CodedTable, way: Literal["pairs", "exact"]) -> Plan:
    """Return the plan of a task; without a budget, one that needs the whole model is bounded more tightly."""
    bound = bound_of(whole=evaluate.split is None, precise=task.error is not None)
    return make_plan(
        table, seed=task.seed, permutations=task.permutations, expected=1 if task.error is None else PRECISE,
        budget=task.budget, bound=bound, method=way,
    )  # fmt: skip


def _run(task: Task, evaluate: Evaluator, table: CodedTable, plan: Plan) -> list[PairMeans]:
    return run_repeated(
        PairEngine(evaluate, table, plan, task.seed),
        permutations=task.permutations,
        error=task.error,
        outputs=evaluate.outputs,
        sampled=not plan.exact,
        deadline=task.deadline,
        progress=task.progress,
    )


def _through_shap(task: Task, way: str, evaluate: Evaluator, table: CodedTable) -> Answer:
    values, base = explain_through_shap(
        way, evaluate, table, seed=task.seed, permutations=task.permutations, budget=task.budget
    )
    note = message("shap's explainer gives no error of its values, and the background was not split into blocks.")
    reason: str = message("Asked for by name; every background row was used.")
    if task.deadline is not None:
        reason = sentences(reason, message("shap's explainers cannot be stopped, so budget_seconds was not kept."))
    used = len(task.background)
    return Answer(way, reason, way == "shap-exact", evaluate.evaluations, values, base, None, used, (note,))


def _miss(found: NDArray[np.float64], scores: NDArray[np.float64], link: Link) -> float:
    """Return the greatest difference, but of log-odds whose probabilities are the same in single precision."""
    apart = np.abs(found - scores)
    if link == "logit":
        from scipy.special import expit

        apart[np.abs(expit(found) - expit(scores)) <= SINGLE] = 0.0
    return float(apart.max(initial=0.0))


def _checked_answer(
    task: Task, way: str, means: PairMeans, reason: str, theirs: NDArray[np.float64] | None = None
) -> Answer:
    """Refuse a method whose sums are not the scores of the user's predict: some explainers misread a model.

    `theirs` (b,): what the method takes the background rows' scores for, where it tells them.
    """
    values = pooled(means.block_values, means.block_rows)
    against = task.score(task.background)
    spread = max(float(np.std(np.concatenate([task.own, against]))), 1e-9)
    miss = max(
        _miss(values.sum(axis=1) + means.base_value, task.own, task.score.link),
        abs(means.base_value - float(against.mean())) if theirs is None else _miss(theirs, against, task.score.link),
    )
    if miss > TOLERANCE * spread:
        raise NotThisWay(
            "Its sums miss the model's own scores by up to {miss:.2g} (their spread is {spread:.2g}).",
            notable=True,
            miss=miss,
            spread=spread,
        )
    return _of_means(way, reason, means, exact=True)
