"""What a quantized graph holds, and what ONNX Runtime makes of it on loading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from evenhand.compression import exporting, quantizing
from evenhand.compression.last_rounding import without_last_rounding
from evenhand.subjects.onnx import start_session

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

if TYPE_CHECKING:
    from pathlib import Path

torch.set_num_threads(1)
ROUNDING = {"QuantizeLinear", "DequantizeLinear"}


def exported(*last: nn.Module, outputs: int) -> tuple[nn.Module, bytes, np.ndarray]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, outputs), *last).eval()
    rows = np.random.default_rng(0).normal(size=(64, 16)).astype(np.float32)
    return network, exporting.export_network(network, (16,)), rows


def nodes(content: bytes) -> list[Any]:
    return list(onnx.load_from_string(content).graph.node)


def run_by(content: bytes, folder: Path) -> list[str]:
    """Return the nodes that a session of evenhand's runs, once ONNX Runtime has made the graph its own."""
    session: Any = start_session(content, "the graph")
    options = session.get_session_options()
    options.optimized_model_filepath = str(folder / "run.onnx")
    runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return [node.op_type for node in onnx.load(folder / "run.onnx").graph.node]


def by_definition(content: bytes, rows: np.ndarray) -> np.ndarray:
    """Return what a graph says by the definition of its operators: processors without VNNI saturate in ONNX Runtime."""
    from onnx.reference import ReferenceEvaluator

    (said,) = ReferenceEvaluator(onnx.load_from_string(content)).run(None, {"columns": rows})
    return np.asarray(said)


def test_weights_alone_in_8_bits_are_made_float32_once_on_loading(tmp_path: Path) -> None:
    _, graph, rows = exported(outputs=5)
    small = quantizing.weights_only(graph)
    assert "DequantizeLinear" in {node.op_type for node in nodes(small)}
    assert not ROUNDING & set(run_by(small, tmp_path))
    options = runtime.SessionOptions()
    (before,) = runtime.InferenceSession(small, options, providers=["CPUExecutionProvider"]).run(
        None, {"columns": rows}
    )
    assert np.allclose(np.asarray(start_session(small, "it").run(None, {"columns": rows})[0]), before, atol=1e-5)


def test_products_of_8_bits_stay_so_on_loading(tmp_path: Path) -> None:
    _, graph, rows = exported(outputs=5)
    assert "QGemm" in run_by(quantizing.static(graph, rows), tmp_path)


@pytest.mark.parametrize("last", [(), (nn.Flatten(0),), (nn.Flatten(0), nn.Unflatten(0, (-1, 1)))])
def test_the_answer_itself_is_not_rounded(last: tuple[nn.Module, ...], tmp_path: Path) -> None:
    network, graph, rows = exported(*last, outputs=1)
    small = quantizing.static(graph, rows)
    run = run_by(small, tmp_path)
    assert run.count("QGemm") == 2, "both layers still multiply in 8 bits"
    assert "DequantizeLinear" not in run
    (said,) = start_session(small, "it").run(None, {"columns": rows})
    exact = network(torch.from_numpy(rows)).detach().numpy()
    assert np.asarray(said).shape == exact.shape
    assert np.corrcoef(np.ravel(by_definition(small, rows)), np.ravel(exact))[0, 1] > 0.99


def test_what_other_nodes_read_stays_rounded() -> None:
    make = onnx.helper.make_node
    shape = onnx.helper.make_tensor_value_info
    scale = onnx.numpy_helper.from_array(np.float32(0.1), "scale")
    zero = onnx.numpy_helper.from_array(np.uint8(0), "zero")
    parts = [
        make("Relu", ["x"], ["exact"]),
        make("QuantizeLinear", ["exact", "scale", "zero"], ["whole"]),
        make("DequantizeLinear", ["whole", "scale", "zero"], ["rounded"]),
    ]

    def graph(*more: Any, answer: str) -> bytes:
        ends = [shape(name, 1, ["n"]) for name in ("x", answer)]
        built = onnx.helper.make_graph([*parts, *more], "g", ends[:1], ends[1:], [scale, zero])
        return bytes(onnx.helper.make_model(built).SerializeToString())

    assert [node.op_type for node in nodes(without_last_rounding(graph(answer="rounded")))] == ["Relu"]
    twice = graph(make("Add", ["rounded", "rounded"], ["sum"]), answer="sum")
    assert len(nodes(without_last_rounding(twice))) == 4
    onto = graph(make("Identity", ["rounded"], ["y"]), answer="y")
    assert [node.op_type for node in nodes(without_last_rounding(onto))] == ["Relu", "Identity"]
    plain = graph(make("Identity", ["exact"], ["y"]), answer="y")
    assert len(nodes(without_last_rounding(plain))) == 4


