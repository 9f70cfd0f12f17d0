"""What follows once the weights are learnt: the threshold or the scale of numbers, and what is reached."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.values.ranking import ndcg
from evenhand.metrics.values.regression import measure_numbers
from evenhand.subjects.outputs import decisions
from evenhand.training.model import predictions
from evenhand.training.thresholds import choose_threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.metrics import Measured
    from evenhand.training.config import TrainingConfig
    from evenhand.training.target import Target

    Floats = NDArray[np.float64]
    Part = tuple[EvaluationSet, Floats]

LEVEL: Final = 0.95
"""The level of the intervals of what was reached on training and validation rows."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What a fit ends with besides its weights."""

    threshold: float
    """A probability at or above it is predicted positive; of no use for other tasks than two classes."""
    target: Target | None
    """How outputs become numbers of the label; None of classes."""
    scores: Floats
    """The model's answers for the validation rows; of quantiles all of them, (n, Q)."""
    reached: dict[str, Plain]
    """What is known of the model's answers on training and validation rows."""


def close(train: Part, validation: Part, config: TrainingConfig, target: Target | None) -> Closed:
    """Return what follows from the outputs of the network for rows of both parts; each part is its rows and outputs."""
    if target is not None:
        target = _smeared(target, *train, config)
        parts = {"train": train, "validation": validation}
        said = target.values(validation[1]) if target.quantiles else predictions(validation[1], "model", target)
        return Closed(0.5, target, said, {"errors": {name: _errors(*part, target) for name, part in parts.items()}})
    scores = {name: predictions(raw, "model", None) for name, (_, raw) in _named(train, validation).items()}
    data, threshold, reached = validation[0], 0.5, {}
    if data.task == "binary":
        threshold = choose_threshold(data.y_true, scores["validation"], config.threshold, data.sample_weight)
        reached = {} if config.threshold_rule is None else {"threshold_rule": config.threshold_rule}
    counts: dict[str, Plain] = {
        name: counted(rows.y_true, decisions(scores[name], threshold), len(data.classes))
        for name, (rows, _) in _named(train, validation).items()
    }
    return Closed(threshold, None, scores["validation"], {**reached, "counts": counts})


def _named(train: Part, validation: Part) -> dict[str, Part]:
    return {"train": train, "validation": validation}


def _smeared(target: Target, data: EvaluationSet, raw: Floats, config: TrainingConfig) -> Target:
    """Return the target under which means of training rows are right, where squared errors of logarithms are least.

    Source: Duan 1983, "Smearing estimate: a nonparametric retransformation method".
    """
    if not target.logarithm or config.loss != "mse":
        return target
    told, said = np.asarray(data.y_true, dtype=np.float64), target.values(raw)
    weight = data.sample_weight
    return replace(target, smear=float(np.average(1 + told, weights=weight) / np.average(1 + said, weights=weight)))


def _errors(data: EvaluationSet, raw: Floats, target: Target) -> dict[str, Plain]:
    """Return measures of the predictions of some rows, each with its interval."""
    said = predictions(raw, "model", target)
    if target.task == "ranking":
        query = data.table[data.roles.query].to_numpy()
        return {"ndcg": _told(ndcg(data.y_true, said, query, level=LEVEL))}
    codes = np.zeros(len(data), dtype=np.int32)
    more = {"weight": data.sample_weight, "clusters": data.clusters, "level": LEVEL}
    return {
        metric: _told(measure_numbers(metric, data.y_true, said, codes, **more))  # type: ignore[arg-type]
        for metric in ("r2", "mean_absolute_error")
    }


def _told(found: Measured) -> dict[str, Plain]:
    """Return a measure with its interval as plain data; what is not defined is None."""
    numbers = {name: float(getattr(found, name)[0]) for name in ("estimate", "low", "high")}
    finite: dict[str, Plain] = {name: value if np.isfinite(value) else None for name, value in numbers.items()}
    return {**finite, "rows": int(found.support[0]), "method": found.method, "level": LEVEL}


def fitted_by(config: TrainingConfig, fitted: EvaluationSet, chosen: EvaluationSet) -> dict[str, Plain]:
    """Return by which settings and of which rows a model came about: a network, or boosted trees."""
    return {
        "config": config.to_plain(),
        "train_rows": len(fitted),
        "validation_rows": len(chosen),
        "train_hash": fitted.content_hash(),
        "validation_hash": chosen.content_hash(),
        "label": fitted.roles.label,
        **({"task": fitted.task} if fitted.task not in ("binary", "multiclass") else {}),
        **({"classes": [str(value) for value in fitted.classes]} if fitted.task == "multiclass" else {}),
        "positive": fitted.roles.to_plain()["positive"],
        "used_sensitive": [name for name in fitted.roles.sensitive_features if name in fitted.features],
    }


def counted(y_true: NDArray[np.generic], decided: NDArray[np.intp], classes: int) -> Plain:
    """Return (C, C) rows by truth and decision."""
    cells = np.bincount(classes * y_true.astype(np.intp) + decided, minlength=classes * classes)
    return [[int(count) for count in row] for row in cells.reshape(classes, classes)]
