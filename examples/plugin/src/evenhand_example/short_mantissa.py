"""A compression recipe: weights with fewer bits of precision, so that the file packs better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from evenhand.compression import Recipe
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class ShortMantissa(Declared):
    """Weights are rounded to so many bits of precision."""

    bits: int = setting(8, "Bits of precision that each weight keeps; float32 has 24.", least=1, most=24, unit="bits")

    floor: ClassVar[float] = 0.95

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {"recipe": "short_mantissa", "bits": self.bits}

    def apply(self, model: NetworkModel, bench: Bench) -> NetworkModel:
        """Return the rounded model."""
        import copy

        import torch

        bench.say(f"rounding the weights to {self.bits} bits")
        network = copy.deepcopy(model.network)
        with torch.no_grad():
            for values in network.parameters():
                fraction, exponent = torch.frexp(values)
                values.copy_(torch.ldexp(torch.round(fraction * 2**self.bits) / 2**self.bits, exponent))
        return model.with_network(network, self.describe())


if TYPE_CHECKING:
    _: Recipe = ShortMantissa()
