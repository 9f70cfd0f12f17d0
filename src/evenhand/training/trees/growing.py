"""Rounds of boosted trees, as many as validation rows want."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.training.closing import close
from evenhand.training.trees.arrays import check_against, one_or_more, trees_of
from evenhand.training.trees.columns import TreeColumns
from evenhand.training.trees.numbers import each_lost, tree_target
from evenhand.training.weighing import resampled_rows, weights_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.training.closing import Closed
    from evenhand.training.config import TrainingConfig
    from evenhand.training.schedule import Progress
    from evenhand.training.trees.arrays import BoostedTrees
    from evenhand.training.trees.numbers import TreeTarget

    Lost = Callable[[NDArray[np.float64]], NDArray[np.float64]]

AT_A_TIME: Final = 20
"""Rounds that are fitted before the validation rows are looked at."""
CHECKED: Final = 512
"""Rows by which the trees are compared with the estimator they were read from."""


@dataclass(slots=True)
class Grown:
    """Trees and how many rounds of them were worth keeping."""

    trees: BoostedTrees
    """Those of the rounds that are kept."""
    kept: int
    """How many rounds."""
    check_loss: list[float] = field(default_factory=list)
    """Mean loss on the validation rows after each round: cross-entropy, or of numbers that of the settings."""


def grow(
    fitted: EvaluationSet,
    chosen: EvaluationSet,
    config: TrainingConfig,
    target: TreeTarget | None = None,
    progress: Progress | None = None,
) -> Grown:
    """Return trees of the rows to fit on, as many rounds as the rows to choose by want.

    `config`: settled settings; `target`: how the numbers of the label are learnt, None of classes.
    """
    rows = resampled_rows(fitted, config)
    table = fitted.X if rows is None else fitted.X.iloc[rows]
    y_true = fitted.y_true if rows is None else fitted.y_true[rows]
    weight = weights_of(fitted, config)
    weight = weight if rows is None else weight[rows]
    weighed = None if (weight == weight[0]).all() else weight  # scikit-learn bins rows of one weight far faster
    columns = TreeColumns.fit(table)
    inputs, check = columns.transform(table), columns.transform(chosen.X)
    told = y_true if target is None else target.scaled(y_true)
    estimators = _estimators(config, columns, target)
    of_rows = _cross_entropies(chosen) if target is None else _of_numbers(chosen, config, target)
    losses: list[float] = []
    score: NDArray[np.float64] | None = None
    while len(losses) < config.trees:
        for estimator in estimators:
            estimator.set_params(max_iter=min(config.trees, len(losses) + AT_A_TIME))
            estimator.fit(inputs, told, sample_weight=weighed)
        trees = trees_of(estimators, columns)
        score = np.repeat(trees.base[None, :], len(check), axis=0) if score is None else score
        before = len(losses)
        losses += [
            float(np.average(of_rows(score), weights=chosen.sample_weight))
            for score in _scores(trees, check, score, before * trees.outputs)
        ]
        best = int(np.argmin(losses)) + 1
        if progress is not None:
            progress(len(losses), config.trees, f"round {len(losses)}, validation loss {losses[-1]:.3f}")
        if len(losses) - best >= config.patience or len(losses) == before:
            break
    check_against(trees, estimators, inputs[:CHECKED])
    return Grown(trees.rounds(best), best, losses)


def grow_closed(
    fitted: EvaluationSet, chosen: EvaluationSet, config: TrainingConfig, progress: Progress | None = None
) -> tuple[Grown, Closed]:
    """Return trees, and what follows once they are grown: the threshold or the scale of numbers, and what is reached.

    `config`: settled settings.
    """
    target = tree_target(fitted, config)
    grown = grow(fitted, chosen, config, target, progress)
    told = [(data, one_or_more(grown.trees.score(grown.trees.columns.transform(data.X)))) for data in (fitted, chosen)]
    return grown, close(told[0], told[1], config, target)


def _scores(
    trees: BoostedTrees, check: NDArray[np.float64], score: NDArray[np.float64], first: int
) -> Iterator[NDArray[np.float64]]:
    """Yield the scores after each round of the trees from the `first` on, which are added to `score`."""
    for at, added in enumerate(trees.added(check, first), first):
        score[:, at % trees.outputs] += added
        if (at + 1) % trees.outputs == 0:
            yield score


def _cross_entropies(data: EvaluationSet) -> Lost:
    y_true = data.y_true.astype(np.intp)

    def lost(score: NDArray[np.float64]) -> NDArray[np.float64]:
        if score.shape[1] == 1:
            return np.asarray(np.logaddexp(0.0, np.where(y_true == 1, -score[:, 0], score[:, 0])))
        return np.asarray(np.logaddexp.reduce(score, axis=1) - score[np.arange(len(score)), y_true])

    return lost


def _of_numbers(data: EvaluationSet, config: TrainingConfig, target: TreeTarget) -> Lost:
    told = target.scaled(data.y_true)
    return lambda score: each_lost(score, told, config.loss, target.quantiles)


def _estimators(config: TrainingConfig, columns: TreeColumns, target: TreeTarget | None) -> list[Any]:
    """Return what fits the trees: one, and of quantiles one for each."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    shared = {
        "learning_rate": config.shrinkage,
        "max_leaf_nodes": config.leaves,
        "early_stopping": False,
        "warm_start": True,
        "random_state": config.seed,
        "categorical_features": [column.places > 0 for column in columns.columns],
    }
    if target is None:
        return [HistGradientBoostingClassifier(**shared)]
    if target.quantiles:
        return [
            HistGradientBoostingRegressor(loss="quantile", quantile=each, **shared) for each in target.quantiles
        ]  # fmt: skip
    return [HistGradientBoostingRegressor(loss="squared_error" if config.loss == "mse" else "absolute_error", **shared)]
