"""What compression_matrix.py compares: evenhand's recipes that round, and its peers', each with its defaults."""

from __future__ import annotations

import copy
import io
import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn

from evenhand.compression import Int4, Int8, compress
from evenhand.compression.exporting import INPUT, quiet
from evenhand.subjects.onnx import start_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matrix_networks import Array, Case

    from evenhand.compression import Recipe

    Maker = Callable[["Given"], "Made"]
    Answer = Callable[[Array], Array]

COMPILED: Final = ("adult", "vit", "distilbert")
"""Networks that torchao is also timed on after torch.compile: nearly all of their weights are in linear layers."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a maker begins with: the network, its float32 graph, and that graph as ONNX Runtime asks to prepare it."""

    case: Case
    graph: bytes
    ready: bytes
    calibration: Array


@dataclass(frozen=True, slots=True)
class Made:
    """A variant: the bytes of its file, and how it answers."""

    size: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Variant:
    """A named way to make one; those of one kind are compared."""

    name: str
    kind: str
    make: Maker
    own: bool = False


def of_graph(content: bytes) -> Made:
    """Run a graph by ONNX Runtime on one thread, with its defaults."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return _of_session(content, onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"]))


def _of_session(content: bytes, session: Any) -> Made:
    name = session.get_inputs()[0].name
    return Made(len(content), lambda rows: np.asarray(session.run(None, {name: rows})[0]))


def of_network(network: nn.Module, *, compiled: bool = False) -> Made:
    """Run a network by torch; its file holds its weights."""
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    call = torch.compile(network, dynamic=False) if compiled else network

    def answer(rows: Array) -> Array:
        with torch.inference_mode():
            return np.asarray(call(torch.from_numpy(rows)).numpy())

    return Made(file.tell(), answer)


def prepared(graph: bytes) -> bytes:
    """Return the graph after ONNX Runtime's own preparation, which its documentation asks for first."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    return _by_files(graph, quant_pre_process)


