"""What networks are built from, as a few plain numbers that are saved with the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn

    from evenhand.findings import Plain
    from evenhand.training.config import Activation, Architecture


class Plan(Protocol):
    """What a network is built from, as a few plain numbers.

    See Also
    --------
    evenhand.training.NetworkPlan : The plan of a network over columns, with an example.
    evenhand.training.ImagePlan : The plan of a network over images.
    evenhand.training.TextPlan : The plan of a network over texts.
    """

    @property
    def kind(self) -> str:
        """Which network."""
        ...

    @property
    def outputs(self) -> int:
        """Logits: one for two classes, else one per class."""
        ...

    def build(self) -> nn.Module:
        """Return the network; weights are drawn from torch's generator."""
        ...

    def of(self, network: nn.Module) -> Plan:
        """Return the plan of a network that differs from this one at most in sizes."""
        ...

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain JSON data."""
        ...


@dataclass(frozen=True, slots=True)
class TableNetwork:
    """The sizes and settings of a network over prepared columns."""

    columns: int
    """Prepared columns that it takes."""
    hidden: tuple[int, ...]
    """Neurons of each hidden layer; of a residual network and a transformer, the width of each block, all the same."""
    activation: Activation = "relu"
    """The activation between two layers."""
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
    """Logits: one for two classes, else one per class."""
    embedding: int = 0
    """Above 0, each of `blocks` that is wider is brought to so many numbers first; for a perceptron."""
