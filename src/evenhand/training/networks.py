"""Networks over prepared columns, as plans that build them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from evenhand.errors import need
from evenhand.training.config import ACTIVATIONS, NETWORKS, Activation, Architecture
from evenhand.training.plan import TableNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from evenhand.findings import Plain


@dataclass(frozen=True, slots=True)
class NetworkPlan(TableNetwork):
    """A network over prepared columns.

    Examples
    --------
    >>> plan = NetworkPlan(columns=3, hidden=(4,))
    >>> sum(tensor.numel() for tensor in plan.build().parameters())
    21
    """

    def build(self) -> nn.Module:
        """Return the network, (n, columns) float32 to (n,) or (n, outputs) logits, its weights drawn by torch."""
        need("torch", "torch")
        from evenhand.training.architectures import build

        return build(self)

    def of(self, network: nn.Module) -> NetworkPlan:
        """Return the plan of a network that differs from this one at most in the sizes of its hidden layers."""
        from torch import nn

        if self.kind != "mlp" or self.embedding:
            return self
        layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
        return replace(self, columns=layers[0].in_features, hidden=tuple(layer.out_features for layer in layers[:-1]))

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain JSON data, for a perceptron without the fields it does not use."""
        plain: dict[str, Plain] = {
            "kind": self.kind, "columns": self.columns, "hidden": list(self.hidden), "activation": self.activation,
            "dropout": self.dropout,
        }  # fmt: skip
        if self.batch_norm:
            plain["batch_norm"] = True
        if self.kind == "transformer":
            plain |= {"heads": self.heads, "blocks": list(self.blocks)}
        if self.embedding:
            plain |= {"embedding": self.embedding, "blocks": list(self.blocks)}
        if self.outputs > 1:
            plain["outputs"] = self.outputs
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> NetworkPlan:
        """Return what `to_plain` was called on.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
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
            int(cast("int", plain.get("outputs", 1))),
            int(cast("int", plain.get("embedding", 0))),
        )


def _numbers(values: Plain) -> tuple[int, ...]:
    return tuple(int(cast("int", value)) for value in cast("list[Plain]", values))
