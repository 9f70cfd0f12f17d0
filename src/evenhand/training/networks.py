"""Networks, described by a few plain numbers that are saved with the weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, cast

from evenhand.errors import need
from evenhand.training.config import ACTIVATIONS, NETWORKS, Activation, Architecture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from evenhand.findings import Plain


class Plan(Protocol):
    """What a network is built from, as a few plain numbers."""

    @property
    def kind(self) -> str:
        """Which network."""
        ...

    @property
    def outputs(self) -> int:
        """Logits: one for two classes, else one a class."""
        ...

    def build(self) -> nn.Module:
        """Return the network; weights are drawn from torch's generator."""
        ...

    def of(self, network: nn.Module) -> Plan:
        """Return the plan of a network that differs from this one at most in sizes."""
        ...

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as JSON can say it."""
        ...


def plan_from_plain(plain: Mapping[str, Plain], given: nn.Module | None = None) -> Plan:
    """Return what `to_plain` was called on; `given` is the network that code outside evenhand builds, where one does.

    Raises
    ------
    KeyError, TypeError, ValueError
        When `plain` is something else.
    """
    from evenhand.training.ensembles import EnsemblePlan
    from evenhand.training.given import GivenPlan
    from evenhand.training.image_networks import IMAGE_KINDS, ImagePlan
    from evenhand.training.resized import ResizedPlan

    if plain["kind"] == "given":
        return GivenPlan(int(cast("int", plain["outputs"])), given, str(plain["name"]))
    if plain["kind"] == "ensemble":
        return EnsemblePlan.from_plain(plain, given)
    if plain["kind"] == "resized":
        return ResizedPlan.from_plain(plain, given)
    return ImagePlan.from_plain(plain) if plain["kind"] in IMAGE_KINDS else NetworkPlan.from_plain(plain)


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A network over prepared columns."""

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
    """Prepared columns of each column of the table, which share a token or an embedding."""
    outputs: int = 1
    """Logits: one for two classes, else one a class."""
    embedding: int = 0
    """Above 0, each of `blocks` that is wider is brought to so many numbers first; for a perceptron."""

    def build(self) -> nn.Module:
        """Return the network, (n, columns) float32 to (n,) or (n, outputs) logits, its weights drawn by torch."""
        need("torch", "torch")
        from evenhand.training.architectures import build

        return build(self)

    def of(self, network: nn.Module) -> NetworkPlan:
        """Return the plan of a network that differs from this one at most in the sizes of its hidden layers."""
        from torch import nn

        if self.kind != "mlp":
            return self
        if self.embedding:
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
        if self.embedding:
            plain |= {"embedding": self.embedding, "blocks": list(self.blocks)}
        if self.outputs > 1:
            plain["outputs"] = self.outputs
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
            int(cast("int", plain.get("outputs", 1))),
            int(cast("int", plain.get("embedding", 0))),
        )


def _numbers(values: Plain) -> tuple[int, ...]:
    return tuple(int(cast("int", value)) for value in cast("list[Plain]", values))
