"""What a fit makes small, how it moves weights, and how fast at which time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from evenhand.training.losses import of_numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import nn

    from evenhand.training.placing import Moving
    from evenhand.training.schedule import Schedule


def moving(schedule: Schedule) -> Moving:
    """Return what makes the optimizer: of weights, and whether all are moved in one call."""
    import torch

    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
    kind: Any = kinds.get(schedule.optimizer, torch.optim.SGD)
    more = {"momentum": 0.9, "nesterov": True} if schedule.optimizer == "momentum" else {}

    def make(weights: list[nn.Parameter], *, fused: bool) -> torch.optim.Optimizer:
        chosen: dict[str, Any] = {"lr": schedule.learning_rate, "weight_decay": schedule.weight_decay, **more}
        made: torch.optim.Optimizer = kind(weights, **chosen, fused=fused)
        return made

    return make


def _each(schedule: Schedule, logit: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return (n,) losses, without weights."""
    classes = target.shape[1] - schedule.matched
    of_one = of_numbers if schedule.target is not None else _of_several if classes > 1 else _of_two
    of_logits = of_one(schedule, logit[:, :classes], target[:, :classes])
    if not schedule.matched:
        return of_logits
    return of_logits + ((logit[:, classes:] - target[:, classes:]) ** 2).mean(dim=1)


def row_losses(schedule: Schedule) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return the loss of each row, (n,), of logits against targets and, in the last column, its weight."""

    def losses(logit: torch.Tensor, answer: torch.Tensor) -> torch.Tensor:
        target = answer[:, :-1]
        return answer[:, -1] * _each(schedule, logit.reshape(target.shape), target)

    return losses


def weighted_loss(schedule: Schedule) -> type[nn.Module]:
    """Return the loss: logits against targets and, in the last column, weights, divided by the sum of the weights.

    Where a batch is a part of a step, the sum of the step's weights is given instead.
    """
    import torch

    other = schedule.target is not None or schedule.loss in ("mse", "focal") or schedule.temperature != 1
    usual = not (other or schedule.matched)

    class WeightedLoss(torch.nn.Module):
        def forward(self, logit: torch.Tensor, answer: torch.Tensor, whole: float | None = None) -> torch.Tensor:
            target, weight = answer[:, :-1], answer[:, -1]
            if usual and target.shape[1] == 1:  # the same number in one call, and one back
                total = _summed(schedule, logit.reshape(-1), target[:, 0], weight)
            else:
                total = torch.dot(weight, _each(schedule, logit.reshape(target.shape), target))
            return total / (weight.sum() if whole is None else whole)

    return WeightedLoss


def _summed(schedule: Schedule, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the weighted sum of the cross-entropies of one logit, (n,), against the label, (n,)."""
    from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

    return cross_entropy(logit, _smooth(schedule, target), weight, reduction="sum")


def _smooth(schedule: Schedule, label: torch.Tensor) -> torch.Tensor:
    """Return labels of two classes a little nearer to a half, where the schedule says so."""
    if not schedule.label_smoothing:
        return label
    return label * (1 - schedule.label_smoothing) + schedule.label_smoothing / 2


def _of_two(schedule: Schedule, logit: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return (n,) losses of one logit, (n, 1), against the label, (n, 1)."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

    logit, target = logit[:, 0], _smooth(schedule, target[:, 0])
    if schedule.temperature != 1:
        logit = logit / schedule.temperature
    if schedule.loss == "mse":
        return (torch.sigmoid(logit) - target) ** 2
    plain = cross_entropy(logit, target, reduction="none")
    if schedule.loss != "focal":
        return plain
    share = torch.sigmoid(logit)
    return (1 - share * target - (1 - share) * (1 - target)) ** schedule.focal_gamma * plain


def _of_several(schedule: Schedule, logit: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return (n,) losses of the logits of C classes, (n, C), against their probabilities, (n, C)."""
    import torch

    if schedule.label_smoothing:
        target = target * (1 - schedule.label_smoothing) + schedule.label_smoothing / target.shape[1]
    said = torch.log_softmax(logit / schedule.temperature, dim=1)
    if schedule.loss == "mse":
        return ((said.exp() - target) ** 2).sum(dim=1)
    plain = -(target * said).sum(dim=1)
    if schedule.loss != "focal":
        return plain
    return (1 - (said.exp() * target).sum(dim=1)) ** schedule.focal_gamma * plain


def factor(schedule: Schedule, progress: float) -> float:
    """Return the factor of the learning rate after a share of the fit.

    `progress`: from 0 to 1.
    """
    if schedule.schedule == "constant":
        return 1.0
    if schedule.schedule == "step":
        return float(10.0 ** -min(int(3 * progress + 1e-9), 2))
    if schedule.schedule == "cosine":
        return (1 + math.cos(math.pi * progress)) / 2
    rising = 0.3  # Smith and Topin 2018: up for the first part, from a 25th, and down to nothing
    if progress < rising:
        return 1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * progress / rising)) / 2
    return (1 + math.cos(math.pi * (progress - rising) / (1 - rising))) / 2
