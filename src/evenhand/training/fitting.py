"""From training rows to a model with its preprocessing and its threshold."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import InputError, need, raise_all
from evenhand.training.config import TrainingConfig
from evenhand.training.preprocessing import Preprocessing
from evenhand.training.thresholds import choose_threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from torch import nn

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training.loop import Course, Learned, Lesson, Progress
    from evenhand.training.model import TabularModel
    from evenhand.training.networks import NetworkPlan

HELD_OUT = 0.2
"""Share of the training rows held out for early stopping and the threshold when no validation rows are given."""


def fit(
    train: EvaluationSet,
    validation: EvaluationSet | None = None,
    config: TrainingConfig | None = None,
    progress: Progress | None = None,
    name: str = "model",
    checkpoint: str | Path | None = None,
    watch: Callable[[int, float], None] | None = None,
) -> TabularModel:
    """Return a fitted model.

    Preprocessing and weights are learnt from the training rows only; the epoch that is kept and the threshold are
    chosen on the validation rows. On one machine the same rows and seed give the same model.

    Parameters
    ----------
    train : EvaluationSet
        Rows to learn from.
    validation : EvaluationSet, optional
        Rows to choose by; a fifth of `train`, drawn by the seed, when not given.
    config : TrainingConfig, optional
        Settings; the defaults when not given.
    progress : callable, optional
        Called as ``progress(epoch, epochs, text)``.
    name : str
        What the report calls the model.
    checkpoint : path, optional
        A file that keeps the state after each epoch; a fit that was killed goes on from it exactly as it would have.
    watch : callable, optional
        Told each epoch and its loss on the validation rows; what it raises ends the fit.

    Returns
    -------
    TabularModel

    Raises
    ------
    InputError
        When there are too few rows, one class only, or columns that cannot be inputs.
    ModelError
        When the loss was not finite from the beginning.
    """
    import torch

    from evenhand.training.loop import run
    from evenhand.training.metering import Meter
    from evenhand.training.model import TabularModel
    from evenhand.training.resuming import Checkpoint

    need("skorch", "torch")
    config = config or TrainingConfig()
    raise_all(InputError, _problems(train, validation))
    meter = Meter()
    fitted, chosen = (train, validation) if validation is not None else _hold_out(train, config.seed)
    preprocessing = Preprocessing.fit(fitted.X, config.scaling)
    plan = _plan(preprocessing, config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = plan.build()
    lesson = lesson_of(preprocessing, fitted, config)
    check = lesson_of(preprocessing, chosen, config)
    kept = None if checkpoint is None else Checkpoint(Path(checkpoint), _fit_name(config, fitted, chosen))
    learned = run(network, lesson, check, _course(config), checkpoint=kept, watch=watch, progress=progress)
    scores = _scores(learned.network, check.columns)
    threshold = choose_threshold(chosen.y_true, scores, config.threshold, chosen.sample_weight)
    decided = {
        "train": (fitted, _scores(learned.network, lesson.columns) >= threshold),
        "validation": (chosen, scores >= threshold),
    }
    return TabularModel(
        name=name,
        network=learned.network,
        plan=plan,
        preprocessing=preprocessing,
        threshold=threshold,
        history={
            **_history(config, learned, fitted, chosen),
            "counts": {part: _counts(data.y_true, said) for part, (data, said) in decided.items()},
            **({"checkpoint_problem": kept.problem} if kept is not None and kept.problem else {}),
        },
        fit_row_hashes=_row_hashes(preprocessing, fitted, chosen),
        cost=meter.read(),
    )


def _plan(preprocessing: Preprocessing, config: TrainingConfig) -> NetworkPlan:
    from evenhand.training.networks import NetworkPlan

    return NetworkPlan(
        preprocessing.width,
        config.hidden,
        config.activation,
        config.dropout,
        config.network,
        config.batch_norm,
        config.heads,
        preprocessing.widths if config.network == "transformer" else (),
    )


def _counts(y_true: NDArray[np.int8], decided: NDArray[np.bool_]) -> Plain:
    """Return rows by truth and decision: [[true negatives, false positives], [false negatives, true positives]]."""
    tn, fp, fn, tp = (int(count) for count in np.bincount(2 * y_true.astype(np.intp) + decided, minlength=4))
    return [[tn, fp], [fn, tp]]


def _fit_name(config: TrainingConfig, fitted: EvaluationSet, chosen: EvaluationSet) -> str:
    """Return what a fit is of, so that a checkpoint of another one is told apart."""
    said = json.dumps([config.to_plain(), fitted.content_hash(), chosen.content_hash()], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def lesson_of(preprocessing: Preprocessing, data: EvaluationSet, config: TrainingConfig) -> Lesson:
    """Return rows as a lesson, weighted by the set's own weights and, when asked for, each class alike."""
    from evenhand.training.loop import Lesson

    weight = np.ones(len(data)) if data.sample_weight is None else data.sample_weight.astype(np.float64)
    if config.class_weight == "balanced":
        weight = weight * class_weights(data.y_true)
    return Lesson(
        preprocessing.transform(data.X), data.y_true.astype(np.float32), (weight / weight.mean()).astype(np.float32)
    )


