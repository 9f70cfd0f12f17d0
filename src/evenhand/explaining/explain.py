"""Explaining a model's scores."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast, get_args

import numpy as np
import pandas as pd

from evenhand.errors import InputError, raise_all
from evenhand.explaining.arrays import as_tables
from evenhand.explaining.attributions import Attributions
from evenhand.explaining.blocks import block_errors, pooled
from evenhand.explaining.checks import checked_players, checked_tables, observe, unseen
from evenhand.explaining.choosing import Method, ways_to_try
from evenhand.explaining.reaching import missed, reached
from evenhand.explaining.repeating import repetition_errors, sampling_error
from evenhand.explaining.running import Answer, Task, first_that_holds
from evenhand.explaining.scores import Link, LinkedScore
from evenhand.explaining.tree import TreesOf
from evenhand.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.engine import PairMeans, Progress
    from evenhand.subjects import Subject


SAMPLED: Final = ("pairs", "exact")
"""The ways that may leave out background rows."""


def explain(
    subject_or_predict: Subject | Callable[..., object],
    X: pd.DataFrame | NDArray[np.generic],
    background: pd.DataFrame | NDArray[np.generic],
    *,
    seed: int = 0,
    link: Link | None = None,
    permutations: int = 1,
    error: float | None = None,
    budget_evaluations: int | None = None,
    budget_seconds: float | None = None,
    players: Mapping[str, Sequence[str]] | NDArray[np.generic] | None = None,
    method: Method = "auto",
    decide_at: float | None = None,
    averaged: int = 1,
    progress: Progress | None = None,
) -> Attributions:
    """Return interventional Shapley values of the columns of `X` for the model's score.

    ``phi_j(x) = mean over b of sum over S without j of |S|! (d - |S| - 1)! / d! * (f(x on S + j, b elsewhere) -
    f(x on S, b elsewhere))``, over the d players in which x and b differ. Preprocessing inside the model
    (encoding, scaling) does not matter: the column is one player.

    The same seed, rows and background give every model the same random orders, so that the values of two models can
    be subtracted.

    Parameters
    ----------
    subject_or_predict : Subject or callable
        A subject, a fitted estimator, or a function from a table (or an array, as `X` is) to one score a row.
    X : DataFrame or array
        The n rows to explain. An array (n, ...) may have any shape: images, rows of tokens; each cell is a column,
        named by its place in a flattened row, and the model is called with arrays.
    background : DataFrame or array
        The rows they are explained against; all are used (see `choose_background`).
    seed : int
        Seed of the random orders and of the blocks of the background.
    link : "logit" or "identity", optional
        Explain log-odds, or the score as it is; a ranking score or a label is always explained as it is. When not
        given, log-odds, but the probability of a forest, whose trees add up to it.
    permutations : int
        Random orders, each with its reverse, for each pair that is not enumerated. More background rows help more.
    error : float, optional
        The sampling error to be reached, relative to the size of the values (0.01 for one in a hundred): random orders
        are added until it is, 64 are drawn, or the budget is spent. What is reached is `relative_error`; a sentence in
        `notes` says where it is more than was requested (more than 0.1 without a request), and what less would take.
    budget_evaluations : int, optional
        Composed rows to spend: enumerates more pairs where it allows, uses fewer background rows where it does not.
        At most 60 million rows when not given, or 4 million where the whole model has to predict each and no `error`
        is requested.
    budget_seconds : float, optional
        Stop after the background row during which the time runs out, and give the estimate so far with its error.
    players : mapping of str to columns, or array, optional
        Groups of columns to be explained as one; the other columns are single players. For arrays also a map of
        the shape of a row with the number or name of each cell's player (see `patch_players`).
    method : str
        ``auto``, or one of `WAYS`.
    decide_at : float, optional
        The score (as `predict` gives it) from which on a decision is positive. The decision, 0 or 1, is then explained
        from the same mixed rows; its values are in `decisions`.
    averaged : int
        How many predictions of the same rows are averaged: for noisy models.
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
    asked = (permutations, averaged, budget_evaluations)
    _check_arguments(seed, link, asked, error=error, decide_at=decide_at, seconds=budget_seconds)
    ways = ways_to_try(method)
    model: object = subject_or_predict
    if isinstance(X, np.ndarray):
        model, X, background, players = as_tables(model, X, background, players)
    table = checked_tables(X, cast("pd.DataFrame", background))
    named = checked_players(X, players)  # type: ignore[arg-type]
    score = LinkedScore(model, link, averaged)  # type: ignore[arg-type]
    trees = TreesOf(score, X, table, named)
    own = score.settle(X, trees.adds_up_to)
    clipped = score.clipped
    behaviour = observe(score, X, table, own)
    score.clipped = clipped
    task = Task(
        score=score,
        X=X,
        background=table,
        players=named,
        own=own,
        trees=trees,
        seed=seed,
        permutations=permutations,
        error=error,
        budget=budget_evaluations,
        deadline=None if budget_seconds is None else started + budget_seconds,
        batch_free=behaviour.batch_free,
        decide_at=None if decide_at is None else float(score.on_scale(np.array([float(decide_at)]))[0]),
        progress=progress,
    )
    return _finished(task, first_that_holds(task, ways, asked=method), (*behaviour.notes, *unseen(X, table)))


