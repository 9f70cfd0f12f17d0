"""A network on its way: an epoch is learnt, or the check rows are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.training.augmentation import change, changes
from evenhand.training.feeding import Feed
from evenhand.training.objective import factor, moving, weighted_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

    from evenhand.training.dataset import Dataset
    from evenhand.training.feeding import Step
    from evenhand.training.placing import Place
    from evenhand.training.schedule import Schedule


class Going:
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
        self._called, self.optimizer = self._settle(network, place, schedule)
        self._loss = weighted_loss(schedule)()
        self._rows, self._checked = (Feed(part, place.device, (place.rank, place.size)) for part in (dataset, check))
        self._check_weight = float(check.weight.sum(dtype=np.float64))
        named = ((network.get_parameter(name), mask) for name, mask in masks.items())
        self._masks = [(weight, place.beside(weight, mask)) for weight, mask in named]

    def _settle(self, network: nn.Module, place: Place, schedule: Schedule) -> tuple[nn.Module, Any]:
        """Return the network as it is called, and what moves its weights."""
        return place.settle(network, moving(schedule))

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
            losses.append(self._step(step))
            rows.append(step.rows)
        total = float(np.dot(torch.stack(losses).cpu().double().numpy(), rows))
        return self._place.total(total) / (len(order) * self._place.size)

    def _step(self, step: Step) -> torch.Tensor:
        """Move the weights once; return the loss of this process's rows."""
        import torch

        self.optimizer.zero_grad()
        said, weight = [], step.weight / self._place.size
        for at, (columns, answer) in enumerate(step.batches):
            if changes(self._schedule):
                change(self._schedule, columns, answer)
            with self._place.accumulating(self._called, at + 1 < len(step.batches)):
                loss = self._loss_of(self._called(columns), answer, weight)
                self._place.backward(loss)
            said.append(loss.detach())
        self._place.clip(self._called, self.optimizer, self._schedule.clip)
        self.optimizer.step()
        if self._masks:
            with torch.no_grad():
                for values, mask in self._masks:
                    values.mul_(mask)
        return said[0] if len(said) == 1 else torch.stack(said).sum()

    def _loss_of(self, logits: torch.Tensor, answer: torch.Tensor, weight: float) -> torch.Tensor:
        """Return what the gradient is taken of."""
        return self._lost(logits, answer, weight)

    def _lost(self, logits: torch.Tensor, answer: torch.Tensor, weight: float) -> torch.Tensor:
        """Return the loss of rows, divided by the weight of the step."""
        lost: torch.Tensor = self._loss(logits, answer, weight)
        return lost

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
            losses = [self._lost(self._called(columns), answer, 1.0) for columns, answer in self._checked.checked()]
        return self._place.total(float(torch.stack(losses).cpu().double().sum())) / self._check_weight

    def moved(self) -> dict[str, Any]:
        """Return what the next step depends on beside the weights."""
        return self._place.moved(self._network, self.optimizer)


def _chance(seed: int, epoch: int, rank: int) -> int:
    """Return the seed of torch's generator for an epoch of a process: a killed fit goes on by the same chances."""
    return int(np.random.SeedSequence([seed, epoch, rank]).generate_state(1, np.uint64)[0])
