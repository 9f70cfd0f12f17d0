"""Static 8-bit quantization, run by ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from evenhand.errors import InputError, raise_all

if TYPE_CHECKING:
    from evenhand.compression.compressed import CompressedModel
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import TabularModel


@dataclass(frozen=True, slots=True)
class Int8:
    """Weights as int8 per channel, activations as uint8, ranges from training rows.

    The result is one ONNX file. Small networks do not always become faster: below some 20 microseconds a call the
    conversions between 8 bits and 32 cost more than they save, which `measure_footprint` shows.

    Raises
    ------
    InputError
        For another kind, or without one calibration row at least.
    """

    calibration_rows: int = 512
    """Training rows from which the ranges are taken, drawn by the seed; all when there are fewer."""
    kind: Literal["static"] = "static"
    """Ranges of activations are fixed beforehand; the only kind that gained size and time on feed-forward networks."""

    floor: ClassVar[float] = 0.9

    def __post_init__(self) -> None:
        problems = []
        if self.calibration_rows < 1 or self.calibration_rows != int(self.calibration_rows):
            problems.append(
                f"Int8 needs a whole number of calibration rows, one at least, not {self.calibration_rows:g}."
            )
        if self.kind != "static":
            problems.append(f"Int8 knows the kind 'static' only, not {self.kind!r}.")
        raise_all(InputError, problems)

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {
            "recipe": "int8",
            "kind": self.kind,
            "calibration_rows": int(self.calibration_rows),
            "weights": "int8 per channel",
            "activations": "uint8",
            "runtime": "onnxruntime",
        }

    def apply(self, model: TabularModel, bench: Bench) -> CompressedModel:
        """Return the quantized model."""
        from evenhand.compression.compressed import from_network
        from evenhand.compression.exporting import export_network, quantize

        rows = bench.prepared(model, int(self.calibration_rows))
        bench.say("exporting to ONNX")
        graph = export_network(model.network, rows.shape[1])
        bench.say(f"quantizing to 8 bits by {len(rows):,} training rows")
        return from_network(quantize(graph, rows), model, self.describe())
