"""Boosted trees fitted on the rows of a table: a model of its own, and what a network is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from evenhand.data.evaluation_set import needed
from evenhand.errors import InputError, need, raise_all
from evenhand.training.config import TrainingConfig

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.training.schedule import Progress
    from evenhand.training.trees.boosted import BoostedModel
    from evenhand.training.trees.numbers import TreeTarget


def fit_boosting(
    train: EvaluationSet,
    validation: EvaluationSet | None = None,
    config: TrainingConfig | None = None,
    progress: Progress | None = None,
    name: str = "boosting",
) -> BoostedModel:
    """Return boosted trees (Friedman 2001; as histograms, scikit-learn's), of classes, of numbers or their quantiles.

    The rows are those that `fit` would use: trees are learnt from training rows, and the round that is kept and the
    threshold are chosen on validation rows. A missing value is a value of its own; a category is asked for sets of
    its levels. The result is saved as numbers alone, and opening it runs no code.

    Numbers are learnt by the squared error (``loss="mse"``, which ``"auto"`` is) or the absolute one (``"mae"``), and
    `quantiles` by trees of each. Huber's error, the focal loss and losses of rankings are of networks alone.

    Parameters
    ----------
    train : EvaluationSet
        Rows to learn from; a table.
    validation : EvaluationSet, optional
        Rows to choose by; a fifth of `train`, drawn by the seed, when not given.
    config : TrainingConfig, optional
        Of which `trees`, `leaves`, `shrinkage`, `patience` and `seed` matter; of classes `class_weight`, `resample` and
        `threshold`, too; of numbers `loss`, `quantiles` and `log_target`.
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
        When there are too few rows, one class only, no table, columns that cannot be inputs, or settings that are not
        for the label's task or not for trees.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit_boosting
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> model = fit_boosting(parts["train"], config=TrainingConfig(trees=20))
    >>> model.predict(parts["test"].X).shape
    (591,)
    """
    from evenhand.training.closing import fitted_by
    from evenhand.training.fitting import _problems, hold_out
    from evenhand.training.goals import goal_problems, settled
    from evenhand.training.metering import Meter
    from evenhand.training.trees.boosted import BoostedModel
    from evenhand.training.trees.growing import grow_closed
    from evenhand.training.trees.numbers import not_for_trees

    need("sklearn", "sklearn")
    config = config or TrainingConfig(model="boosting")
    train, validation = needed(train, "fit"), None if validation is None else needed(validation, "fit")
    unfit = list(not_for_trees(train, config))
    raise_all(InputError, [*_problems(train, validation), *(unfit or goal_problems(train, config))])
    config = settled(config, train.task)
    meter = Meter()
    fitted, chosen = (train, validation) if validation is not None else hold_out(train, config.seed)
    grown, closed = grow_closed(fitted, chosen, config, progress)
    model = BoostedModel(
        name=name,
        trees=grown.trees,
        threshold=closed.threshold,
        target=cast("TreeTarget | None", closed.target),
        history={
            **fitted_by(config, fitted, chosen),
            "model": "boosting",
            "rounds": grown.kept,
            "rounds_fitted": len(grown.check_loss),
            "validation_losses": [round(loss, 6) for loss in grown.check_loss],
            **closed.reached,
        },
    )
    seen = [data.row_hashes(model.preprocessing.features, "table") for data in (fitted, chosen)]
    model.fit_row_hashes = np.unique(np.concatenate(seen))
    model.cost = meter.read()
    return model