def _by_files(graph: bytes, work: Callable[[str, str], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder, quiet():
        source, target = (Path(folder) / f"{name}.onnx" for name in ("source", "target"))
        source.write_bytes(graph)
        work(str(source), str(target))
        return target.read_bytes()


def _ours(given: Given, recipe: Recipe) -> Made:
    content = compress(given.case.model, recipe, train=given.case.train).content
    return _of_session(content, start_session(content, "the graph"))


def _runtime_static(given: Given) -> Made:
    from onnxruntime import quantization as ort

    class Reader(ort.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left: Iterator[dict[str, Array]] = iter([{INPUT: given.calibration}])

        def get_next(self) -> dict[str, Array] | None:
            return next(self.left, None)

    return of_graph(_by_files(given.ready, lambda *files: ort.quantize_static(*files, Reader())))


def _runtime_dynamic(given: Given) -> Made:
    from onnxruntime import quantization as ort

    return of_graph(_by_files(given.ready, ort.quantize_dynamic))


def _runtime_products(given: Given, **settings: Any) -> Made:
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    with quiet():
        quantizer = MatMulNBitsQuantizer(onnx.load_from_string(given.ready), **settings)
        quantizer.process()
    graph = quantizer.model.model
    return of_graph(
        _changed(graph.SerializeToString(), given, any(n.op_type == "MatMulNBits" for n in graph.graph.node))
    )


def _changed(content: bytes, given: Given, done: bool = True) -> bytes:
    """Return a graph, unless nothing in it was rounded."""
    if not done or len(content) > 0.99 * len(given.ready):
        raise ValueError("leaves the network as it was")
    return content


def _nncf_static(given: Given) -> Made:
    import nncf
    import onnx

    rows = [{INPUT: row[None]} for row in given.calibration]
    kind = {"model_type": nncf.ModelType.TRANSFORMER} if given.case.attends else {}
    with quiet():
        small = nncf.quantize(onnx.load_from_string(given.graph), nncf.Dataset(rows), **kind)
    return of_graph(small.SerializeToString())


def _nncf_weights(given: Given, mode: str, **settings: Any) -> Made:
    import nncf
    import onnx

    with quiet():
        small = nncf.compress_weights(
            onnx.load_from_string(given.graph),
            mode=nncf.CompressWeightsMode[mode],
            # ONNX Runtime refuses the scales that it gives to convolutions
            ignored_scope=nncf.IgnoredScope(types=["Conv"], validate=False),
            **settings,
        )
    return of_graph(_changed(small.SerializeToString(), given))


def _torchao(given: Given, config: Callable[[], Any], *, multiple: int = 2, compiled: bool = False) -> Made:
    from torchao.quantization import quantize_

    if compiled and (given.case.model.name not in COMPILED or shutil.which("g++") is None):
        raise ValueError("not compiled here")
    network = _as_linear(copy.deepcopy(given.case.model.network).eval())

    def taken(module: nn.Module, _name: str) -> bool:
        # it fails on a layer of one input, and at 4 bits where sizes are no multiples
        sizes = (module.in_features, module.out_features) if isinstance(module, nn.Linear) else (1,)
        return not any(size % multiple for size in sizes)

    if not any(taken(module, "") for module in network.modules()):
        raise ValueError("leaves the network as it was")
    quantize_(network, config(), filter_fn=taken)
    return of_network(network, compiled=compiled)


def _as_linear(network: nn.Module) -> nn.Module:
    """Return the network with the turned linear layers of GPT-2 as torch's own, which are all that torchao rounds."""
    from transformers.pytorch_utils import Conv1D

    for name, module in list(network.named_modules()):
        if isinstance(module, Conv1D):
            layer = nn.Linear(*module.weight.shape)
            layer.weight, layer.bias = nn.Parameter(module.weight.detach().T.contiguous()), module.bias
            parent, _, own = name.rpartition(".")
            setattr(network.get_submodule(parent), own, layer)
    return network


def _torchao_config(name: str) -> Any:
    from torchao import quantization

    return getattr(quantization, name)()


def _torchao_four() -> Any:
    from torchao.prototype.quantization.int4 import PrototypeInt4WeightOnlyConfig

    return PrototypeInt4WeightOnlyConfig(group_size=32)


_WEIGHTS, _BOTH = (
    partial(_torchao_config, name) for name in ("Int8WeightOnlyConfig", "Int8DynamicActivationInt8WeightConfig")
)


def variants(calibration: int) -> list[Variant]:
    """Return all variants; those that need ranges take so many training rows."""
    return [
        Variant("torch, fp32", "fp32", lambda given: of_network(given.case.model.network.eval())),
        Variant("ONNX Runtime, fp32", "fp32", lambda given: of_graph(given.graph)),
        Variant("evenhand, Int8()", "static", partial(_ours, recipe=Int8(calibration)), own=True),
        Variant("ONNX Runtime, quantize_static", "static", _runtime_static),
        Variant("NNCF, quantize", "static", _nncf_static),
        Variant('evenhand, Int8("dynamic")', "dynamic", partial(_ours, recipe=Int8(kind="dynamic")), own=True),
        Variant("ONNX Runtime, quantize_dynamic", "dynamic", _runtime_dynamic),
        Variant("torchao, Int8DynamicActivationInt8Weight", "dynamic", partial(_torchao, config=_BOTH)),
        Variant(
            "torchao, Int8DynamicActivationInt8Weight, compiled", "dynamic",
            partial(_torchao, config=_BOTH, compiled=True),
        ),
        Variant('evenhand, Int8("weights")', "weights", partial(_ours, recipe=Int8(kind="weights")), own=True),
        Variant("ONNX Runtime, MatMulNBits of 8", "weights", partial(_runtime_products, bits=8)),
        Variant("torchao, Int8WeightOnly", "weights", partial(_torchao, config=_WEIGHTS)),
        Variant("torchao, Int8WeightOnly, compiled", "weights", partial(_torchao, config=_WEIGHTS, compiled=True)),
        Variant("NNCF, compress_weights INT8_SYM", "weights", partial(_nncf_weights, mode="INT8_SYM")),
        Variant("evenhand, Int4()", "int4", partial(_ours, recipe=Int4()), own=True),
        Variant("ONNX Runtime, MatMulNBits of 4, blocks of 32", "int4", partial(_runtime_products, block_size=32)),
        Variant(
            "torchao, int4 weights (prototype), groups of 32", "int4",
            partial(_torchao, config=_torchao_four, multiple=32),
        ),
        Variant(
            "NNCF, compress_weights INT4_SYM, groups of 32", "int4",
            partial(_nncf_weights, mode="INT4_SYM", group_size=32, ratio=1.0, all_layers=True),
        ),
    ]  # fmt: skip
