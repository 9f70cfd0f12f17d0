"""What a fit makes small, how it moves weights, and how fast at which time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from evenhand.training.loop import Course


def moving(course: Course) -> dict[str, object]:
    """Return what skorch is to move weights with."""
    import torch

    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
    chosen: dict[str, object] = {
        "optimizer": kinds.get(course.optimizer, torch.optim.SGD),
        "optimizer__weight_decay": course.weight_decay,
    }
    if course.optimizer == "momentum":
        chosen |= {"optimizer__momentum": 0.9, "optimizer__nesterov": True}
    return chosen


def weighted_loss(course: Course) -> type[nn.Module]:
    """Return the loss: (n,) logits against (n, 2) targets and weights, divided by the sum of the weights."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

    def losses(logit: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        target = target * (1 - course.label_smoothing) + course.label_smoothing / 2
        if course.loss == "mse":
            return (torch.sigmoid(logit) - target) ** 2
        plain = cross_entropy(logit, target, reduction="none")
        if course.loss == "cross_entropy":
            return plain
        share = torch.sigmoid(logit)
        right = share * target + (1 - share) * (1 - target)
        return (1 - right) ** course.focal_gamma * plain

    class WeightedLoss(torch.nn.Module):
        def forward(self, logit: torch.Tensor, answer: torch.Tensor) -> torch.Tensor:
            target, weight = answer[:, 0], answer[:, 1]
            return (weight * losses(logit.reshape(-1) / course.temperature, target)).sum() / weight.sum()

    return WeightedLoss


def factor(course: Course, progress: float) -> float:
    """Return what the learning rate is multiplied by when a share of the fit is over.

    Parameters
    ----------
    progress : float
        From 0 to 1.
    """
    if course.schedule == "constant":
        return 1.0
    if course.schedule == "step":
        return float(10.0 ** -min(int(3 * progress + 1e-9), 2))
    if course.schedule == "cosine":
        return (1 + math.cos(math.pi * progress)) / 2
    rising = 0.3  # Smith and Topin 2018: up for the first part, from a 25th, and down to nothing
    if progress < rising:
        return 1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * progress / rising)) / 2
    return (1 + math.cos(math.pi * (progress - rising) / (1 - rising))) / 2
