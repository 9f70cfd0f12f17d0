"""Linear layers written as products of two thinner ones."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from evenhand.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import nn


def factorized(network: nn.Module, energy: float) -> tuple[nn.Module, dict[str, int]]:
    """Return a copy of a network with linear layers as products, and the rank of each layer that became one.

    Raises ModelError when no layer would become smaller.
    """
    import torch
    from torch import nn

    from evenhand.training.resized import put_product

    smaller = copy.deepcopy(network)
    ranks: dict[str, int] = {}
    # attention reads the weight of its own output layer past that layer
    held = {
        id(part)
        for module in network.modules()
        if isinstance(module, nn.MultiheadAttention)
        for part in module.children()
    }
    for name, layer in network.named_modules():
        if not isinstance(layer, nn.Linear) or not name or id(layer) in held:
            continue
        weight = layer.weight.detach()
        left, values, right = torch.linalg.svd(weight, full_matrices=False)
        rank = least_rank(values, energy)
        if rank * sum(weight.shape) >= weight.numel():
            continue
        ranks[name] = rank
        thin, wide = put_product(smaller, name, rank)
        with torch.no_grad():
            root = values[:rank].sqrt()
            thin.weight.copy_(root[:, None] * right[:rank])
            wide.weight.copy_(left[:, :rank] * root)
            if layer.bias is not None:
                wide.bias.copy_(layer.bias)
    if not ranks:
        raise ModelError(
            f"No linear layer becomes smaller as a product that keeps {energy:.0%}: its singular values are too alike. "
            "Keep less, or prune neurons instead."
        )
    return smaller.train(network.training), ranks


def least_rank(values: torch.Tensor, energy: float) -> int:
    """Return the least rank whose singular values, (k,) from the largest, hold a share of the sum of squares."""
    held = (values.double() ** 2).cumsum(0)
    return int((held < energy * held[-1]).sum()) + 1