def class_weights(y_true: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return (n,) n / (2 n of the row's class): both classes weigh alike."""
    counts = np.bincount(y_true, minlength=2)
    return np.asarray(len(y_true) / (2.0 * np.maximum(counts, 1)))[y_true]


def _hold_out(train: EvaluationSet, seed: int) -> tuple[EvaluationSet, EvaluationSet]:
    from evenhand.data import split

    parts = split(train, {"train": 1 - HELD_OUT, "validation": HELD_OUT}, seed=seed)
    return parts["train"], parts["validation"]


def _course(config: TrainingConfig) -> Course:
    from evenhand.training.loop import Course

    shared = {field.name for field in dataclasses.fields(Course)} & {field.name for field in dataclasses.fields(config)}
    return Course(**{name: getattr(config, name) for name in shared})


def _scores(network: nn.Module, columns: NDArray[np.float32]) -> NDArray[np.float64]:
    from evenhand.subjects.outputs import sigmoid
    from evenhand.training.model import logits

    return sigmoid(logits(network, columns))


def _row_hashes(preprocessing: Preprocessing, *seen: EvaluationSet) -> NDArray[np.uint64]:
    """Return fingerprints of the rows, over the label and the columns that the model reads."""
    from evenhand.data.hashing import hash_rows

    return np.unique(np.concatenate([hash_rows(data.table, preprocessing.features, data.y_true) for data in seen]))


def _history(
    config: TrainingConfig, learned: Learned, fitted: EvaluationSet, chosen: EvaluationSet
) -> dict[str, Plain]:
    """Return how the model came about, as plain data."""
    return {
        "config": config.to_plain(),
        "train_rows": len(fitted),
        "validation_rows": len(chosen),
        "train_hash": fitted.content_hash(),
        "validation_hash": chosen.content_hash(),
        "label": fitted.roles.label,
        "positive": fitted.roles.to_plain()["positive"],
        "used_sensitive": [name for name in fitted.roles.sensitive_features if name in fitted.features],
        "epochs": len(learned.check_loss),
        "best_epoch": learned.best_epoch,
        "stopped": learned.stopped,
        "train_loss": [round(loss, 6) for loss in learned.train_loss],
        "validation_loss": [round(loss, 6) for loss in learned.check_loss],
    }


def _problems(train: EvaluationSet, validation: EvaluationSet | None) -> Iterator[str]:
    for what, data in (("training", train), ("validation", validation)):
        if data is None:
            continue
        if len(data) < 2:
            yield f"{data.name}: {len(data)} {what} rows are too few."
        elif data.y_true.min() == data.y_true.max():
            yield f"{data.name}: all {len(data):,} {what} rows have the same label, so nothing can be learnt from them."
    if not train.features:
        yield f"{train.name}: no column is left as a model input."
