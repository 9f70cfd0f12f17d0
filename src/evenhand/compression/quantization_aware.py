"""Quantization-aware training: the network learns with the rounding that 8 bits will bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.errors import InputError, raise_all

if TYPE_CHECKING:
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class QuantizationAware:
    """The network is trained on while weights and inputs of its layers are rounded to 8 bits; `Int8` comes after it.

    The result is a float32 network that loses less when it is rounded. At 8 bits rounding rarely costs anything by
    itself (see docs/benchmarks.md), and the further training changes more decisions than rounding does.

    Raises
    ------
    InputError
        For fewer than 1 epoch or row, or a learning rate not above 0.
    """

    epochs: int = 3
    """Passes over the training rows, at most."""
    rows: int = 512
    """Training rows from which the ranges of inputs are taken, drawn by the seed."""
    learning_rate: float = 1e-4
    """At the beginning."""

    floor: ClassVar[float] = 0.5

    def __post_init__(self) -> None:
        problems = []
        if self.epochs < 1 or self.rows < 1:
            problems.append(f"QuantizationAware needs 1 epoch and 1 row at least, not {self.epochs} and {self.rows}.")
        if not 0 < self.learning_rate < float("inf"):
            problems.append(f"QuantizationAware needs a learning rate above 0, not {self.learning_rate!r}.")
        raise_all(InputError, problems)

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {
            "recipe": "quantization_aware", "epochs": self.epochs, "rows": self.rows,
            "learning_rate": self.learning_rate,
        }  # fmt: skip

    def apply(self, model: NetworkModel, bench: Bench) -> NetworkModel:
        """Return the model whose network knows of the rounding."""
        from evenhand.compression.rounding import rounding, without_rounding
        from evenhand.compression.tuning import tune

        bench.say("training with 8-bit rounding")
        rounded = rounding(model.network, bench.prepared(model, self.rows))
        learned = tune(rounded, model, bench, self.epochs, learning_rate=self.learning_rate)
        return model.with_network(without_rounding(learned), self.describe())
