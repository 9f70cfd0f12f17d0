"""A network whose layers were made smaller or written as products, rebuilt from plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

    from evenhand.findings import Plain
    from evenhand.training.plan import Plan

_SIZES: Final[Mapping[str, tuple[str, ...]]] = {
    "Linear": ("out_features", "in_features"),
    "Conv1d": ("out_channels", "in_channels"),
    "Conv2d": ("out_channels", "in_channels"),
    "BatchNorm1d": ("num_features",),
    "BatchNorm2d": ("num_features",),
}
"""The attributes of a layer with the sizes of its weight, in the order of its dimensions."""


@dataclass(frozen=True, slots=True)
class ResizedPlan:
    """A plan, and how a network differs from it: layers as products, tensors of other sizes."""

    base: Plan
    """The network before."""
    sizes: tuple[tuple[str, tuple[int, ...]], ...]
    """Names of tensors of the state, and their shapes, where they are others than in `base`."""
    ranks: tuple[tuple[str, int], ...] = ()
    """Names of linear layers that are products of two thinner ones, and their ranks."""

    @property
    def kind(self) -> str:
        """Which network it was made from."""
        return self.base.kind

    @property
    def outputs(self) -> int:
        """Logits, as before."""
        return self.base.outputs

    def build(self) -> nn.Module:
        """Return the network with tensors of the sizes it has now; their values are of no meaning."""
        network = self.base.build()
        for name, rank in self.ranks:
            put_product(network, name, rank)
        for name, shape in self.sizes:
            resize(network, name, shape)
        return network

    def of(self, network: nn.Module) -> ResizedPlan:
        """Return the plan of a network that differs in sizes."""
        return changed_plan(self, network)

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain JSON data."""
        return {
            "kind": "resized",
            "base": self.base.to_plain(),
            "sizes": {name: list(shape) for name, shape in self.sizes},
            "ranks": dict(self.ranks),
        }


def changed_plan(plan: Plan, network: nn.Module, ranks: Mapping[str, int] | None = None) -> ResizedPlan:
    """Return the plan of a network that was made from one of `plan`: by products of these ranks, and by other sizes."""
    base, known = (plan.base, plan.ranks) if isinstance(plan, ResizedPlan) else (plan, ())
    whole = ResizedPlan(base, (), (*known, *(ranks or {}).items()))
    before = whole.build().state_dict()
    sizes = tuple(
        (name, tuple(value.shape)) for name, value in network.state_dict().items() if value.shape != before[name].shape
    )
    return ResizedPlan(base, sizes, whole.ranks)


def put_product(network: nn.Module, name: str, rank: int) -> tuple[nn.Linear, nn.Linear]:
    """Put two linear layers, of which the first has no bias, where one stood, and return them."""
    from torch import nn

    layer = network.get_submodule(name)
    assert isinstance(layer, nn.Linear)
    thin = nn.Linear(layer.in_features, rank, bias=False)
    wide = nn.Linear(rank, layer.out_features, bias=layer.bias is not None)
    put(network, name, nn.Sequential(thin, wide).train(network.training))
    owner = network.get_submodule(name.rpartition(".")[0])
    if isinstance(owner, nn.TransformerEncoderLayer):
        owner.activation_relu_or_gelu = 0  # else torch reads the weights past the layers, in a path of its own
    return thin, wide


def put(network: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module in the place of the one of that name."""
    owner, _, own = name.rpartition(".")
    setattr(network.get_submodule(owner), own, module)


def resize(network: nn.Module, name: str, shape: tuple[int, ...]) -> None:
    """Give a tensor of a network another shape, and its layer; its values are the first of those it had."""
    import torch

    owner, _, own = name.rpartition(".")
    module = network.get_submodule(owner)
    old = cast("torch.Tensor", getattr(module, own)).detach()
    fresh = old.flatten().repeat(-(-math.prod(shape) // max(1, old.numel())))[: math.prod(shape)].reshape(shape).clone()
    setattr(module, own, torch.nn.Parameter(fresh) if own in module._parameters else fresh)
    if own == "weight":
        for attribute, size in zip(_SIZES.get(type(module).__name__, ()), shape, strict=False):
            setattr(module, attribute, size)
    if type(module).__name__ == "LayerNorm" and own == "weight":
        module.normalized_shape = shape  # type: ignore[assignment]
