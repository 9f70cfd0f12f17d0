"""Further training of a changed network, on training rows only, towards what the fit that made the model was after."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.compression.recipe import Bench
    from evenhand.data import EvaluationSet
    from evenhand.training import Dataset, NetworkModel, TrainingConfig

HELD_OUT = 0.2
"""Share of the training rows that fine-tuning stops by when no validation rows are given."""
PATIENCE: Final = 3
"""Epochs without a gain after which fine-tuning stops."""
GAIN: Final = 1e-3
"""Share of the loss that is a gain: fine-tuning mends in its first epochs and then creeps."""
LEAST_EPOCHS: Final = 5
"""Fine-tuning may take so many epochs, or as many as the fit took where that were more."""
HEAVIEST = 10.0
"""A row of a small group counts at most this many times the mean: a group of one row must not steer the whole."""
OWN: Final = (
    "epochs", "batch_size", "learning_rate", "weight_decay", "seed", "optimizer", "schedule", "clip", "patience",
    "device", "accumulate", "strategy",
)  # fmt: skip
"""Settings that fine-tuning has of its own; what is made small, and how rows are changed by chance, are the fit's."""


def tune(
    network: nn.Module,
    model: NetworkModel,
    bench: Bench,
    epochs: int,
    masks: Mapping[str, torch.Tensor] | None = None,
    learning_rate: float = 1e-3,
) -> nn.Module:
    """Return a network fine-tuned on training rows; the untouched one takes part, so the loss never rises.

    Loss, weights of classes, rows drawn again and changes of rows by chance are those of the fit that made the model.
    It ends early where the loss has stopped falling, and takes no more epochs than that fit.

    `network` is over what `model` prepares, and is unchanged; `bench` has the rows, the seed, and the groups to be
    balanced; `masks`, by name of a parameter, are 1 where a weight may live: the others are zero after every step.
    """
    import copy

    from evenhand.training.lists import learn
    from evenhand.training.schedule import Schedule

    if not bench.tuning or epochs < 1:
        return copy.deepcopy(network).eval()
    bench.tuned.append(type(network).__name__)
    dataset, check = datasets(model, bench)
    schedule = Schedule(
        epochs=int(min(epochs, _most_epochs(model))), learning_rate=learning_rate, seed=bench.seed,
        seconds=bench.seconds, patience=PATIENCE, gain=GAIN, target=model.target,
    )  # fmt: skip
    schedule = replace(schedule, **_as_before(model))  # type: ignore[arg-type]
    return learn(network, dataset, check, schedule, masks=masks, progress=bench.epochs).network


def _most_epochs(model: NetworkModel) -> float:
    """Return how many epochs fine-tuning may take; a network that was given has no fit to compare with."""
    done = model.history.get("epochs")
    return max(LEAST_EPOCHS, done) if isinstance(done, int) else math.inf


def config_of(model: NetworkModel) -> TrainingConfig:
    """Return the settings of the fit that made a model; the usual ones where it tells none, or unknown ones."""
    from evenhand.errors import InputError
    from evenhand.training import TrainingConfig

    said = model.history.get("config")
    if not isinstance(said, dict):
        return TrainingConfig()
    known = {field.name for field in dataclasses.fields(TrainingConfig)}
    try:
        return TrainingConfig.from_plain({name: value for name, value in said.items() if name in known})
    except InputError:
        return TrainingConfig()


def _as_before(model: NetworkModel) -> dict[str, object]:
    """Return what the fit made small, and how it changed its rows."""
    from evenhand.training.schedule import Schedule

    if not isinstance(model.history.get("config"), dict):
        return {}
    config = config_of(model)
    shared = {field.name for field in dataclasses.fields(Schedule)} & {f.name for f in dataclasses.fields(config)}
    found = {name: getattr(config, name) for name in shared if name not in OWN}
    return found if config.precision != "float16" else {**found, "precision": "float32"}  # there may be no CUDA here


def datasets(model: NetworkModel, bench: Bench) -> tuple[Dataset, Dataset]:
    """Return the rows to learn from, drawn and weighted as in the fit, and those to stop by.

    Where classes were drawn equally often, rows to stop by weigh so that classes do: else what was learnt from the
    drawn rows would be undone.
    """
    from evenhand.training.weighing import class_weights, resampled, reweighing

    train, check = rows_of(model, bench)
    config = config_of(model)
    learning = resampled(dataset_of(model, train, bench.balance), train, config)
    stopping = dataset_of(model, check, bench.balance)
    if config.resample is not None and config.class_weight is None:
        by_group = config.resample == "by_group"
        stopping = _weighted(stopping, reweighing(check) if by_group else class_weights(check.y_true))
    return learning, stopping


def rows_of(model: NetworkModel, bench: Bench) -> tuple[EvaluationSet, EvaluationSet]:
    """Return the rows to learn from and those to choose by: as given, as the fit held them out, or some held out."""
    import numpy as np

    from evenhand.training.fitting import hold_out

    if bench.validation is not None:
        return bench.train, bench.validation
    if (held := _held_out(model, bench.train)) is not None:
        return held
    if bench.train.task == "ranking":
        return hold_out(bench.train, bench.seed)  # lists stay whole
    order = np.random.default_rng(bench.seed).permutation(len(bench.train))
    count = max(1, round(HELD_OUT * len(order)))
    if len(order) < 2:
        return bench.train, bench.train
    return bench.train.take(np.sort(order[count:])), bench.train.take(np.sort(order[:count]))


def _held_out(model: NetworkModel, train: EvaluationSet) -> tuple[EvaluationSet, EvaluationSet] | None:
    """Return the parts that the fit made of these very rows, where it held some out; else None."""
    from evenhand.errors import InputError
    from evenhand.training.fitting import hold_out

    said = model.history
    counts = said.get("train_rows"), said.get("validation_rows")
    if not all(isinstance(count, int) for count in counts) or sum(cast("tuple[int, int]", counts)) != len(train):
        return None
    try:
        fitted, chosen = hold_out(train, config_of(model).seed)
    except InputError:
        return None
    same = (fitted.content_hash(), chosen.content_hash()) == (said.get("train_hash"), said.get("validation_hash"))
    return (fitted, chosen) if same else None


def dataset_of(model: NetworkModel, data: EvaluationSet, balance: tuple[str, ...] | None = None) -> Dataset:
    """Return rows with their labels, weighted as in the fit and, with `balance`, equally by group.

    Raises ModelError where groups are to be balanced in a ranking.
    """
    from evenhand.errors import ModelError
    from evenhand.training.fitting import dataset_of as as_fitted

    found = as_fitted(model.preprocessing, data, config_of(model), model.target)
    if balance and data.task == "ranking":
        raise ModelError(
            "Groups are balanced by the weights of rows, and a ranking is learnt in lists: leave out balance=."
        )
    return found if not balance else _weighted(found, group_weights(data.grouping(*balance).codes))


def _weighted(dataset: Dataset, weight: NDArray[np.float64]) -> Dataset:
    """Return rows that weigh so many times as much as they did, of mean 1 again."""
    weight = dataset.weight * weight
    return replace(dataset, weight=(weight / weight.mean()).astype("float32"))


def group_weights(codes: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return (n,) weights of mean about 1 by which groups weigh equally, up to `HEAVIEST`."""
    import numpy as np

    weight = 1.0 / np.bincount(codes)[codes]
    return np.asarray(np.minimum(weight / weight.mean(), HEAVIEST))
