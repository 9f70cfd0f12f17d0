"""Which networks can learn in private: each row's gradient must be its own, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

MIXING: Final = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm", "LazyBatchNorm1d")
GHOST: Final = ("Linear", "LayerNorm")
"""Layers of which the norms of each row's gradient are known without the gradients; others take the hooks."""


def mode_of(network: nn.Module, shape: tuple[int, ...]) -> str:
    """Return how rows of a network, each of a shape, are clipped: ``ghost`` or ``hooks``.

    Raises
    ------
    ModelError
        When a layer mixes rows, or Opacus does not know the gradients of its rows.
    """
    from opacus.grad_sample import GradSampleModule

    parts = list(network.named_modules())
    holding = [(name, part) for name, part in parts if any(True for _ in part.parameters(recurse=False))]
    for name, part in parts:
        if type(part).__name__ in MIXING:
            raise ModelError(
                f"The layer {_named(name, part)} normalizes over a batch, so each row's gradient depends on the "
                "others: no fit of it is private. Leave batch_norm out, or take another network."
            )
    for name, part in holding:
        if type(part) not in GradSampleModule.GRAD_SAMPLERS:
            raise ModelError(
                f"The layer {_named(name, part)} has weights of which Opacus does not know the gradient of each row, "
                "so the network cannot learn in private. Take an mlp, a residual network, wide_deep, deepfm or a cnn."
            )
    if mixes(network, shape):
        raise ModelError(
            "What the network says of a row depends on the other rows of its batch, so no fit of it is private."
        )
    weights = [weight for _, part in holding for weight in part.parameters(recurse=False)]
    tied = len({id(weight) for weight in weights}) < len(weights)
    plain = all(type(part).__name__ in GHOST for _, part in holding)
    return "ghost" if plain and not tied else "hooks"


def mixes(network: nn.Module, shape: tuple[int, ...]) -> bool:
    """Return whether a row's output depends on another row; False where rows are ids, of which none can be told."""
    import torch

    rows = torch.randn(3, *shape, requires_grad=True)
    before = network.training
    with torch.random.fork_rng(devices=[]):
        try:
            said = network.train()(rows).reshape(3, -1)
        except (RuntimeError, IndexError, TypeError):
            return False
        finally:
            network.train(before)
    (slope,) = torch.autograd.grad(said[0].sum(), rows)
    return bool(slope[1:].abs().max() > 0)


def _named(name: str, part: nn.Module) -> str:
    return f"'{name}' ({type(part).__name__})" if name else type(part).__name__
