"""From a torch network to the bytes of an ONNX graph, in full or 8-bit precision."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, cast

from evenhand.errors import ModelError, need, shorten

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

INPUT = "columns"
"""The graph's one input: float32, (rows, prepared columns)."""
OUTPUT = "logit"
"""The graph's one output: float32, (rows,)."""


def export_network(network: nn.Module, columns: int) -> bytes:
    """Return the float32 ONNX graph of a network over prepared columns; the number of rows is free.

    Raises
    ------
    ModelError
        When torch cannot export the network.
    MissingExtraError
        When onnx or onnxscript is not installed.
    """
    need("onnx", "onnx")
    need("onnxscript", "onnx")
    import torch

    # Two rows: torch takes a size of 1 for a constant.
    example = torch.zeros(2, columns)
    rows = torch.export.Dim("rows")
    training = network.training
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "network.onnx"
        try:
            program = torch.onnx.export(
                network.eval(),
                (example,),
                dynamo=True,
                dynamic_shapes=({0: rows},),
                input_names=[INPUT],
                output_names=[OUTPUT],
                verbose=False,
            )
            cast("torch.onnx.ONNXProgram", program).save(path)
        except Exception as problem:  # the exporter's errors share no base below Exception
            raise ModelError(f"torch could not export the network to ONNX: {shorten(problem, 300)}") from problem
        finally:
            network.train(training)
        return path.read_bytes()


def quantize(content: bytes, calibration: NDArray[np.float32]) -> bytes:
    """Return the graph in 8 bits: QDQ, weights int8 per channel, activations uint8 by the extremes over `calibration`.

    Signed activations are up to eight times slower in ONNX Runtime on x86, entropy calibration gains nothing here;
    the bytes are the same for the same graph and rows.

    Raises
    ------
    ModelError
        When ONNX Runtime cannot quantize the graph.
    """
    need("onnx", "onnx")
    need("onnxruntime", "onnx")
    with _quiet():
        from onnxruntime import quantization as ort
        from onnxruntime.quantization.shape_inference import quant_pre_process
    with tempfile.TemporaryDirectory() as folder, _quiet():
        source, ready, small = (Path(folder) / f"{stage}.onnx" for stage in ("source", "ready", "small"))
        source.write_bytes(content)
        try:
            quant_pre_process(str(source), str(ready))
            ort.quantize_static(
                str(ready),
                str(small),
                _Reader(calibration),
                quant_format=ort.QuantFormat.QDQ,
                activation_type=ort.QuantType.QUInt8,
                weight_type=ort.QuantType.QInt8,
                per_channel=True,
                calibrate_method=ort.CalibrationMethod.MinMax,
            )
        except Exception as problem:  # the quantizer's errors share no base below Exception
            raise ModelError(f"ONNX Runtime could not quantize the graph: {shorten(problem, 300)}") from problem
        return small.read_bytes()


def count_graph_parameters(content: bytes) -> tuple[int, int]:
    """Return the numbers of weights and biases in a graph, and of those that are not zero; scales do not count."""
    onnx = need("onnx", "onnx")
    from onnx import numpy_helper

    graph = onnx.load_from_string(content).graph
    arrays = [numpy_helper.to_array(t) for t in graph.initializer if not t.name.endswith(("_scale", "_zero_point"))]
    weights = [array for array in arrays if array.ndim and array.dtype.kind in "fi" and array.dtype != "int64"]
    return sum(int(a.size) for a in weights), sum(int((a != 0).sum()) for a in weights)


def with_metadata(content: bytes, entries: dict[str, str]) -> bytes:
    """Return the graph with text entries in its metadata and without the exporter's own, longer remarks."""
    onnx = need("onnx", "onnx")
    model = onnx.load_from_string(content)
    _strip(model.graph)
    model.producer_name, model.producer_version = "evenhand", ""
    del model.metadata_props[:]
    for key, value in sorted(entries.items()):
        model.metadata_props.add(key=key, value=value)
    return bytes(model.SerializeToString(deterministic=True))


def _strip(graph: object) -> None:
    """Remove stack traces and file names of the exporting machine, which the exporter writes beside every node."""
    for items in (getattr(graph, kind) for kind in ("node", "input", "output", "value_info", "initializer")):
        for item in items:
            del item.metadata_props[:]
            item.ClearField("doc_string")
    del graph.metadata_props[:]  # type: ignore[attr-defined]
    del graph.value_info[:]  # type: ignore[attr-defined]
    graph.ClearField("doc_string")  # type: ignore[attr-defined]


class _Reader:
    """Hands calibration rows to the quantizer, as its interface asks: one feed a call, then None."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self._left = iter([{INPUT: rows}])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next feed."""
        return next(self._left, None)

    def __iter__(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        return self._left

    def __next__(self) -> dict[str, NDArray[np.float32]]:
        return next(self._left)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Part of the interface; one feed holds all rows."""

    def __len__(self) -> int:
        return 1


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress, remarks and deprecation notes from the user's screen; errors still rise."""
    before = logging.root.manager.disable
    with warnings.catch_warnings(), open_null() as null:
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
            logging.disable(logging.WARNING)
            try:
                yield
            finally:
                logging.disable(before)


@contextlib.contextmanager
def open_null() -> Iterator[io.TextIOBase]:
    """Open the place where nothing is kept."""
    with Path(os.devnull).open("w", encoding="utf-8") as null:
        yield null