def _check_arguments(
    seed: int,
    link: str | None,
    counts: tuple[int, int, int | None],
    *,
    error: float | None,
    decide_at: float | None,
    seconds: float | None,
) -> None:
    permutations, averaged, evaluations = counts
    checks = (
        (0 <= seed < 2**63, f"seed is {seed}; it must be at least 0 and below 2^63."),
        (link is None or link in get_args(Link), f"link is {link!r}; it is one of {', '.join(get_args(Link))}."),
        (permutations >= 1, f"permutations is {permutations}; it must be at least 1."),
        (
            error is None or 0 < error < 1,
            f"error is {error}; it must be above 0 and below 1: 0.01 is one in a hundred.",
        ),
        (decide_at is None or np.isfinite(decide_at), f"decide_at is {decide_at}; a finite score is needed."),
        (averaged >= 1, f"averaged is {averaged}; it must be at least 1."),
        (evaluations is None or evaluations >= 1, f"budget_evaluations is {evaluations}; it must be at least 1."),
        (seconds is None or seconds > 0, f"budget_seconds is {seconds}; it must be above 0."),
    )
    raise_all(InputError, [sentence for holds, sentence in checks if not holds])


def _finished(task: Task, answer: Answer, seen: tuple[str, ...]) -> Attributions:
    notes = [*task.score.notes, *seen, *answer.notes]
    if answer.used == 1:
        notes.append(message("There is one background row, so the values say nothing of other backgrounds."))
    if task.score.clipped:
        notes.append(
            message(
                "{n:,} probabilities nearer to 0 or 1 than 1e-7 were clipped before the log-odds.", n=task.score.clipped
            )
        )
    made = _made(task, answer, answer.means, answer.values, answer.base_value, task.own, notes)
    return made if answer.decisions is None else replace(made, decisions=_of_decisions(task, answer, answer.decisions))


def _of_decisions(task: Task, answer: Answer, means: PairMeans) -> Attributions:
    """Return the values of the decision, compared with the decisions of the user's predict."""
    decided = (task.own >= cast("float", task.decide_at)).astype(np.float64)
    values = pooled(means.block_values, means.block_rows)
    other = replace(answer, method="pairs" if answer.method != "exact" else "exact", used=int(means.block_rows.sum()))
    made = _made(replace(task, error=None), other, means, values, means.base_value, decided, ())
    said = message("Values of the decision: {text}", text=made.shortfall) if made.shortfall else ""
    return replace(made, link="identity", shortfall=said, notes=(said,) if said else ())


def _made(
    task: Task,
    answer: Answer,
    means: PairMeans | None,
    values: NDArray[np.float64],
    base_value: float,
    own: NDArray[np.float64],
    notes: Sequence[str],
) -> Attributions:
    errors = None if means is None else block_errors(means.block_values, means.block_rows)
    drawn = None if means is None else means.by_repetition
    near = None if means is None or answer.method not in SAMPLED else reached(means, len(task.background))
    shortfall = missed(near, task.error, answer.evaluations)
    misses = np.abs(values.sum(axis=1) + base_value - own)
    return Attributions(
        values=values,
        base_value=base_value,
        predictions=own,
        feature_names=tuple(task.players),
        standard_errors=repetition_errors(drawn) if errors is None else errors,
        block_values=None if means is None else means.block_values,
        block_rows=None if means is None else means.block_rows,
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
        notes=(*notes, shortfall) if shortfall else tuple(notes),
        data=_player_data(task.X, task.players),
        repetitions=1 if drawn is None else len(drawn),
        sampling_error=0.0 if answer.exact else sampling_error(means),
        relative_error=near.error if near is not None else 0.0 if answer.exact else None,
        shortfall=shortfall,
    )


def _player_data(X: pd.DataFrame, players: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    made = {name: X[columns[0]] if len(columns) == 1 else _together(X, columns) for name, columns in players.items()}
    return pd.DataFrame(made, index=X.index)


def _together(X: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the values of a group of columns as text; rows that are equal in them are worded once."""
    if all(pd.api.types.is_numeric_dtype(X[column].dtype) for column in columns):
        values = np.ascontiguousarray(X[list(columns)].to_numpy(dtype=np.float64, na_value=np.nan))
        rows = values.view(np.dtype((np.void, values.dtype.itemsize * values.shape[1]))).ravel()
        _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
        worded = _worded(X.iloc[first], columns)
        return [worded[place] for place in inverse.ravel()]
    return _worded(X, columns)


def _worded(X: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    parts = [[f"{column}={value}" for value in X[column]] for column in columns]
    return [", ".join(values) for values in zip(*parts, strict=True)]
