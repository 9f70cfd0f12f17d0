"""Networks, described by a few plain numbers that are saved with the weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from evenhand.errors import need
from evenhand.training.config import ACTIVATIONS, NETWORKS, Activation, Architecture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from evenhand.findings import Plain


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A network with one logit over prepared columns."""

    columns: int
    """Prepared columns that it takes."""
    hidden: tuple[int, ...]
    """Neurons of each hidden layer; of a residual network and a transformer, the width of each block, all the same."""
    activation: Activation = "relu"
    """What stands between two layers."""
    dropout: float = 0.0
    """Share of neurons left out in training."""
    kind: Architecture = "mlp"
    """Which network."""
    batch_norm: bool = False
    """Whether each hidden layer of a perceptron is normalized over the batch."""
    heads: int = 4
    """Heads of a transformer's attention."""
    blocks: tuple[int, ...] = ()
    """Prepared columns of each column of the table, which share a token; for a transformer."""
    ranks: tuple[int, ...] = ()
    """Of each layer of a perceptron, the rank of the two thin layers that stand for it; 0 where it is whole."""

    def build(self) -> nn.Module:
        """Return the network: (n, columns) float32 to (n,) logits. Weights are drawn from torch's generator."""
        need("torch", "torch")
        from evenhand.training.architectures import build

        return build(self)

    def of(self, network: nn.Module) -> NetworkPlan:
        """Return the plan of a network that differs from this one at most in the sizes of its hidden layers."""
        from torch import nn

        if self.kind != "mlp" or self.ranks:
            return self
        layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
        return replace(self, columns=layers[0].in_features, hidden=tuple(layer.out_features for layer in layers[:-1]))

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as JSON can say it; what a perceptron does without is left out."""
        plain: dict[str, Plain] = {
            "kind": self.kind,
            "columns": self.columns,
            "hidden": list(self.hidden),
            "activation": self.activation,
            "dropout": self.dropout,
        }
        if self.batch_norm:
            plain["batch_norm"] = True
        if self.kind == "transformer":
            plain |= {"heads": self.heads, "blocks": list(self.blocks)}
        if self.ranks:
            plain["ranks"] = list(self.ranks)
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> NetworkPlan:
        """Return what `to_plain` was called on.

        Raises
        ------
        KeyError, TypeError, ValueError
            When `plain` is something else.
        """
        activation, kind = str(plain["activation"]), str(plain["kind"])
        if kind not in NETWORKS or activation not in ACTIVATIONS:
            raise ValueError(f"no known network: {plain['kind']!r} with {activation!r}")
        return cls(
            int(cast("int", plain["columns"])),
            _numbers(plain["hidden"]),
            cast("Activation", activation),
            float(cast("float", plain["dropout"])),
            cast("Architecture", kind),
            bool(plain.get("batch_norm", False)),
            int(cast("int", plain.get("heads", 4))),
            _numbers(plain.get("blocks", [])),
            _numbers(plain.get("ranks", [])),
        )


def _numbers(values: Plain) -> tuple[int, ...]:
    return tuple(int(cast("int", value)) for value in cast("list[Plain]", values))
