"""A network's chain of linear layers, and how to remove neurons from it."""

from __future__ import annotations

import copy
import itertools
import math
from typing import TYPE_CHECKING

from evenhand.errors import ModelError
from evenhand.training.resized import put

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn


def linear_chain(network: nn.Module) -> list[tuple[str, nn.Linear]]:
    """Return the linear layers of a feed-forward network, with their names, from input to output.

    Raises ModelError when there is none, or the sizes of two neighbours differ.
    """
    from torch import nn

    inner = [module for module in network.modules() if next(module.children(), None) is not None]
    chain = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    fits = all(a.out_features == b.in_features for (_, a), (_, b) in itertools.pairwise(chain))
    if not chain or not fits or not all(isinstance(module, nn.Sequential) for module in inner):
        raise ModelError(
            "Neurons can be pruned, and layers factorized, in a chain of linear layers, each taking what the one "
            f"before gives; {type(network).__name__} is no such chain. Int8, half precision, magnitude pruning and "
            "distillation take any network."
        )
    return chain


def hidden_sizes(network: nn.Module) -> tuple[int, ...]:
    """Return the numbers of neurons of the hidden layers."""
    return tuple(int(layer.out_features) for _, layer in linear_chain(network)[:-1])


def network_macs(network: nn.Module, shape: tuple[int, ...]) -> int:
    """Return multiplications with addition for one row, as torch's counter has them (it counts each twice)."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    dtype = next(network.parameters()).dtype
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(torch.zeros(1, *shape, dtype=dtype))
    return int(counter.get_total_flops() // 2)


def without_neurons(
    network: nn.Module, share: float, rows: NDArray[np.float32], groups: NDArray[np.int32] | None = None
) -> nn.Module:
    """Return a smaller network: of each hidden layer of `width` neurons, floor(share * width) are removed.

    A neuron matters by the standard deviation of its output over `rows` times the norm of its outgoing weights, as a
    constant one can be replaced by a bias. With `groups`, (n,) codes of the rows, it matters by what it is to the group
    that needs it most: the greatest of its shares in what all neurons are to a group. The next layer's weights are then
    refitted (ridge least squares over `rows`), so that it receives as nearly as possible what it did before; see He,
    Zhang and Sun 2017, "Channel pruning for accelerating very deep neural networks".

    Raises ModelError when the network is not a chain of linear layers, or nothing would be removed.
    """
    import torch

    smaller = copy.deepcopy(network).eval()
    names = [name for name, _ in linear_chain(smaller)]
    removed = [math.floor(share * width + 1e-9) for width in hidden_sizes(smaller)]
    if not any(removed):
        sizes = ", ".join(str(width) for width in hidden_sizes(smaller)) or "none"
        raise ModelError(f"A share of {share:g} of the hidden layers ({sizes} neurons) is less than one neuron.")
    data, codes = torch.from_numpy(rows), None if groups is None else torch.from_numpy(groups)
    with torch.no_grad():
        for before, after, count in zip(names, names[1:], removed, strict=False):
            if count:
                _shrink(smaller, before, after, count, data, codes)
    return smaller.train(network.training)


def _shrink(
    network: nn.Module, before: str, after: str, count: int, data: torch.Tensor, codes: torch.Tensor | None
) -> None:
    """Remove `count` neurons from the layer `before` and refit the layer `after`."""
    import torch
    from torch import nn

    first, second = network.get_submodule(before), network.get_submodule(after)
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    outputs = _inputs_of(network, second, data).double()
    importance = _importance(outputs, second, codes)
    # A stable order, so that neurons that matter equally are taken out the same way everywhere.
    order = torch.argsort(importance, descending=True, stable=True)
    kept = torch.sort(order[: len(order) - count]).values
    wanted = outputs @ second.weight.double().T
    if second.bias is not None:
        wanted = wanted + second.bias.double()
    smaller = _linear(first.weight[kept], None if first.bias is None else first.bias[kept])
    put(network, before, smaller.train(network.training))
    for name in _between(network, before, after):
        _narrow(network, name, kept)
    put(network, after, _linear(*_refit(outputs[:, kept], wanted)).train(network.training))


def _importance(outputs: torch.Tensor, second: nn.Linear, codes: torch.Tensor | None) -> torch.Tensor:
    """Return how much each neuron matters, to all rows or to the group that needs it most."""
    import torch

    norm: torch.Tensor = second.weight.double().norm(dim=0)
    if codes is None:
        return torch.as_tensor(outputs.std(dim=0, correction=0) * norm)
    groups = torch.unique(codes)
    each = torch.stack([outputs[codes == group].std(dim=0, correction=0) * norm for group in groups])
    return (each / each.sum(dim=1, keepdim=True).clamp_min(1e-12)).amax(dim=0)


def _inputs_of(network: nn.Module, layer: nn.Module, data: torch.Tensor) -> torch.Tensor:
    """Return the inputs of a layer when the network runs on `data`."""
    caught: list[torch.Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _module, given: caught.append(given[0].detach()))
    try:
        network(data)
    finally:
        hook.remove()
    return caught[0]


def _refit(inputs: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weights and bias of the ridge regression of `wanted` on `inputs`; the bias is not penalized."""
    import torch

    mean, target_mean = inputs.mean(dim=0), wanted.mean(dim=0)
    centred = inputs - mean
    gram = centred.T @ centred
    ridge = 1e-3 * gram.diagonal().mean().clamp_min(1e-12)
    weight = torch.linalg.solve(
        gram + ridge * torch.eye(len(gram), dtype=gram.dtype), centred.T @ (wanted - target_mean)
    ).T
    return weight.float(), (target_mean - weight @ mean).float()


def _linear(weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Linear:
    from torch import nn

    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.weight = nn.Parameter(weight.clone())
    if bias is not None:
        layer.bias = nn.Parameter(bias.clone())
    return layer


def _between(network: nn.Module, before: str, after: str) -> list[str]:
    """Return the names of the modules with parameters or buffers between two layers."""
    leaves = [name for name, module in network.named_modules() if not list(module.children())]
    names = leaves[leaves.index(before) + 1 : leaves.index(after)]
    return [name for name in names if any(True for _ in network.get_submodule(name).state_dict())]


def _narrow(network: nn.Module, name: str, kept: torch.Tensor) -> None:
    """Keep the channels `kept` of a batch normalization."""
    from torch import nn

    module = network.get_submodule(name)
    if not isinstance(module, nn.BatchNorm1d):
        raise ModelError(
            f"Neurons cannot be pruned before layer '{name}', a {type(module).__name__}: only batch normalization and "
            "layers without weights are known between linear layers."
        )
    for values in (*module.parameters(), *module.buffers()):
        if values.ndim:
            values.data = values.data[kept].clone()
    module.num_features = len(kept)
