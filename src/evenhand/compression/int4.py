"""Weights of 4 bits, run by ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.errors import InputError

if TYPE_CHECKING:
    from evenhand.compression.compressed import CompressedModel
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class Int4:
    """Weights of linear layers as whole numbers from -8 to 7, one scale for each block of a neuron's inputs.

    ONNX Runtime multiplies them as they are (MatMulNBits). Convolutions and all else stay in 32 bits.

    Raises
    ------
    InputError
        For a block size that ONNX Runtime does not support.

    Examples
    --------
    >>> Int4(block=64).describe()["weights"]
    'int4 by blocks'
    """

    block: int = 32
    """Inputs that share a scale: 16, 32, 64, 128 or 256. Small blocks keep more of the answer and take more bytes."""

    floor: ClassVar[float] = 0.9

    def __post_init__(self) -> None:
        if self.block not in (16, 32, 64, 128, 256):
            raise InputError(f"Int4 takes blocks of 16, 32, 64, 128 or 256 inputs, not {self.block!r}.")

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {
            "recipe": "int4", "block": int(self.block), "weights": "int4 by blocks", "activations": "float32",
            "runtime": "onnxruntime",
        }  # fmt: skip

    def apply(self, model: NetworkModel, bench: Bench) -> CompressedModel:
        """Return the quantized model."""
        from evenhand.compression.compressed import from_network
        from evenhand.compression.exporting import COMPARED, export_checked
        from evenhand.compression.quantizing import four_bits, refuse_untouched

        bench.say("exporting to ONNX")
        graph = export_checked(model.network, bench.prepared(model, COMPARED))
        bench.say("quantizing to 4 bits")
        return from_network(refuse_untouched(four_bits(graph, int(self.block)), "Int4"), model, self.describe())
