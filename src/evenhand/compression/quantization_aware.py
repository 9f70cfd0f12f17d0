"""Quantization-aware training: the network learns with the rounding that 8 bits will bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class QuantizationAware(Declared):
    """The network is trained on while weights and inputs of its layers are rounded to 8 bits; `Int8` comes after it.

    The result is a float32 network that loses less when it is rounded. At 8 bits rounding rarely costs anything by
    itself (see docs/benchmarks.md), and the further training changes more decisions than rounding does.

    Examples
    --------
    >>> QuantizationAware(epochs=1).describe()["epochs"]
    1
    """

    epochs: int = setting(3, "Passes over the training rows, at most.", least=1)
    rows: int = setting(
        512, "Training rows from which the ranges of inputs are taken, drawn by the seed.", least=1, unit="rows"
    )
    learning_rate: float = setting(1e-4, "At the beginning.", above=0)

    floor: ClassVar[float] = 0.5

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {
            "recipe": "quantization_aware", "epochs": self.epochs, "rows": self.rows,
            "learning_rate": self.learning_rate,
        }  # fmt: skip

    def apply(self, model: NetworkModel, bench: Bench) -> NetworkModel:
        """Return the model, with its network trained under rounding."""
        from evenhand.compression.rounding import rounding, without_rounding
        from evenhand.compression.tuning import tune

        bench.say("training with 8-bit rounding")
        rounded = rounding(model.network, bench.prepared(model, self.rows))
        learned = tune(rounded, model, bench, self.epochs, learning_rate=self.learning_rate)
        return model.with_network(without_rounding(learned), self.describe())
