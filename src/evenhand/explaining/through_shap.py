"""shap's own explainers over the same players, for those who want their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import ModelError, need, shorten

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from evenhand.explaining.evaluating import Evaluator
    from evenhand.explaining.table import CodedTable


def explain_through_shap(
    method: str, evaluate: Evaluator, table: CodedTable, *, seed: int, permutations: int, budget: int | None
) -> tuple[NDArray[np.float64], float]:
    """Return the values (n, m) and the base value of one of shap's explainers, all background rows used.

    shap sees the players' codes as its columns, so that a group of columns is masked as one.

    Raises
    ------
    MissingExtraError
        When shap is not installed.
    ModelError
        When shap's explainer fails.
    """
    shap = need("shap", "explain")
    rows, background = table.rows.T.astype(np.float64), table.background.T.astype(np.float64)

    def predict(codes: NDArray[np.float64]) -> NDArray[np.float64]:
        return evaluate(np.ascontiguousarray(np.rint(codes).astype(np.int32).T))[:, 0]

    run = {
        "shap-permutation": _permutation,
        "shap-exact": _exact,
        "shap-kernel": _kernel,
        "shap-partition": _partition,
    }[method]
    try:
        values = run(shap, predict, rows, background, seed, permutations, budget)
    except ModelError:
        raise
    except Exception as problem:
        raise ModelError(
            f'{method} failed: {type(problem).__name__}: {shorten(problem, 300)}. Pass method="pairs" instead.'
        ) from problem
    return values, float(evaluate(table.background)[:, 0].mean())


def _permutation(
    shap: ModuleType,
    predict: object,
    rows: NDArray[np.float64],
    background: NDArray[np.float64],
    seed: int,
    permutations: int,
    budget: int | None,
) -> NDArray[np.float64]:
    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.PermutationExplainer(predict, masker, seed=seed)
    # One permutation a row is shap's own ten: its orders are shared by the whole background.
    one = 2 * rows.shape[1] + 1
    most = (10 if permutations == 1 else permutations) * one
    if budget is not None:
        most = max(one, min(most, budget // (len(rows) * len(background))))
    return np.asarray(explainer(rows, max_evals=most, silent=True).values, dtype=np.float64)


def _exact(
    shap: ModuleType,
    predict: object,
    rows: NDArray[np.float64],
    background: NDArray[np.float64],
    seed: int,
    permutations: int,
    budget: int | None,
) -> NDArray[np.float64]:
    del seed, permutations, budget
    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.ExactExplainer(predict, masker)
    return np.asarray(explainer(rows, max_evals=2 ** rows.shape[1], silent=True).values, dtype=np.float64)


def _kernel(
    shap: ModuleType,
    predict: object,
    rows: NDArray[np.float64],
    background: NDArray[np.float64],
    seed: int,
    permutations: int,
    budget: int | None,
) -> NDArray[np.float64]:
    del permutations
    samples: object = "auto" if budget is None else max(budget // (len(rows) * len(background)), rows.shape[1] + 2)
    state = np.random.get_state()
    np.random.seed(seed % 2**32)
    try:
        explainer = shap.KernelExplainer(predict, background, link="identity")
        # shap's default keeps ten features and is off by a quarter on a hundred columns.
        values = explainer.shap_values(rows, nsamples=samples, l1_reg=False, silent=True)
    finally:
        np.random.set_state(state)
    return np.asarray(values, dtype=np.float64)


def _partition(
    shap: ModuleType,
    predict: object,
    rows: NDArray[np.float64],
    background: NDArray[np.float64],
    seed: int,
    permutations: int,
    budget: int | None,
) -> NDArray[np.float64]:
    del seed, permutations
    players = rows.shape[1]
    masker = shap.maskers.Partition(background, max_samples=len(background), clustering=_halves(players))
    most = 500 if budget is None else max(budget // (len(rows) * len(background)), 2 * players)
    explainer = shap.PartitionExplainer(predict, masker)
    return np.asarray(explainer(rows, max_evals=most, silent=True).values, dtype=np.float64)


def _halves(players: int) -> NDArray[np.float64]:
    """Return the tree, in scipy's form, that joins neighbours, then neighbouring pairs, and so on."""
    made: list[list[float]] = []
    level, sizes = list(range(players)), [1] * players
    height = 0.0
    while len(level) > 1:
        height += 1.0
        joined = []
        for at in range(0, len(level) - 1, 2):
            one, other = level[at], level[at + 1]
            sizes.append(sizes[one] + sizes[other])
            joined.append(players + len(made))
            made.append([float(one), float(other), height, float(sizes[-1])])
        level = joined + ([level[-1]] if len(level) % 2 else [])
    return np.array(made, dtype=np.float64).reshape(-1, 4)
