"""Losses of numbers: squared, absolute and Huber's, of quantiles, and of the order within lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch

    from evenhand.training.schedule import Schedule
    from evenhand.training.target import Target

PADDED: Final = -1.0
"""In place of a relevance where a list is shorter than others: no item."""
LEAST_STEP: Final = 1e-6
"""Steps between quantiles, in deviations, are not smaller than this where they are averaged."""


def usual_loss(target: Target) -> str:
    """Return the loss that a target is learnt by where none is named."""
    if target.task == "ranking":
        return "listwise"
    return "pinball" if target.quantiles else "mse"


def of_numbers(schedule: Schedule, output: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """Return (n,) losses of outputs (n, Q) against numbers (n, Q), or of scores (n, M) of lists against relevances."""
    target = schedule.target
    assert target is not None  # asked for by the schedule
    loss = usual_loss(target) if schedule.loss in ("auto", "cross_entropy") else schedule.loss
    if target.task == "ranking" and loss != "mse":
        return (_pairwise if loss == "pairwise" else _listwise)(output, told)
    if target.task == "ranking":  # a teacher's scores; items that fill a list up are items of its own
        return ((output - told) ** 2).mean(dim=1)
    values = rising(output) if target.quantiles else output
    if loss == "pinball":
        return _pinball(values, told, target.quantiles)
    apart = (values - told).abs()
    if loss == "mae":
        each = apart
    elif loss == "huber":  # a standard deviation is where squares become lines (Huber 1964)
        each = apart.clamp(max=1.0) * (apart - 0.5 * apart.clamp(max=1.0))
    else:
        each = apart**2
    return each.mean(dim=1)


def rising(output: torch.Tensor) -> torch.Tensor:
    """Return (..., Q) ascending numbers: the first output, and onto it the steps, log(1 + exp(z)) each."""
    import torch
    from torch.nn.functional import softplus

    return torch.cat([output[..., :1], softplus(output[..., 1:])], dim=-1).cumsum(dim=-1)


def steps_of(values: torch.Tensor) -> torch.Tensor:
    """Return the outputs (..., Q) of ascending numbers: what `rising` was called on."""
    import torch

    steps = (values[..., 1:] - values[..., :-1]).clamp(min=LEAST_STEP)
    return torch.cat([values[..., :1], steps + torch.log(-torch.expm1(-steps))], dim=-1)


def _pinball(values: torch.Tensor, told: torch.Tensor, quantiles: tuple[float, ...]) -> torch.Tensor:
    """Return the mean over quantiles of the loss that the quantile makes least (Koenker and Bassett 1978)."""
    import torch

    share = torch.tensor(quantiles, dtype=values.dtype, device=values.device)
    above = told - values
    return torch.maximum(share * above, (share - 1) * above).mean(dim=1)


def _listwise(score: torch.Tensor, relevance: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of shares by score against shares by relevance (ListNet, Cao et al. 2007)."""
    import torch

    there = relevance > PADDED
    worth = torch.where(there, relevance, torch.zeros_like(relevance))
    share = worth / worth.sum(dim=1, keepdim=True).clamp(min=1e-12)
    said = torch.log_softmax(score.masked_fill(~there, -1e9), dim=1)
    return -(share * said.masked_fill(~there, 0.0)).sum(dim=1)


def _pairwise(score: torch.Tensor, relevance: torch.Tensor) -> torch.Tensor:
    """Return the mean logistic loss of pairs of a list of which one is worth more (RankNet, Burges et al. 2005)."""
    from torch.nn.functional import softplus

    there = relevance > PADDED
    better = (relevance[:, :, None] > relevance[:, None, :]) & there[:, :, None] & there[:, None, :]
    apart = score[:, :, None] - score[:, None, :]
    pairs = better.sum(dim=(1, 2)).clamp(min=1)
    return (softplus(-apart) * better).sum(dim=(1, 2)) / pairs
