"""Weights of 16 bits instead of 32 in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel

Kind = Literal["bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class HalfPrecision(Declared):
    """Weights are rounded to 16 bits and stored so: the file halves, and the time of a prediction stays as it is.

    They are computed with as float32, as most processors have no faster 16-bit arithmetic.

    Examples
    --------
    >>> HalfPrecision("bfloat16").describe()
    {'recipe': 'half_precision', 'kind': 'bfloat16'}
    """

    kind: Kind = setting(
        "bfloat16", "bfloat16 keeps the range of float32 with 8 bits of precision, float16 11 bits and a small range."
    )

    floor: ClassVar[float] = 0.95

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {"recipe": "half_precision", "kind": self.kind}

    def apply(self, model: NetworkModel, bench: Bench) -> NetworkModel:
        """Return the rounded model."""
        import copy

        import torch

        bench.say(f"rounding the weights to {self.kind}")
        network = copy.deepcopy(model.network)
        with torch.no_grad():
            for values in network.state_dict().values():
                if values.is_floating_point():
                    values.copy_(values.to(getattr(torch, self.kind)).float())
        return model.with_network(network, self.describe(), stored_as=self.kind)
