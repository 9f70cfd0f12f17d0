"""From a torch network to the bytes of an ONNX graph, which is checked to answer as the network does."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import ModelError, need, shorten

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

INPUT = "columns"
"""The graph's one input: float32, (rows, prepared columns), or (rows, ...) of another shape."""
COMPARED: Final = 256
"""Rows that network and graph answer both."""
TOLERANCE: Final = 1e-3
"""Share of the largest answer, or of 1, by which rounding in another runtime may change an answer."""
_NO_WEIGHTS: Final = ("_scale", "_scales", "_zero_point")
OUTPUT = "logit"
"""The graph's one output: float32, (rows,), or (rows, classes)."""


def export_network(network: nn.Module, shape: tuple[int, ...]) -> bytes:
    """Return the float32 ONNX graph of a network over prepared rows of a shape; the number of rows is free.

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
    example = torch.zeros(2, *shape)
    rows = torch.export.Dim("rows")
    training = network.training
    with tempfile.TemporaryDirectory() as folder, quiet():
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


def export_checked(network: nn.Module, rows: NDArray[np.float32]) -> bytes:
    """Return the float32 graph of a network, after ONNX Runtime has answered as the network does.

    `rows` (n, ...): prepared rows to compare by; the first `COMPARED` of them. Raises ModelError when the network
    cannot be exported, or an answer changes by more than `TOLERANCE` of the largest.
    """
    from evenhand.subjects.onnx import start_session
    from evenhand.training.model import logits

    graph = export_network(network, rows.shape[1:])
    rows = rows[:COMPARED]
    before = logits(network, rows)
    (answer,) = start_session(graph, "the exported network").run(None, {INPUT: rows})
    after = cast("NDArray[np.float32]", answer)
    difference = float(abs(before - after.reshape(before.shape)).max(initial=0.0))
    allowed = TOLERANCE * max(1.0, float(abs(before).max(initial=0.0)))
    if not difference <= allowed:
        raise ModelError(
            f"The network answers differently once it is exported to ONNX: by up to {difference:.3g} on {len(rows):,} "
            f"training rows, where {allowed:.2g} is rounding. Something in it depends on Python code, on chance or on "
            "the batch; put it into evaluation mode, or write that part in torch's operations."
        )
    return graph


def count_graph_parameters(content: bytes) -> tuple[int, int]:
    """Return the numbers of weights and biases in a graph, and of those that are not zero; scales do not count."""
    onnx = need("onnx", "onnx")
    from onnx import numpy_helper

    graph = onnx.load_from_string(content).graph
    arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer if not t.name.endswith(_NO_WEIGHTS)}
    # by name: equal weights of two layers are held once
    products = {node.input[1]: node for node in graph.node if node.op_type == "MatMulNBits"}
    packed = [arrays.pop(name) for name in products]
    shapes = [{entry.name: entry.i for entry in node.attribute} for node in products.values()]
    weights = [array for array in arrays.values() if array.ndim and array.dtype.kind in "fi" and array.dtype != "int64"]
    total = sum(int(a.size) for a in weights) + sum(shape["K"] * shape["N"] for shape in shapes)
    # two weights of 4 bits a byte, of which 8 is zero
    fours = sum(int((bits & 15 != 8).sum() + (bits >> 4 != 8).sum()) for bits in packed)
    return total, sum(int((a != 0).sum()) for a in weights) + fours


def with_metadata(content: bytes, entries: dict[str, str]) -> bytes:
    """Return the graph with text entries in its metadata and without the exporter's longer remarks."""
    onnx = need("onnx", "onnx")
    model = onnx.load_from_string(content)
    _strip(model.graph)
    model.producer_name, model.producer_version = "evenhand", ""
    del model.metadata_props[:]
    for key, value in sorted(entries.items()):
        model.metadata_props.add(key=key, value=value)
    return bytes(model.SerializeToString(deterministic=True))


def _strip(graph: object) -> None:
    """Remove stack traces and file names of the exporting machine, which the exporter writes at every node."""
    for items in (getattr(graph, kind) for kind in ("node", "input", "output", "value_info", "initializer")):
        for item in items:
            del item.metadata_props[:]
            item.ClearField("doc_string")
    del graph.metadata_props[:]  # type: ignore[attr-defined]
    del graph.value_info[:]  # type: ignore[attr-defined]
    graph.ClearField("doc_string")  # type: ignore[attr-defined]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
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
