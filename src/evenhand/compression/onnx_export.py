"""The same numbers in another runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from evenhand.compression.compressed import CompressedModel
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class OnnxExport:
    """The float32 network as an ONNX file: no smaller, but run by ONNX Runtime.

    Compared with `Int8`, it separates the gain in time of the runtime from that of the 8 bits.

    Examples
    --------
    >>> OnnxExport().describe()
    {'recipe': 'onnx_export', 'weights': 'float32', 'runtime': 'onnxruntime'}
    """

    floor: ClassVar[float] = 0.99

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {"recipe": "onnx_export", "weights": "float32", "runtime": "onnxruntime"}

    def apply(self, model: NetworkModel, bench: Bench) -> CompressedModel:
        """Return the exported model."""
        from evenhand.compression.compressed import from_network
        from evenhand.compression.exporting import COMPARED, export_checked

        bench.say("exporting to ONNX")
        return from_network(export_checked(model.network, bench.prepared(model, COMPARED)), model, self.describe())
