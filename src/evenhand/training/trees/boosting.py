"""Boosted trees fitted on the rows of a table: a model of its own, and what a network is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.data.evaluation_set import needed
from evenhand.errors import InputError, need, raise_all
from evenhand.subjects.outputs import decisions
from evenhand.training.config import TrainingConfig

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training.schedule import Progress
    from evenhand.training.trees.boosted import BoostedModel


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
    from evenhand.training.closing import counted
    from evenhand.training.fitting import _problems, hold_out
    from evenhand.training.goals import settled
    from evenhand.training.metering import Meter
    from evenhand.training.thresholds import choose_threshold
    from evenhand.training.trees.boosted import BoostedModel
    from evenhand.training.trees.growing import grow

    need("sklearn", "sklearn")
    train, validation = needed(train, "fit"), None if validation is None else needed(validation, "fit")
    raise_all(InputError, [*_problems(train, validation), *_not_for_trees(train)])
    config = settled(config or TrainingConfig(model="boosting"), train.task)
    meter = Meter()
    fitted, chosen = (train, validation) if validation is not None else hold_out(train, config.seed)
    grown = grow(fitted, chosen, config, progress)
    known = {"train": fitted, "validation": chosen}
    model = BoostedModel(name=name, trees=grown.trees, threshold=0.5, history={})
    scores = {part: model.predict(data.X) for part, data in known.items()}
    if fitted.task == "binary":
        model.threshold = choose_threshold(chosen.y_true, scores["validation"], config.threshold, chosen.sample_weight)
    told = {part: decisions(scores[part], model.threshold) for part in known}
    model.history = {
        **_told(config, fitted, chosen),
        "model": "boosting",
        **({"threshold_rule": rule} if fitted.task == "binary" and (rule := config.threshold_rule) else {}),
        "rounds": grown.kept,
        "rounds_fitted": len(grown.check_loss),
        "validation_losses": [round(loss, 6) for loss in grown.check_loss],
        "counts": {part: counted(data.y_true, told[part], len(data.classes)) for part, data in known.items()},
    }
    seen = [data.row_hashes(model.preprocessing.features, "table") for data in (fitted, chosen)]
    model.fit_row_hashes = np.unique(np.concatenate(seen))
    model.cost = meter.read()
    return model


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
