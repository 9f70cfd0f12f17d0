"""Explain with shap's explainers over the same players, for comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import ModelError, need, shorten

if TYPE_CHECKING:
    from collections.abc import Callable
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

    try:
        values = _RUN[method](_Asked(shap, predict, rows, background, seed, permutations, budget))
    except ModelError:
        raise
    except Exception as problem:
        raise ModelError(
            f'{method} failed: {type(problem).__name__}: {shorten(problem, 300)}. Pass method="pairs" instead.'
        ) from problem
    return values, float(evaluate(table.background)[:, 0].mean())


@dataclass(frozen=True, slots=True)
class _Asked:
    """The function that shap explains: the scores of these rows of codes."""

    shap: ModuleType
    predict: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    rows: NDArray[np.float64]
    background: NDArray[np.float64]
    seed: int
    permutations: int
    budget: int | None

    @property
    def independent(self) -> object:
        """The masker that puts in values of the background's rows, all of them."""
        return self.shap.maskers.Independent(self.background, max_samples=len(self.background))

    @property
    def each(self) -> int | None:
        """The evaluations that the budget leaves for each pair of rows."""
        return None if self.budget is None else self.budget // (len(self.rows) * len(self.background))

    def answered(self, explainer: Callable[..., object], most: int) -> NDArray[np.float64]:
        return np.asarray(explainer(self.rows, max_evals=most, silent=True).values, dtype=np.float64)  # type: ignore[attr-defined]


def _permutation(asked: _Asked) -> NDArray[np.float64]:
    # One permutation a row equals shap's default of ten: its orders are shared by the whole background.
    one = 2 * asked.rows.shape[1] + 1
    most = (10 if asked.permutations == 1 else asked.permutations) * one
    most = most if asked.each is None else max(one, min(most, asked.each))
    return asked.answered(asked.shap.PermutationExplainer(asked.predict, asked.independent, seed=asked.seed), most)


def _exact(asked: _Asked) -> NDArray[np.float64]:
    return asked.answered(asked.shap.ExactExplainer(asked.predict, asked.independent), 2 ** asked.rows.shape[1])


def _kernel(asked: _Asked) -> NDArray[np.float64]:
    samples = "auto" if asked.each is None else max(asked.each, asked.rows.shape[1] + 2)
    state = np.random.get_state()
    np.random.seed(asked.seed % 2**32)
    try:
        explainer = asked.shap.KernelExplainer(asked.predict, asked.background, link="identity")
        # shap's default keeps ten features and is off by a quarter on a hundred columns.
        values = explainer.shap_values(asked.rows, nsamples=samples, l1_reg=False, silent=True)
    finally:
        np.random.set_state(state)
    return np.asarray(values, dtype=np.float64)


def _partition(asked: _Asked) -> NDArray[np.float64]:
    players, background = asked.rows.shape[1], asked.background
    masker = asked.shap.maskers.Partition(background, max_samples=len(background), clustering=_halves(players))
    most = 500 if asked.each is None else max(asked.each, 2 * players)
    return asked.answered(asked.shap.PartitionExplainer(asked.predict, masker), most)


_RUN = {"shap-permutation": _permutation, "shap-exact": _exact, "shap-kernel": _kernel, "shap-partition": _partition}


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
