"""Boosted trees fitted on the rows of a table: a model of its own, and what a network is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.data.evaluation_set import needed
from evenhand.errors import InputError, need, raise_all
from evenhand.subjects.outputs import decisions
from evenhand.training.config import TrainingConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training.boosted import BoostedModel
    from evenhand.training.schedule import Progress
    from evenhand.training.tree_arrays import BoostedTrees
    from evenhand.training.tree_columns import TreeColumns

AT_A_TIME: Final = 20
"""Rounds that are fitted before the validation rows are looked at."""
CHECKED: Final = 512
"""Rows by which the trees are compared with the estimator they were read from."""


def fit_boosting(
    train: EvaluationSet,
    validation: EvaluationSet | None = None,
    config: TrainingConfig | None = None,
    progress: Progress | None = None,
    name: str = "boosting",
) -> BoostedModel:
    """Return boosted trees (Friedman 2001; as histograms, scikit-learn's), of two classes or of several.

    The rows are those that `fit` would use: trees are learnt from training rows, and the round that is kept and the
    threshold are chosen on validation rows. A missing value is a value of its own; a category is asked for sets of
    its levels. The result is saved as numbers alone, and opening it runs no code.

    Parameters
    ----------
    train : EvaluationSet
        Rows to learn from; a table.
    validation : EvaluationSet, optional
        Rows to choose by; a fifth of `train`, drawn by the seed, when not given.
    config : TrainingConfig, optional
        Of which `trees`, `leaves`, `shrinkage`, `patience`, `class_weight`, `resample`, `threshold` and `seed` matter.
    progress : callable, optional
        Called as ``progress(round, rounds, text)``.
    name : str
        What the report calls the model.

    Returns
    -------
    BoostedModel

    Raises
    ------
    InputError
        When there are too few rows, one class only, no table, or columns that cannot be inputs.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit_boosting
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> model = fit_boosting(parts["train"], config=TrainingConfig(trees=20))
    >>> model.predict(parts["test"].X).shape
    (591,)
    """
    from evenhand.training.boosted import BoostedModel
    from evenhand.training.closing import counted
    from evenhand.training.fitting import _problems, hold_out
    from evenhand.training.metering import Meter
    from evenhand.training.thresholds import choose_threshold

    need("sklearn", "sklearn")
    config = config or TrainingConfig(model="boosting")
    train, validation = needed(train, "fit"), None if validation is None else needed(validation, "fit")
    raise_all(InputError, [*_problems(train, validation), *_not_for_trees(train)])
    meter = Meter()
    fitted, chosen = (train, validation) if validation is not None else hold_out(train, config.seed)
    grown = grow(fitted, chosen, config, progress)
    known = {"train": fitted, "validation": chosen}
    model = BoostedModel(name=name, trees=grown.trees, threshold=0.5, history={}, classes=len(fitted.classes))
    scores = {part: model.predict(data.X) for part, data in known.items()}
    if fitted.task == "binary":
        model.threshold = choose_threshold(chosen.y_true, scores["validation"], config.threshold, chosen.sample_weight)
    told = {part: decisions(scores[part], model.threshold) for part in known}
    model.history = {
        **_told(config, fitted, chosen),
        "model": "boosting",
        "rounds": grown.kept,
        "rounds_fitted": len(grown.check_loss),
        "validation_losses": [round(loss, 6) for loss in grown.check_loss],
        "counts": {part: counted(data.y_true, told[part], len(data.classes)) for part, data in known.items()},
    }
    seen = [data.row_hashes(model.preprocessing.features, "table") for data in (fitted, chosen)]
    model.fit_row_hashes = np.unique(np.concatenate(seen))
    model.cost = meter.read()
    return model


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
    from evenhand.training.fitting import class_weights, resampled_rows
    from evenhand.training.tree_arrays import check_against, trees_of
    from evenhand.training.tree_columns import TreeColumns

    rows = resampled_rows(fitted.y_true, config)
    table = fitted.X if rows is None else fitted.X.iloc[rows]
    y_true = fitted.y_true if rows is None else fitted.y_true[rows]
    weight = np.ones(len(fitted)) if fitted.sample_weight is None else fitted.sample_weight.astype(np.float64)
    if config.class_weight == "balanced":
        weight = weight * class_weights(fitted.y_true)
    weight = weight if rows is None else weight[rows]
    columns = TreeColumns.fit(table)
    inputs, check = columns.transform(table), columns.transform(chosen.X)
    estimator = _estimator(config, columns)
    losses: list[float] = []
    score: NDArray[np.float64] | None = None
    while len(losses) < config.trees:
        estimator.set_params(max_iter=min(config.trees, len(losses) + AT_A_TIME))
        estimator.fit(inputs, y_true, sample_weight=weight)
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


def _told(config: TrainingConfig, fitted: EvaluationSet, chosen: EvaluationSet) -> dict[str, Plain]:
    """Return which rows a model is of, as `fit` tells it of a network."""
    return {
        "config": config.to_plain(),
        "train_rows": len(fitted),
        "validation_rows": len(chosen),
        "train_hash": fitted.content_hash(),
        "validation_hash": chosen.content_hash(),
        "label": fitted.roles.label,
        **({"classes": [str(value) for value in fitted.classes]} if fitted.task != "binary" else {}),
        "positive": fitted.roles.to_plain()["positive"],
        "used_sensitive": [name for name in fitted.roles.sensitive_features if name in fitted.features],
    }


def _not_for_trees(train: EvaluationSet) -> list[str]:
    if train.task not in ("binary", "multiclass"):
        return [f"{train.name}: boosted trees learn classes here, and the label's task is {train.task}: fit a network."]
    if train.held is None:
        return []
    return [f"{train.name}: boosted trees read the columns of a table, and these inputs are {train.held.kind}."]
