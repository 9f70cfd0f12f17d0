"""Weights and inputs rounded as 8 bits will, while the gradient passes as if they were not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.utils import parametrize

from evenhand.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KINDS = (nn.Linear, nn.Conv1d, nn.Conv2d)


class RoundedWeight(nn.Module):
    """A weight as -127 to 127 steps per output channel (Jacob et al. 2018, "Quantization and training of networks").

    It is a parametrization of the layer's own weight, so that what reads the weight past the layer, as attention does,
    reads the rounded one.
    """

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Return the rounded weight, (out, ...)."""
        steps = weight.detach().abs().flatten(1).amax(dim=1).clamp_min(1e-12) / 127
        zeros = torch.zeros(len(steps), dtype=torch.int32)
        return torch.as_tensor(torch.fake_quantize_per_channel_affine(weight, steps, zeros, 0, -127, 127))


class RoundedInputs:
    """A hook before a layer: its inputs as 0 to 255 steps between the extremes that training rows had."""

    def __init__(self, low: float, high: float) -> None:
        low, high = min(low, 0.0), max(high, 0.0)  # zero is to be exact
        self.step = max(high - low, 1e-12) / 255
        self.zero = round(-low / self.step)

    def __call__(self, _layer: nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """Return the rounded inputs."""
        return (torch.fake_quantize_per_tensor_affine(given[0], self.step, self.zero, 0, 255), *given[1:])


def rounding(network: nn.Module, rows: NDArray[np.float32]) -> nn.Module:
    """Return a copy of a network whose linear layers and convolutions round; ranges of inputs are those over `rows`.

    The packed weights of attention, which are no layer, round too; of recurrent layers only those of layers beside
    them do. Raises ModelError when nothing could be rounded.
    """
    changed = copy.deepcopy(network).eval()
    names = [name for name, module in changed.named_modules() if isinstance(module, KINDS) and name]
    if not names:
        raise ModelError(f"{type(network).__name__} has no linear layer or convolution that 8 bits could round.")
    seen: dict[str, tuple[float, float]] = {}

    def watch(name: str) -> object:
        def hook(_module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            low, high = float(given[0].min()), float(given[0].max())
            before = seen.get(name, (low, high))
            seen[name] = (min(low, before[0]), max(high, before[1]))

        return hook

    hooks = [changed.get_submodule(name).register_forward_pre_hook(watch(name)) for name in names]  # type: ignore[arg-type]
    with torch.no_grad():
        changed(torch.from_numpy(rows))
    for hook in hooks:
        hook.remove()
    for name in names:
        layer = changed.get_submodule(name)
        if name in seen:  # a layer whose weight alone is read has no inputs of its own
            layer.register_forward_pre_hook(RoundedInputs(*seen[name]))
        parametrize.register_parametrization(layer, "weight", RoundedWeight())
    for module in changed.modules():
        if isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
            parametrize.register_parametrization(module, "in_proj_weight", RoundedWeight())
    return changed.train(network.training)


def without_rounding(network: nn.Module) -> nn.Module:
    """Return a copy with the trained weights as they are, and no rounding; other parametrizations stay."""
    plain = copy.deepcopy(network)
    for module in plain.modules():
        for name in ("weight", "in_proj_weight"):
            if parametrize.is_parametrized(module, name):
                _uncover(module, name)
        for key, hook in list(module._forward_pre_hooks.items()):
            if isinstance(hook, RoundedInputs):
                del module._forward_pre_hooks[key]
    return plain


def _uncover(module: nn.Module, name: str) -> None:
    """Take the rounding from a weight.

    A module with a parametrization has a class of its own, which its copies share: torch changes the class when it
    takes the last one off, and so would break the others. The module gets one that is its alone first.
    """
    parts = getattr(module.parametrizations, name)
    for at in [at for at, part in enumerate(parts) if isinstance(part, RoundedWeight)][::-1]:
        del parts[at]
    if len(parts):
        return
    shared = type(module)
    own = {key: value for key, value in vars(shared).items() if key not in ("__dict__", "__weakref__")}
    module.__class__ = type(shared.__name__, shared.__bases__, own)
    parametrize.remove_parametrizations(module, name, leave_parametrized=False)
