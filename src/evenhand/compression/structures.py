"""Remove whole channels and heads from any network: the only module that uses torch-pruning."""

from __future__ import annotations

import copy
import json
import warnings
from typing import TYPE_CHECKING, Any

from evenhand.errors import ModelError, need, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from evenhand.findings import Plain


def without_structures(
    network: nn.Module, shape: tuple[int, ...], share: float, heads: float, round_to: int | None
) -> tuple[nn.Module, list[Plain]]:
    """Return a copy of a network with fewer channels, neurons and heads, and which of them went.

    Those that are tied by the network's graph (a convolution's channels, the normalization after it and what is added
    to it) go together; least important are the groups whose weights have the least norm. The last layer keeps its
    outputs.

    Of each group of c tied channels floor((1 - `share`) * c) are left, down to a multiple of `round_to`; of each
    attention's heads, known by a layer's ``each``, the width of one, the share `heads` goes. What went is
    torch-pruning's history as plain data: ``[layer, whether of its outputs, channels]`` each. Raises ModelError when
    torch-pruning cannot follow the network, or a layer would lose all its channels, or none goes.
    """
    import torch

    pruning: Any = need("torch_pruning", "prune")
    smaller = copy.deepcopy(network).eval()
    attending = {
        getattr(module, part): int(getattr(module, part).out_features // module.each)
        for module in smaller.modules()
        if hasattr(module, "each")
        for part in ("query", "key", "value")
    }
    example = torch.zeros(2, *shape)
    kept = list(_kept(smaller, example))
    if not heads:
        kept += attending
    elif not share:
        kept += [module for module in smaller.modules() if isinstance(module, _layers()) and module not in attending]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parameters that belong to no layer, which are seen to
            pruner = pruning.pruner.BasePruner(
                smaller,
                example,
                importance=pruning.importance.GroupMagnitudeImportance(p=2),
                pruning_ratio=share or heads,
                ignored_layers=kept,
                round_to=round_to,
                num_heads=attending,
                prune_num_heads=bool(heads),
                prune_head_dims=False,
                head_pruning_ratio=heads,
            )
            pruner.step()
    except Exception as problem:  # torch-pruning's errors share no base below Exception
        raise ModelError(
            f"torch-pruning could not follow {type(network).__name__}: {shorten(problem, 200)}. NeuronPruning takes "
            "chains of linear layers without it; MagnitudePruning, HalfPrecision and Distillation take any network."
        ) from problem
    _check(network, smaller, share)
    history: list[Plain] = json.loads(json.dumps(pruner.pruning_history()))
    return smaller.train(network.training), history


def _layers() -> tuple[type[nn.Module], ...]:
    from torch import nn

    return (nn.Linear, nn.Conv1d, nn.Conv2d)


def _kept(network: nn.Module, example: Any) -> Iterator[nn.Module]:
    """Yield the layer that gives the answer, and layers tied to parameters that belong to no layer."""
    import torch
    from torch import nn

    order: list[nn.Module] = []
    layers = [module for module in network.modules() if isinstance(module, _layers())]
    hooks = [layer.register_forward_hook(lambda module, *_: order.append(module)) for layer in layers]
    with torch.no_grad():
        network(example)
    for hook in hooks:
        hook.remove()
    if not order:
        raise ModelError(f"{type(network).__name__} has no linear layer or convolution that could be pruned.")
    yield order[-1]
    inside = {id(value) for layer in layers for value in layer.parameters()}
    normalizing = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)
    for module in network.modules():
        inside |= {id(value) for value in module.parameters()} if isinstance(module, normalizing) else set()
    if any(id(value) not in inside for value in network.parameters()):
        # A bare parameter (a token's embedding) goes through the whole network: only what is between two layers
        # of one block can be narrowed with it.
        wide = [_widens(block) for block in network.modules() if isinstance(block, nn.Sequential)]
        yield from (layer for layer in layers if not any(layer is inner for inner in wide))


def _widens(block: nn.Sequential) -> nn.Module | None:
    """Return the first of a block's two linear layers, where the second restores the width of the input."""
    from torch import nn

    linear = [layer for layer in block if isinstance(layer, nn.Linear)]
    back = len(linear) == 2 and linear[0].in_features == linear[1].out_features
    return linear[0] if back else None


def _check(before: nn.Module, after: nn.Module, share: float) -> None:
    sizes = {name: value.shape for name, value in before.named_parameters()}
    empty = [name for name, value in after.named_parameters() if not value.numel()]
    if empty:
        raise ModelError(
            f"A share of {share:g} leaves layer '{empty[0].rpartition('.')[0]}' no channel at all: prune less, or "
            "round to fewer channels."
        )
    if all(value.shape == sizes[name] for name, value in after.named_parameters()):
        raise ModelError(f"A share of {share:g} is less than one channel, or one multiple of them, in every layer.")
