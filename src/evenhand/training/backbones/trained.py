"""A network that evenhand trained, without its last layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from evenhand.findings import Plain
    from evenhand.training.model import NetworkModel
    from evenhand.training.plan import Plan

SUMS: Final = ("wide_deep", "deepfm")
"""Networks whose answer is a sum of parts: no layer is the last."""


@dataclass(frozen=True, slots=True)
class TrainedBody:
    """A network of evenhand without its last layer."""

    plan: Plan
    """The whole network."""

    @property
    def hidden(self) -> tuple[int, ...]:
        """None of its own; they are counted in the network."""
        return ()

    @property
    def members(self) -> tuple[Plan, ...]:
        """The network."""
        return (self.plan,)

    def build(self) -> nn.Module:
        """Return the network without its last layer."""
        return beheaded(self.plan.build())

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain JSON data."""
        return {"kind": "trained", "network": self.plan.to_plain()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain], read: Callable[[Mapping[str, Plain]], Plan]) -> TrainedBody:
        """Return what `to_plain` was called on; `read` reads the plan of a network.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
        """
        network = cast("dict[str, Plain]", plain["network"])
        if network["kind"] in (*SUMS, "given", "ensemble"):
            raise ValueError(f"a {network['kind']} is no backbone")
        return cls(read(network))


def beheaded(network: nn.Module) -> nn.Module:
    """Return a network whose last linear layer, and what follows it, passes on what it is given; it is changed.

    Raises ValueError when it has no linear layer.
    """
    from torch import nn

    layers = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ValueError("it has no linear layer")
    owner, _, own = layers[-1].rpartition(".")
    holder = network.get_submodule(owner)
    setattr(holder, own, nn.Identity())
    if isinstance(holder, nn.Sequential):  # a layer behind it makes one number of one logit
        for at in range(int(own) + 1 if own.isdigit() else len(holder), len(holder)):
            holder[at] = nn.Identity()
    return network


def body_of(model: NetworkModel, path: object) -> tuple[nn.Module, TrainedBody]:
    """Return the backbone that a trained model is without its last layer, and its plan.

    Raises ModelError when no layer of it is the last.
    """
    import copy

    inner = getattr(model.plan, "base", model.plan)
    if inner.kind in (*SUMS, "given", "ensemble"):
        raise ModelError(
            f"'{path}' holds a {inner.kind.replace('_', ' ')}, of which no layer is the last, so none can be taken "
            "off for a head: take an mlp, a residual network or one over images or texts."
        )
    return beheaded(copy.deepcopy(model.network)).eval(), TrainedBody(model.plan)
