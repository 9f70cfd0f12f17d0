"""A compression recipe: weights with fewer bits of precision, so that the file packs better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.errors import InputError

if TYPE_CHECKING:
    from evenhand.compression import Recipe
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class ShortMantissa:
    """Weights are rounded to so many bits of precision."""

    bits: int = 8
    """Bits of precision that each weight keeps; float32 has 24."""

    floor: ClassVar[float] = 0.95

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 24:
            raise InputError(f"bits is {self.bits}; a whole number from 1 to 24 is needed.")

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
