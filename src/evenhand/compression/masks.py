"""Which weights stay: masks for magnitude pruning, of exact counts."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Literal, TypeAlias

from evenhand.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import nn

Scope: TypeAlias = Literal["global", "layer", "2:4"]
"""The smallest of all weights go; of each layer; or of each four neighbouring inputs of a neuron the two smallest."""


def weights_of(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return the weights of linear layers and convolutions by name; biases and normalizations are left aside."""
    from torch import nn

    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d)
    layers = [(name, module) for name, module in network.named_modules() if isinstance(module, kinds)]
    return {f"{name}.weight" if name else "weight": layer.weight.detach() for name, layer in layers}


def masks_of_largest(network: nn.Module, share: float, scope: Scope = "global") -> dict[str, torch.Tensor]:
    """Return which weights stay: floor(share * weights) go, of all or of each layer, the smallest ones.

    With ``2:4`` two of each four neighbouring inputs of a neuron go, whatever the share; a layer whose inputs are no
    multiple of four has no mask.

    Raises ModelError when no weight would go.
    """
    import torch

    weights = weights_of(network)
    if scope == "2:4":
        masks = {name: _two_of_four(weight) for name, weight in weights.items() if weight[0].numel() % 4 == 0}
        if not masks:
            raise ModelError("No layer's inputs are a multiple of four, so no weights can go by 2:4.")
        return masks
    if scope == "layer":
        masks = {name: _largest(weight.flatten(), share).reshape(weight.shape) for name, weight in weights.items()}
        if all(bool(mask.all()) for mask in masks.values()):
            raise ModelError(f"A share of {share:g} is less than one weight in every layer.")
        return masks
    sizes = torch.cat([weight.flatten() for weight in weights.values()])
    stays = _largest(sizes, share)
    if bool(stays.all()):
        raise ModelError(f"A share of {share:g} of {len(sizes):,} weights is less than one weight.")
    parts = torch.split(stays, [weight.numel() for weight in weights.values()])
    return {name: part.reshape(weights[name].shape) for name, part in zip(weights, parts, strict=True)}


def _largest(weights: torch.Tensor, share: float) -> torch.Tensor:
    """Return (n,) which stay; of equal ones the later."""
    import torch

    stays = torch.ones(len(weights), dtype=torch.bool)
    stays[torch.argsort(weights.abs(), stable=True)[: math.floor(share * len(weights) + 1e-9)]] = False
    return stays


def _two_of_four(weight: torch.Tensor) -> torch.Tensor:
    import torch

    fours = weight.abs().reshape(-1, 4)
    stays = torch.ones_like(fours, dtype=torch.bool)
    stays.scatter_(1, torch.argsort(fours, dim=1, stable=True)[:, :2], torch.zeros_like(fours[:, :2], dtype=torch.bool))
    return stays.reshape(weight.shape)


def sparse(network: nn.Module, masks: dict[str, torch.Tensor]) -> nn.Module:
    """Return a copy of a network in which the weights that do not stay are zero."""
    import torch

    masked = copy.deepcopy(network)
    with torch.no_grad():
        for name, mask in masks.items():
            masked.get_parameter(name).mul_(mask)
    return masked
