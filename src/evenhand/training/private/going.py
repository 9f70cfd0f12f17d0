"""A network on its way in private: rows drawn by chance, each clipped, noise on their sum (Abadi et al. 2016)."""

from __future__ import annotations

import secrets
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.training.augmentation import change, changes
from evenhand.training.going import Going
from evenhand.training.objective import moving, row_losses
from evenhand.training.private.plan import steps_of

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.training.placing import Place
    from evenhand.training.private.plan import Privacy
    from evenhand.training.schedule import Schedule


class PrivateGoing(Going):
    """As `Going`, by Opacus: Poisson samples, clipped gradients, Gaussian noise.

    The noise is of a generator that the operating system's chance begins anew in each epoch, unless the settings ask
    for the seed's. No loss of the training rows is told: it would be told without noise.
    """

    def _settle(self, network: nn.Module, place: Place, schedule: Schedule) -> tuple[nn.Module, Any]:
        from opacus.grad_sample import GradSampleModule, GradSampleModuleFastGradientClipping
        from opacus.optimizers import DPOptimizer
        from opacus.optimizers.optimizer_fast_gradient_clipping import DPOptimizerFastGradientClipping

        private = self._private = _asked(schedule)
        ghost = self._ghost = private.mode == "ghost"
        self._losses = row_losses(schedule)
        usual, kind = moving(schedule), DPOptimizerFastGradientClipping if ghost else DPOptimizer

        def make(weights: list[nn.Parameter], *, fused: bool) -> torch.optim.Optimizer:
            made: torch.optim.Optimizer = kind(
                usual(weights, fused=fused),
                noise_multiplier=private.noise_multiplier,
                max_grad_norm=private.clip,
                expected_batch_size=private.batch,
                loss_reduction="mean",
            )
            self._noisy: Any = made
            return made

        clipped = {"max_grad_norm": private.clip} if ghost else {}
        around = GradSampleModuleFastGradientClipping if ghost else GradSampleModule
        wrapped = around(network, loss_reduction="sum", **clipped)
        _, optimizer = place.settle(wrapped, make)
        return wrapped, optimizer

    def learn(self, epoch: int) -> float:
        """Take the steps of an epoch; return 0, as no loss is told."""
        rate = self._private.sample_rate
        chance = np.random.default_rng([self._schedule.seed, epoch] if self._private.by_seed else secrets.randbits(128))
        self._place.seed(int(chance.integers(2**62)))
        steps = steps_of(rate)
        self._called.train()
        with warnings.catch_warnings():  # rows need no gradient of their own
            warnings.filterwarnings("ignore", "Full backward hook is firing", UserWarning)
            for at in range(steps):
                self._set_rate(epoch, at / steps)
                self._private_step(np.flatnonzero(chance.random(len(self._rows)) < rate))
        return 0.0

    def _private_step(self, rows: NDArray[np.intp]) -> None:
        """Move the weights once by rows that were drawn; by noise alone where none was."""
        self._noisy.zero_grad()
        if not len(rows):
            self._without_rows()
            return
        size = 2 * self._schedule.batch_size
        (step,) = self._rows.steps(rows, size, len(rows))
        for at, (columns, answer) in enumerate(step.batches):
            if changes(self._schedule):
                change(self._schedule, columns, answer)
            self._clip(self._losses(self._called(columns), answer))
            self._noisy.signal_skip_step(at + 1 < len(step.batches))
            self._noisy.step()
            self._noisy.zero_grad()

    def _clip(self, losses: torch.Tensor) -> None:
        """Have the gradient of each row computed, and clipped where that comes before its use."""
        from opacus.utils.fast_gradient_clipping_utils import DPTensorFastGradientClipping

        if self._ghost:
            DPTensorFastGradientClipping(self._called, self._noisy, losses, "sum").backward()
        else:
            losses.sum().backward()  # type: ignore[no-untyped-call]

    def _without_rows(self) -> None:
        import torch

        for weight in self._noisy.params:
            if self._ghost:
                weight.grad = torch.zeros_like(weight)
            else:
                weight.grad_sample = weight.new_zeros((0, *weight.shape))
        self._noisy.step()
        self._noisy.zero_grad()


def _asked(schedule: Schedule) -> Privacy:
    assert schedule.private is not None  # why this is called
    return schedule.private
