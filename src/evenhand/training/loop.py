"""The one training loop: for a first fit, for fine-tuning after compression, for distillation."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.errors import ModelError, need
from evenhand.output.launched import processes
from evenhand.training.augmentation import change, changes
from evenhand.training.devices import place_of
from evenhand.training.feeding import Feed
from evenhand.training.objective import factor, moving, weighted_loss
from evenhand.training.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from torch import nn

    from evenhand.training.dataset import Dataset
    from evenhand.training.placing import Place
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
        going = _Going(learner, dataset, check, schedule, place, masks)
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


class _Going:
    """A network on its way: an epoch is learnt, or the check rows are asked."""

    def __init__(
        self,
        network: nn.Module,
        dataset: Dataset,
        check: Dataset,
        schedule: Schedule,
        place: Place,
        masks: Mapping[str, torch.Tensor],
    ) -> None:
        self._network, self._schedule, self._place = network, schedule, place
        self._called, self.optimizer = place.settle(network, moving(schedule))
        self._loss = weighted_loss(schedule)()
        self._rows, self._checked = (Feed(part, place.device, (place.rank, place.size)) for part in (dataset, check))
        self._check_weight = float(check.weight.sum(dtype=np.float64))
        named = ((network.get_parameter(name), mask) for name, mask in masks.items())
        self._masks = [(weight, place.beside(weight, mask)) for weight, mask in named]

    def learn(self, epoch: int) -> float:
        """Go once through the rows, in an order and with chances that seed and epoch decide; return the mean loss."""
        import torch

        schedule, losses, rows = self._schedule, [], []
        self._place.seed(_chance(schedule.seed, epoch, self._place.rank))
        order = np.random.default_rng([schedule.seed, epoch]).permutation(len(self._rows))
        steps = -(-len(order) // (schedule.batch_size * schedule.accumulate))
        self._called.train()
        for at, step in enumerate(self._rows.steps(order, schedule.batch_size, schedule.accumulate)):
            self._set_rate(epoch, at / steps)
            losses.append(self._step(step.batches, step.weight / self._place.size))
            rows.append(step.rows)
        total = float(np.dot(torch.stack(losses).cpu().double().numpy(), rows))
        return self._place.total(total) / (len(order) * self._place.size)

    def _step(self, batches: list[tuple[torch.Tensor, torch.Tensor]], weight: float) -> torch.Tensor:
        """Move the weights once; return the loss of this process's rows."""
        import torch

        self.optimizer.zero_grad()
        said = []
        for at, (columns, answer) in enumerate(batches):
            if changes(self._schedule):
                change(self._schedule, columns, answer)
            with self._place.accumulating(self._called, at + 1 < len(batches)):
                loss = self._loss(self._called(columns), answer, weight)
                self._place.backward(loss)
            said.append(loss.detach())
        self._place.clip(self._called, self.optimizer, self._schedule.clip)
        self.optimizer.step()
        if self._masks:
            with torch.no_grad():
                for values, mask in self._masks:
                    values.mul_(mask)
        return said[0] if len(said) == 1 else torch.stack(said).sum()

    def _set_rate(self, epoch: int, within: float) -> None:
        """Set the learning rate: of the epoch, or of the step where the schedule goes by steps."""
        if within and self._schedule.schedule != "one_cycle":
            return
        progress = (epoch + within * (self._schedule.schedule == "one_cycle")) / self._schedule.epochs
        for group in self.optimizer.param_groups:
            group["lr"] = self._schedule.learning_rate * factor(self._schedule, progress)

    def check(self) -> float:
        """Return the mean loss on the check rows, dropout off."""
        import torch

        self._called.eval()
        with torch.no_grad():
            losses = [self._loss(self._called(columns), answer, 1.0) for columns, answer in self._checked.checked()]
        return self._place.total(float(torch.stack(losses).cpu().double().sum())) / self._check_weight

    def moved(self) -> dict[str, Any]:
        """Return what the next step depends on beside the weights."""
        return self._place.moved(self._network, self.optimizer)


def _chance(seed: int, epoch: int, rank: int) -> int:
    """Return the seed of torch's generator for an epoch of a process: a killed fit goes on by the same chances."""
    return int(np.random.SeedSequence([seed, epoch, rank]).generate_state(1, np.uint64)[0])
