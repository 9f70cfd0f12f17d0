"""8-bit quantization, run by ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from evenhand.errors import ModelError
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from torch import nn

    from evenhand.compression.compressed import CompressedModel
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel

Kind = Literal["static", "dynamic", "weights"]


@dataclass(frozen=True, slots=True)
class Int8(Declared):
    """Weights as int8 per channel; activations as uint8 too, unless only the weights are to be quantized.

    The result is one ONNX file. Small networks do not always become faster: below some 20 microseconds a call the
    conversions between 8 bits and 32 cost more than they save, which `measure_footprint` shows.

    Examples
    --------
    >>> Int8().describe()["activations"], Int8(kind="weights").describe()["activations"]
    ('uint8', 'float32')
    """

    calibration_rows: int = setting(
        512, "Training rows from which static takes its ranges, drawn by the seed; all when there are fewer.",
        least=1, unit="rows",
    )  # fmt: skip
    kind: Kind = setting(
        "static", "static: ranges of activations are fixed beforehand. dynamic: they are computed for every batch, "
        "for transformers; the answer to a row then depends a little on the other rows of its batch. weights: "
        "activations stay in 32 bits; the file is as small, and the time as before.",
    )  # fmt: skip

    floor: ClassVar[float] = 0.9

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        rows: dict[str, Plain] = {"calibration_rows": int(self.calibration_rows)} if self.kind == "static" else {}
        activations = "float32" if self.kind == "weights" else "uint8"
        return {
            "recipe": "int8", "kind": self.kind, **rows, "weights": "int8 per channel", "activations": activations,
            "runtime": "onnxruntime",
        }  # fmt: skip

    def apply(self, model: NetworkModel, bench: Bench) -> CompressedModel:
        """Return the quantized model."""
        from evenhand.compression import quantizing
        from evenhand.compression.compressed import from_network
        from evenhand.compression.exporting import export_checked

        if self.kind == "dynamic":
            _check_linear(model.network)
        rows = bench.prepared(model, int(self.calibration_rows))
        bench.say("exporting to ONNX")
        graph = export_checked(model.network, rows)
        if self.kind == "static":
            bench.say(f"quantizing to 8 bits by {len(rows):,} training rows")
            small = quantizing.static(graph, rows)
        else:
            bench.say("quantizing to 8 bits")
            small = (quantizing.dynamic if self.kind == "dynamic" else quantizing.weights_only)(graph)
        return from_network(quantizing.refuse_untouched(small, f"Int8(kind='{self.kind}')"), model, self.describe())


def _check_linear(network: nn.Module) -> None:
    """Raise ModelError when most weights are in convolutions, which stay in 32 bits."""
    from torch import nn

    folding: dict[str, int] = {}
    others = 0
    for name, module in network.named_modules():
        own = sum(values.numel() for values in module.parameters(recurse=False))
        if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            folding[name] = own
        else:
            others += own
    if sum(folding.values()) > others:
        raise ModelError(
            f"Int8(kind='dynamic') is for linear layers: convolution '{max(folding, key=lambda name: folding[name])}' "
            "and others would stay in 32 bits, and they have most of the weights. Use Int8(), whose ranges are fixed "
            "by training rows, or Int8(kind='weights')."
        )
