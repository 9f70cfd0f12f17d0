"""Further training of a changed network, on training rows only."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.compression.recipe import Bench
    from evenhand.data import EvaluationSet
    from evenhand.training import Dataset, NetworkModel

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


def tune(
    network: nn.Module,
    model: NetworkModel,
    bench: Bench,
    epochs: int,
    masks: Mapping[str, torch.Tensor] | None = None,
    learning_rate: float = 1e-3,
) -> nn.Module:
    """Return a network fine-tuned on training rows; the untouched one takes part, so the loss never rises.

    It ends early where the loss has stopped falling, and takes no more epochs than the fit that made the model, in
    which rows were changed by chance in the same ways.

    `network` is over what `model` prepares, and is unchanged; `bench` has the rows, the seed, and the groups to be
    balanced; `masks`, by name of a parameter, are 1 where a weight may live: the others are zero after every step.
    """
    from evenhand.training.loop import run
    from evenhand.training.schedule import Schedule

    dataset, check = datasets(model, bench)
    schedule = Schedule(
        epochs=int(min(epochs, _most_epochs(model))), learning_rate=learning_rate, seed=bench.seed,
        seconds=bench.seconds, patience=PATIENCE, gain=GAIN,
    )  # fmt: skip
    schedule = replace(schedule, **_as_before(model))  # type: ignore[arg-type]
    return run(network, dataset, check, schedule, masks=masks, progress=bench.epochs).network


def _most_epochs(model: NetworkModel) -> float:
    """Return how many epochs fine-tuning may take; a network that was given has no fit to compare with."""
    done = model.history.get("epochs")
    return max(LEAST_EPOCHS, done) if isinstance(done, int) else math.inf


KEPT: Final = ("noise", "mixup", "shift", "label_smoothing", "precision")
"""Settings of the fit that fine-tuning keeps to."""


def _as_before(model: NetworkModel) -> dict[str, object]:
    """Return how the fit that made the model changed its rows."""
    config = model.history.get("config")
    return {name: config[name] for name in KEPT if name in config} if isinstance(config, dict) else {}


def datasets(model: NetworkModel, bench: Bench) -> tuple[Dataset, Dataset]:
    """Return the rows to learn from and those to stop by."""
    whole = dataset_of(model, bench.train, bench.balance)
    if bench.validation is None:
        return whole.hold_out(HELD_OUT, bench.seed)
    return whole, dataset_of(model, bench.validation, bench.balance)


def dataset_of(model: NetworkModel, data: EvaluationSet, balance: tuple[str, ...] | None = None) -> Dataset:
    """Return rows with their labels, weighted by the set's weights and, with `balance`, equally by group."""
    import numpy as np

    from evenhand.training.dataset import Dataset, prepared
    from evenhand.training.fitting import targets

    weight = np.ones(len(data)) if data.sample_weight is None else data.sample_weight.astype(np.float64)
    if balance:
        weight = weight * group_weights(data.grouping(*balance).codes)
    return Dataset(prepared(model.preprocessing, data), targets(data), (weight / weight.mean()).astype(np.float32))


def group_weights(codes: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return (n,) weights of mean about 1 by which groups weigh equally, up to `HEAVIEST`."""
    import numpy as np

    weight = 1.0 / np.bincount(codes)[codes]
    return np.asarray(np.minimum(weight / weight.mean(), HEAVIEST))
