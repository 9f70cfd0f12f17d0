"""Rounds of boosted trees, as many as validation rows want."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.training.trees.arrays import check_against, trees_of
from evenhand.training.trees.columns import TreeColumns
from evenhand.training.weighing import class_weights, resampled_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.training.config import TrainingConfig
    from evenhand.training.schedule import Progress
    from evenhand.training.trees.arrays import BoostedTrees

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
    """Mean cross-entropy on the validation rows after each round."""


def grow(
    fitted: EvaluationSet, chosen: EvaluationSet, config: TrainingConfig, progress: Progress | None = None
) -> Grown:
    """Return trees of the rows to fit on, as many rounds as the rows to choose by want."""
    rows = resampled_rows(fitted.y_true, config)
    table = fitted.X if rows is None else fitted.X.iloc[rows]
    y_true = fitted.y_true if rows is None else fitted.y_true[rows]
    weight = np.ones(len(fitted)) if fitted.sample_weight is None else fitted.sample_weight.astype(np.float64)
    if config.class_weight == "balanced":
        weight = weight * class_weights(fitted.y_true)
    weight = weight if rows is None else weight[rows]
    weighed = None if (weight == weight[0]).all() else weight  # scikit-learn bins rows of one weight far faster
    columns = TreeColumns.fit(table)
    inputs, check = columns.transform(table), columns.transform(chosen.X)
    estimator = _estimator(config, columns)
    losses: list[float] = []
    score: NDArray[np.float64] | None = None
    while len(losses) < config.trees:
        estimator.set_params(max_iter=min(config.trees, len(losses) + AT_A_TIME))
        estimator.fit(inputs, y_true, sample_weight=weighed)
        trees = trees_of(estimator, columns)
        score = np.repeat(trees.base[None, :], len(check), axis=0) if score is None else score
        before = len(losses)
        losses += _losses(trees, check, score, chosen, before * trees.outputs)
        best = int(np.argmin(losses)) + 1
        if progress is not None:
            progress(len(losses), config.trees, f"round {len(losses)}, validation loss {losses[-1]:.3f}")
        if len(losses) - best >= config.patience or len(losses) == before:
            break
    check_against(trees, estimator, inputs[:CHECKED])
    return Grown(trees.rounds(best), best, losses)


def _losses(
    trees: BoostedTrees, check: NDArray[np.float64], score: NDArray[np.float64], chosen: EvaluationSet, first: int
) -> list[float]:
    """Return the loss after each round of the trees from the `first` on, which are added to `score`."""
    losses = []
    for at, added in enumerate(trees.added(check, first), first):
        score[:, at % trees.outputs] += added
        if (at + 1) % trees.outputs == 0:
            losses.append(_cross_entropy(score, chosen))
    return losses


def _cross_entropy(score: NDArray[np.float64], data: EvaluationSet) -> float:
    y_true = data.y_true.astype(np.intp)
    if score.shape[1] == 1:
        lost = np.logaddexp(0.0, np.where(y_true == 1, -score[:, 0], score[:, 0]))
    else:
        lost = np.logaddexp.reduce(score, axis=1) - score[np.arange(len(score)), y_true]
    return float(np.average(lost, weights=data.sample_weight))


def _estimator(config: TrainingConfig, columns: TreeColumns) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=config.shrinkage,
        max_leaf_nodes=config.leaves,
        early_stopping=False,
        warm_start=True,
        random_state=config.seed,
        categorical_features=[column.places > 0 for column in columns.columns],
    )