class Attending(nn.Module):
    """One layer of attention, with a sum around it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.query, self.value, self.last = (nn.Linear(16, width) for width in (16, 16, 16, 3))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        held = self.first(rows)
        given = torch.tanh(held)
        weight = torch.softmax(self.query(given) @ held.transpose(1, 2), dim=-1)
        return torch.as_tensor(self.last(torch.tanh(held + weight @ self.value(given))).mean(1))


def test_where_layers_attend_only_products_with_weights_are_rounded() -> None:
    torch.manual_seed(0)
    rows = np.random.default_rng(0).normal(size=(32, 5, 16)).astype(np.float32)
    graph = quantizing.static(exporting.export_network(Attending().eval(), (5, 16)), rows)
    found = nodes(graph)
    rounded = {name for node in found if node.op_type == "DequantizeLinear" for name in node.output}
    readers = [node for node in found if set(node.input[:2]) & rounded and node.op_type not in ROUNDING]
    layers = [node for node in readers if node.op_type == "MatMul"]
    assert len(layers) == 4
    assert all(set(node.input) <= rounded for node in layers)
    # a bias is rounded beside its weight; no activation that is added is
    assert all(len(set(node.input) & rounded) == 1 for node in readers if node.op_type == "Add")
    assert {node.op_type for node in readers} <= {"MatMul", "Add"}
    assert sum(node.op_type == "QuantizeLinear" for node in found) <= 3, "three tensors go into four layers"
    whole = [t for t in onnx.load_from_string(graph).graph.initializer if len(t.dims) == 2]
    assert len(whole) == 4
    assert {tensor.data_type for tensor in whole} == {onnx.TensorProto.INT8}


def test_a_convolution_stays_in_32_bits_beside_linear_layers_that_do_not() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 3)).eval()
    graph = onnx.load_from_string(quantizing.dynamic(exporting.export_network(network, (1, 8, 8)))).graph
    assert {"Conv", "MatMulInteger"} <= {node.op_type for node in graph.node}
    assert "ConvInteger" not in {node.op_type for node in graph.node}


class Worded(nn.Module):
    """Attention over the vectors of tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors, self.attending = nn.Embedding(50, 16), Attending()

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.attending(self.vectors(rows.long())))


def test_vectors_of_tokens_are_rounded_where_layers_attend() -> None:
    torch.manual_seed(0)
    rows = np.random.default_rng(0).integers(0, 50, (32, 5)).astype(np.float32)
    graph = onnx.load_from_string(quantizing.static(exporting.export_network(Worded().eval(), (5,)), rows)).graph
    (vectors,) = [tensor for tensor in graph.initializer if list(tensor.dims) == [50, 16]]
    assert vectors.data_type == onnx.TensorProto.INT8


@pytest.mark.parametrize("kind", ["static", "dynamic", "weights"])
def test_tables_of_columns_are_rounded_too(kind: str) -> None:
    """A network that attends over columns has a vector for each, and sums their products: most of its weights."""
    from evenhand.training.networks import NetworkPlan

    torch.manual_seed(0)
    network = NetworkPlan(40, (8,), kind="transformer", heads=2, blocks=(1,) * 10 + (30,)).build().eval()
    rows = np.random.default_rng(0).normal(size=(64, 40)).astype(np.float32)
    graph = exporting.export_network(network, (40,))
    made = {"dynamic": quantizing.dynamic, "weights": quantizing.weights_only}
    small = quantizing.static(graph, rows) if kind == "static" else made[kind](graph)
    left = [t for t in onnx.load_from_string(small).graph.initializer if t.data_type == 1 and np.prod(t.dims) > 100]
    assert not left, [t.name for t in left]
    exact = by_definition(graph, rows)
    assert np.corrcoef(np.ravel(by_definition(small, rows)), np.ravel(exact))[0, 1] > 0.99
