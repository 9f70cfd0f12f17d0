"""Networks, described by a few plain numbers that are saved with the weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from evenhand.errors import need
from evenhand.training.config import ACTIVATIONS, Activation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from evenhand.findings import Plain


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A multilayer perceptron with one logit."""

    columns: int
    """Prepared columns that it takes."""
    hidden: tuple[int, ...]
    """Neurons of each hidden layer."""
    activation: Activation
    """What stands between two layers."""
    dropout: float
    """Share of neurons left out in training."""

    def build(self) -> nn.Sequential:
        """Return the network: (n, columns) float32 to (n,) logits. Weights are drawn from torch's generator."""
        need("torch", "torch")
        from torch import nn

        kinds = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
        layers: list[nn.Module] = []
        width = self.columns
        for neurons in self.hidden:
            layers += [nn.Linear(width, neurons), kinds[self.activation](), nn.Dropout(self.dropout)]
            width = neurons
        return nn.Sequential(*layers, nn.Linear(width, 1), nn.Flatten(0))

    def of(self, network: nn.Module) -> NetworkPlan:
        """Return the plan of a network that differs from this one in the sizes of its layers."""
        from torch import nn

        layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
        return replace(self, columns=layers[0].in_features, hidden=tuple(layer.out_features for layer in layers[:-1]))

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as JSON can say it."""
        return {
            "kind": "mlp",
            "columns": self.columns,
            "hidden": list(self.hidden),
            "activation": self.activation,
            "dropout": self.dropout,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> NetworkPlan:
        """Return what `to_plain` was called on.

        Raises
        ------
        KeyError, TypeError, ValueError
            When `plain` is something else.
        """
        activation = str(plain["activation"])
        if plain["kind"] != "mlp" or activation not in ACTIVATIONS:
            raise ValueError(f"no known network: {plain['kind']!r} with {activation!r}")
        return cls(
            int(cast("int", plain["columns"])),
            tuple(int(cast("int", width)) for width in cast("list[Plain]", plain["hidden"])),
            cast("Activation", activation),
            float(cast("float", plain["dropout"])),
        )
