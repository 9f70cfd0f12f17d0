"""From a float32 graph to one of 8 or 4 bits, by ONNX Runtime's quantizers."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evenhand.compression.exporting import INPUT, quiet
from evenhand.compression.last_rounding import without_last_rounding
from evenhand.errors import ModelError, need, shorten
from evenhand.output.writing import write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

LEAST_ROWS: Final = 16
"""Ranges seen in fewer rows than this do not generalize."""
LINEAR: Final = ("MatMul", "Gemm", "LSTM")
"""Nodes that dynamic quantization gains by; on convolutions it is several times slower than 32 bits."""
LAYERS: Final = ("MatMul", "Gemm")
"""Nodes of linear layers."""
RECURRENT: Final = ("LSTM", "GRU", "RNN")
"""Nodes with two weights, of inputs and of states: (directions, gates, width)."""
LEAST_SHARE: Final = 0.1
"""Where fewer of the weights than this become whole numbers, a recipe has left the network as it was."""


def static(content: bytes, calibration: NDArray[np.float32]) -> bytes:
    """Return the graph in 8 bits: QDQ, weights int8 per channel, activations uint8 by the extremes over `calibration`.

    The answer itself is not rounded. Signed activations are up to eight times slower in ONNX Runtime on x86, entropy
    calibration gains nothing here; the bytes are the same for the same graph and rows.

    Raises ModelError when there are too few rows, or ONNX Runtime cannot quantize the graph.
    """
    if len(calibration) < LEAST_ROWS:
        raise ModelError(
            f"{len(calibration)} rows cannot tell the ranges of activations: calibrate on {LEAST_ROWS} at least; 256 "
            "to 512 are usual. Int8(kind='weights') needs none."
        )
    need("onnxruntime", "onnx")
    with quiet():
        from onnxruntime import quantization as ort

    def work(source: str, target: str) -> None:
        ort.quantize_static(
            source,
            target,
            _Reader(calibration),
            **_of_attention(source),
            quant_format=ort.QuantFormat.QDQ,
            activation_type=ort.QuantType.QUInt8,
            weight_type=ort.QuantType.QInt8,
            per_channel=True,
            calibrate_method=ort.CalibrationMethod.MinMax,
        )

    return without_last_rounding(_with_vectors(_by_files(content, work)))


def _of_attention(source: str) -> dict[str, object]:
    """Return which nodes are rounded where layers attend: what goes into products with weights, and nothing else.

    Sums, norms and products of activations span wide ranges there, which 256 levels do not tell apart.
    """
    onnx = need("onnx", "onnx")
    graph = onnx.load(source).graph
    if not any(node.op_type == "Softmax" for node in graph.node):
        return {}
    held = {tensor.name for tensor in graph.initializer}
    of_activations = [n.name for n in graph.node if n.op_type in LAYERS and n.input[1] not in held]
    return {
        "op_types_to_quantize": [*LAYERS, "Conv"],
        "nodes_to_exclude": of_activations,
        "extra_options": {"OpTypesToExcludeOutputQuantization": list(LAYERS)},
    }


def dynamic(content: bytes) -> bytes:
    """Return the graph with int8 weights in linear layers, whose inputs are scaled again for every batch.

    The scale is that of the whole batch, so the answer to a row depends a little on the others.

    Raises ModelError when ONNX Runtime cannot quantize the graph.
    """
    need("onnxruntime", "onnx")
    with quiet():
        from onnxruntime import quantization as ort

    def work(source: str, target: str) -> None:
        ort.quantize_dynamic(
            source, target, weight_type=ort.QuantType.QInt8, per_channel=True, op_types_to_quantize=list(LINEAR)
        )

    return _with_vectors(_by_files(content, work))


def weights_only(content: bytes) -> bytes:
    """Return the graph with weights as int8 per output channel, which the runtime turns back into float32.

    ``weight = int8 * scale`` with ``scale = max |weight| / 127`` of the channel, or of a token's vector: the file is
    a quarter, the time as before.
    """
    import numpy as np

    need("onnx", "onnx")
    from onnx import helper, numpy_helper

    model = _ready(content)
    graph = model.graph
    arrays = {tensor.name: tensor for tensor in graph.initializer}
    done: dict[str, str] = {}
    for node, at in [(each, at) for each in graph.node for at in _weights_of(each)]:
        axis, name = _channel_axis(node), node.input[at]
        if axis is None or name not in {*arrays, *done}:
            continue
        if name not in done:
            whole, scale = _whole(numpy_helper.to_array(arrays.pop(name)), axis)
            parts = [f"{name}_quantized", f"{name}_scale"]
            arrays[parts[0]] = numpy_helper.from_array(whole, parts[0])
            arrays[parts[1]] = numpy_helper.from_array(scale.ravel().astype(np.float32), parts[1])
            done[name] = f"{name}_DequantizeLinear_Output"
            graph.node.insert(0, helper.make_node("DequantizeLinear", parts, [done[name]], axis=axis))
        node.input[at] = done[name]
    if not done:
        raise ModelError("The network has no linear layer or convolution whose weights could be stored in 8 bits.")
    del graph.initializer[:]
    graph.initializer.extend(arrays.values())
    return _with_vectors(bytes(model.SerializeToString()))


def _whole(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a weight as whole numbers, and their scales, one for each place along an axis; axes are kept."""
    import numpy as np

    others = tuple(other for other in range(weight.ndim) if other != axis)
    scale = np.maximum(np.abs(weight).max(axis=others, keepdims=True), 1e-12) / 127
    return np.clip(np.rint(weight / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


def _with_vectors(content: bytes) -> bytes:
    """Return the graph with the vectors of an embedding as int8, a scale each; only those looked up become float32.

    Those of columns, which a sum of products (Einsum) takes, become float32 on loading.
    """
    onnx = need("onnx", "onnx")
    from onnx import helper, numpy_helper

    model = onnx.load_from_string(content)
    graph = model.graph
    arrays = {tensor.name: tensor for tensor in graph.initializer}
    users = Counter(name for node in graph.node for name in node.input)
    nodes = []
    for node in graph.node:
        name = node.input[0] if node.op_type == "Gather" else ""
        along = next((each.i for each in node.attribute if each.name == "axis"), 0)
        held = arrays.get(name)
        is_float = held is not None and held.data_type == onnx.TensorProto.FLOAT
        if not is_float or len(arrays[name].dims) != 2 or along or users[name] > 1:
            nodes += [*(_of_columns(node, arrays, users) if node.op_type == "Einsum" else ()), node]
            continue
        ids, parts = node.input[1], [f"{name}_quantized", f"{name}_scale"]
        of = [f"{node.output[0]}_{part}" for part in ("whole", "number", "scale")]
        numbers, scale = _whole(numpy_helper.to_array(arrays.pop(name)), 0)
        arrays[parts[0]] = numpy_helper.from_array(numbers, parts[0])
        arrays[parts[1]] = numpy_helper.from_array(scale, parts[1])
        nodes += [
            helper.make_node("Gather", [parts[0], ids], of[:1]),
            helper.make_node("Cast", of[:1], of[1:2], to=onnx.TensorProto.FLOAT),
            helper.make_node("Gather", [parts[1], ids], of[2:]),
            helper.make_node("Mul", of[1:], list(node.output)),
        ]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(arrays.values())
    return bytes(model.SerializeToString())


def _of_columns(node: Any, arrays: dict[str, Any], users: Counter[str]) -> Iterator[Any]:
    """Yield what turns the tables of a node, (rows, width), from int8 into float32, of which `arrays` has int8 then."""
    onnx = need("onnx", "onnx")
    from onnx import helper, numpy_helper

    for at, name in enumerate(node.input):
        held = arrays.get(name)
        if held is None or held.data_type != onnx.TensorProto.FLOAT or len(held.dims) != 2 or users[name] > 1:
            continue
        parts, made = [f"{name}_quantized", f"{name}_scale"], f"{name}_DequantizeLinear_Output"
        numbers, scale = _whole(numpy_helper.to_array(arrays.pop(name)), 0)
        arrays[parts[0]] = numpy_helper.from_array(numbers, parts[0])
        arrays[parts[1]] = numpy_helper.from_array(scale.ravel(), parts[1])
        node.input[at] = made
        yield helper.make_node("DequantizeLinear", parts, [made], axis=0)


def four_bits(content: bytes, block: int) -> bytes:
    """Return the graph with the weights of linear layers in 4 bits, one scale for each `block` of a neuron's inputs.

    Raises ModelError when the network has no such weights, or ONNX Runtime has no such product.
    """
    need("onnx", "onnx")
    need("onnxruntime", "onnx")
    with quiet():
        try:
            from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
        except ImportError:
            raise ModelError("This ONNX Runtime has no products of 4 bits (MatMulNBits); update it.") from None
        model = _as_products(_ready(content))
        quantizer = MatMulNBitsQuantizer(model, bits=4, block_size=block, is_symmetric=True, accuracy_level=4)
        quantizer.process()
    small = quantizer.model.model
    if not any(node.op_type == "MatMulNBits" for node in small.graph.node):
        raise ModelError("The network has no linear layer whose weights could be stored in 4 bits.")
    return bytes(small.SerializeToString())


def _as_products(model: Any) -> Any:
    """Return the graph with each linear layer as a product and a sum, as the quantizer expects."""
    from onnx import helper, numpy_helper

    graph = model.graph
    arrays = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        said = {attribute.name: attribute for attribute in node.attribute}
        plain = all(abs(said[name].f - 1) < 1e-9 for name in ("alpha", "beta") if name in said)
        plain = plain and not ("transA" in said and said["transA"].i)
        if node.op_type != "Gemm" or node.input[1] not in arrays or not plain:
            nodes.append(node)
            continue
        name, product = f"{node.input[1]}_turned", f"{node.output[0]}_product"
        weight = numpy_helper.to_array(arrays[node.input[1]])
        turned = "transB" in said and bool(said["transB"].i)
        arrays[name] = numpy_helper.from_array((weight.T if turned else weight).copy(), name)
        biased = len(node.input) > 2
        nodes.append(helper.make_node("MatMul", [node.input[0], name], [product if biased else node.output[0]]))
        if biased:
            nodes.append(helper.make_node("Add", [product, node.input[2]], list(node.output)))
    read = {name for node in nodes for name in node.input} | {output.name for output in graph.output}
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensor for name, tensor in arrays.items() if name in read)
    return model


def refuse_untouched(content: bytes, what: str) -> bytes:
    """Return a quantized graph, of which a share of the weights are whole numbers that is worth it.

    Raises ModelError, naming the way out, when nearly all stayed as they were.
    """
    onnx = need("onnx", "onnx")
    from onnx import numpy_helper

    graph = onnx.load_from_string(content).graph
    fours = {node.input[1] for node in graph.node if node.op_type == "MatMulNBits"}
    whole = total = 0
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.ndim < 2 or array.dtype.kind not in "fiu" or array.dtype == "int64":
            continue
        size = array.size * (2 if tensor.name in fours else 1)
        total += size
        whole += size if array.dtype.itemsize == 1 else 0
    if total and whole < LEAST_SHARE * total:
        kinds = sorted({node.op_type for node in graph.node} & set(RECURRENT))
        way = {"LSTM": "Int8(kind='dynamic') rounds those of an LSTM; ", "GRU": "", "RNN": ""}
        told = f" ({', '.join(kinds)})" if kinds else ""
        raise ModelError(
            f"{what} would leave {1 - whole / total:.0%} of the weights in 32 bits{told}, so the file would not become "
            f"smaller. {''.join(way[kind] for kind in kinds)}Int8(kind='weights') rounds the weights of linear layers, "
            "convolutions, recurrent layers and embeddings, HalfPrecision those of any."
        )
    return content


def _ready(content: bytes) -> Any:
    """Return the graph, in which weights that operations turn or sort first are constants.

    Such are those of recurrent layers, and an embedding's that the last layer of a language model shares.
    """
    onnx = need("onnx", "onnx")
    model = onnx.load_from_string(content)
    held = {tensor.name for tensor in model.graph.initializer}
    turned = {node.output[0] for node in model.graph.node if node.op_type == "Transpose" and node.input[0] in held}
    used = {name for node in model.graph.node if node.op_type in ("MatMul", "Gemm") for name in node.input[1:2]}
    if turned & used or any(node.op_type in RECURRENT for node in model.graph.node):
        return onnx.load_from_string(_by_files(content, _copied))
    return model


def _copied(source: str, target: str) -> None:
    write_bytes(Path(target), Path(source).read_bytes())


def _weights_of(node: Any) -> tuple[int, ...]:
    """Return which inputs of a node are weights."""
    places = (1, 2) if node.op_type in RECURRENT else (1,)
    return tuple(at for at in places if at < len(node.input))


def _channel_axis(node: Any) -> int | None:
    """Return which axis of a node's weights counts its output channels; None for nodes without weights."""
    if node.op_type == "Conv":
        return 0
    if node.op_type == "Gemm":
        return 0 if any(attribute.name == "transB" and attribute.i for attribute in node.attribute) else 1
    return 1 if node.op_type in ("MatMul", *RECURRENT) else None


def _by_files(content: bytes, work: Callable[[str, str], None]) -> bytes:
    """Quantize the graph, after folding its batch normalization into the layers."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        source, ready, small = (Path(folder) / f"{stage}.onnx" for stage in ("source", "ready", "small"))
        write_bytes(source, content)
        try:
            _make_ready(str(source), str(ready))
            work(str(ready), str(small))
        except Exception as problem:  # the quantizer's errors share no base below Exception
            raise ModelError(f"ONNX Runtime could not quantize the graph: {shorten(problem, 300)}") from problem
        return small.read_bytes()


def _make_ready(source: str, ready: str) -> None:
    """Fold what can be folded, with the sizes of tensors where ONNX Runtime finds them; of some masks it does not."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    try:
        quant_pre_process(source, ready)
    except Exception:  # a step that is left out below has failed, or the same error is raised again
        quant_pre_process(source, ready, skip_symbolic_shape=True)


class _Reader:
    """Feed calibration rows to the quantizer by its interface: one feed per call, then None."""

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
        """Part of the interface; one feed has all rows."""

    def __len__(self) -> int:
        return 1
