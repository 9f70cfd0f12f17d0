"""Layers that round their weights and inputs as 8 bits will, while the gradient passes as if they did not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.func import functional_call

from evenhand.errors import ModelError
from evenhand.training.resized import put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KINDS = (nn.Linear, nn.Conv1d, nn.Conv2d)


class Rounded(nn.Module):
    """A layer behind rounding (Jacob et al. 2018, "Quantization and training of neural networks").

    Weights are rounded to -127 to 127 steps per output channel, inputs to 0 to 255 steps between the extremes that
    training rows had.
    """

    def __init__(self, layer: nn.Module, low: float, high: float) -> None:
        super().__init__()
        self.layer = layer
        low, high = min(low, 0.0), max(high, 0.0)  # zero is to be exact
        self.step = max(high - low, 1e-12) / 255
        self.zero = round(-low / self.step)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Return the layer's answer to rounded inputs, by rounded weights."""
        inputs = torch.fake_quantize_per_tensor_affine(given, self.step, self.zero, 0, 255)
        weight = self.layer.weight
        assert isinstance(weight, torch.Tensor)
        steps = weight.detach().abs().flatten(1).amax(dim=1).clamp_min(1e-12) / 127
        zeros = torch.zeros(len(steps), dtype=torch.int32)
        whole = torch.fake_quantize_per_channel_affine(weight, steps, zeros, 0, -127, 127)
        return torch.as_tensor(functional_call(self.layer, {"weight": whole}, (inputs,)))


def rounding(network: nn.Module, rows: NDArray[np.float32]) -> nn.Module:
    """Return a copy of a network whose linear layers and convolutions round; ranges of inputs are those over `rows`.

    Raises ModelError when it has no such layer.
    """
    changed = copy.deepcopy(network).eval()
    names = [name for name, module in changed.named_modules() if isinstance(module, KINDS) and name]
    if not names:
        raise ModelError(f"{type(network).__name__} has no linear layer or convolution that 8 bits could round.")
    seen: dict[str, tuple[float, float]] = {}

    def watch(name: str) -> object:
        def hook(_module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            seen[name] = (float(given[0].min()), float(given[0].max()))

        return hook

    hooks = [changed.get_submodule(name).register_forward_pre_hook(watch(name)) for name in names]  # type: ignore[arg-type]
    with torch.no_grad():
        changed(torch.from_numpy(rows))
    for hook in hooks:
        hook.remove()
    for name in names:
        put(changed, name, Rounded(changed.get_submodule(name), *seen.get(name, (-1.0, 1.0))))
    return changed.train(network.training)


def without_rounding(network: nn.Module) -> nn.Module:
    """Return a copy with the original layers and their trained weights."""
    plain = copy.deepcopy(network)
    for name, module in [(name, module) for name, module in plain.named_modules() if isinstance(module, Rounded)]:
        put(plain, name, module.layer)
    return plain
