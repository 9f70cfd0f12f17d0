"""The one training loop: for a first fit, for fine-tuning after compression, for distillation."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from evenhand.errors import ModelError, need
from evenhand.output.launched import processes
from evenhand.training.devices import place_of
from evenhand.training.going import Going
from evenhand.training.penalty import is_penalized
from evenhand.training.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from torch import nn

    from evenhand.training.dataset import Dataset
    from evenhand.training.resuming import Checkpoint
    from evenhand.training.schedule import Progress, Schedule


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained network and how it came about."""

    network: nn.Module
    """In the state with the least loss on the check rows, the state before training among them."""
    train_loss: tuple[float, ...]
    """Mean loss of each epoch on the dataset, dropout on."""
    check_loss: tuple[float, ...]
    """Loss after each epoch on the check rows."""
    best_epoch: int
    """The epoch that was kept, from 1; 0 is the state before training."""
    stopped: str
    """Why it ended: ``all epochs``, ``patience``, ``time``, or ``loss not finite``."""
    batch_size: int = 0
    """Rows of a batch, after halving where memory did not suffice."""
    device: str = "cpu"
    """What it was trained on."""


def run(
    network: nn.Module,
    dataset: Dataset,
    check: Dataset,
    schedule: Schedule,
    *,
    masks: Mapping[str, torch.Tensor] | None = None,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[int, float], None] | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Return a copy of the network, trained; `network` and torch's generator stay as they are.

    On one machine the same seed gives the same weights, also where a killed fit resumes from its checkpoint. Where
    memory does not suffice, the batch is halved and twice as many are accumulated, and the fit restarts. Under
    ``torchrun`` each process takes its share of every batch, so the steps are those of one process.

    Parameters
    ----------
    network : torch.nn.Module
        (n, ...) to (n,) or (n, 1) logits of one class, or (n, C) of several.
    dataset, check : Dataset
        Rows to learn from, and rows to choose the state by.
    schedule : Schedule
        How long and how fast.
    masks : mapping of parameter name to tensor, optional
        1 where a weight may live; the others are zero after every step.
    checkpoint : Checkpoint, optional
        Where the state is kept after each epoch.
    watch : callable, optional
        Called with each epoch and its loss on the check rows; what it raises ends the fit.
    progress : callable, optional
        Called after each epoch.

    Returns
    -------
    Learned

    Raises
    ------
    ModelError
        When the loss is not finite before any epoch ended, or this machine lacks the device.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from evenhand.training import Dataset
    >>> from evenhand.training.schedule import Schedule
    >>> rows = Dataset(np.ones((8, 2), "float32"), np.ones(8, "float32"), np.ones(8, "float32"))
    >>> learned = run(nn.Linear(2, 1), rows, rows, Schedule(epochs=2))
    >>> type(learned.network).__name__
    'Linear'
    """
    need("torch", "torch")
    if not is_penalized(schedule):
        dataset, check = replace(dataset, members=None), replace(check, members=None)
    if schedule.epochs < 1:
        return Learned(copy.deepcopy(network).eval(), (), (), 0, "all epochs", schedule.batch_size)
    while True:
        try:
            return _attempt(network, dataset, check, schedule, masks or {}, checkpoint, watch, progress)
        except (MemoryError, RuntimeError) as wrong:
            if schedule.batch_size < 2 or processes() > 1 or not _of_memory(wrong):
                raise
        half = schedule.batch_size // 2
        schedule = replace(schedule, batch_size=half, accumulate=2 * schedule.accumulate)
        if progress is not None:
            progress(0, schedule.epochs, f"out of memory; the batch is halved to {half}")


def _of_memory(wrong: Exception) -> bool:
    told = str(wrong).lower()
    return isinstance(wrong, MemoryError) or any(
        words in told for words in ("out of memory", "can't allocate memory", "not enough memory")
    )


def _attempt(
    network: nn.Module,
    dataset: Dataset,
    check: Dataset,
    schedule: Schedule,
    masks: Mapping[str, torch.Tensor],
    checkpoint: Checkpoint | None,
    told: Callable[[int, float], None] | None,
    progress: Progress | None,
) -> Learned:
    place = place_of(schedule)
    held = None if checkpoint is None else place.agree(None if place.rank else checkpoint.read())
    learner = copy.deepcopy(network)
    watch = Watch(schedule, place, learner, progress, told, checkpoint)
    with place.seeded():
        going = _kind(schedule)(learner, dataset, check, schedule, place, masks)
        if held is None:
            watch.begin(going.check())
        else:
            place.restore(learner, going.optimizer, held["module"], held["moved"])
            watch.resume(held)
        while watch.done < schedule.epochs and not watch.stopped:
            watch.end_epoch(going.learn(watch.done), going.check(), going.moved)
    if checkpoint is not None and not place.rank:
        checkpoint.done()
    return _learned(copy.deepcopy(network), watch)


def _kind(schedule: Schedule) -> type[Going]:
    """Return how steps are taken."""
    if is_penalized(schedule):
        from evenhand.training.fair_going import FairGoing

        return FairGoing
    if schedule.private is None:
        return Going
    from evenhand.training.private.going import PrivateGoing

    return PrivateGoing


def _learned(network: nn.Module, watch: Watch) -> Learned:
    """Return the network in its best state."""
    schedule = watch.schedule
    if watch.stopped == "loss not finite" and not watch.check_loss:
        raise ModelError(
            "The loss was not finite in the first epoch, so nothing was learnt. Look for extreme values in the "
            f"input, or use a learning rate below {schedule.learning_rate:g}."
        )
    network.load_state_dict(watch.best)
    curves = tuple(watch.train_loss), tuple(watch.check_loss)
    stopped, device = watch.stopped or "all epochs", watch.place.device.type
    return Learned(network.eval(), *curves, watch.best_epoch, stopped, schedule.batch_size, device)
