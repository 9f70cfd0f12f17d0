"""A torch network with the weights of a quantized file put back, for what needs gradients."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING

from evenhand.compression.agreement import agreement
from evenhand.compression.compressed import CompressedModel, Twin
from evenhand.data import pick
from evenhand.errors import ModelError, need
from evenhand.training.resized import put

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.findings import Batch
    from evenhand.training import NetworkModel


def make_twin(compressed: CompressedModel, original: NetworkModel, rows: Batch) -> Twin:
    """Return the twin of a quantized model.

    Parameters
    ----------
    compressed : CompressedModel
        By `Int8` of any kind, or `Int4`.
    original : NetworkModel
        The model it was quantized from.
    rows : batch
        Rows to state the agreement on.

    Returns
    -------
    Twin

    Raises
    ------
    ModelError
        When no weight of the file belongs to the network.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.compression import Int8, compress
    >>> from evenhand.training import TrainingConfig, fit
    >>> data = eh.load_loanapp()
    >>> full = fit(data, config=TrainingConfig(epochs=1, hidden=(4,)))
    >>> twin = make_twin(compress(full, Int8(), train=data), full, data.X)
    >>> twin.weights, twin.agreement.rows
    (2, 1971)
    """
    import torch

    from evenhand.training.given import GivenPlan

    network = _folded(original, rows)
    found = list(_whole_numbers(compressed.content))
    left, back = [], 0
    for name, weight in network.named_parameters():
        if weight.ndim < 2:
            continue
        match = _match(weight.detach().numpy(), found)
        if match is None:
            left.append(name)
            continue
        with torch.no_grad():
            weight.copy_(torch.from_numpy(match))
        back += 1
    if not back:
        raise ModelError(f"No weight of '{compressed.name}' is one of '{original.name}' in whole numbers.")
    plan = GivenPlan(original.plan.outputs, network, type(network).__name__)
    model = original.with_network(network, {"recipe": "twin", "weights": back}, plan=plan)
    return Twin(model, agreement(compressed, model, rows), back, tuple(left))


def _folded(original: NetworkModel, batch: Batch) -> nn.Module:
    """Return the network with batch normalization folded, where that leaves its answers as they are."""
    import numpy as np

    from evenhand.training.model import logits

    network = folded(original.network)
    rows = original.prepare(pick(batch, slice(64)))
    same = np.allclose(logits(network, rows), logits(original.network, rows), rtol=1e-3, atol=1e-3)
    return network if same else copy.deepcopy(original.network)


def folded(network: nn.Module) -> nn.Module:
    """Return a copy whose batch normalizations are folded into the layers named before, as in the runtime."""
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

    whole = copy.deepcopy(network).eval()
    leaves = [(name, module) for name, module in whole.named_modules() if not list(module.children())]
    for (name, before), (after, norm) in itertools.pairwise(leaves):
        both: nn.Module | None = None
        if isinstance(before, (nn.Conv1d, nn.Conv2d)) and isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)):
            both = fuse_conv_bn_eval(before, norm)
        elif isinstance(before, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
            both = fuse_linear_bn_eval(before, norm)
        if both is not None:
            put(whole, name, both)
            put(whole, after, nn.Identity())
    return whole


def _match(weight: NDArray[np.float32], found: list[tuple[NDArray[np.float32], float]]) -> NDArray[np.float32] | None:
    """Return the tensor of the file that is this weight, rounded: nowhere further from it than rounding can be."""
    import numpy as np

    alike = [
        (float(np.abs(turned - weight).max()), turned)
        for values, furthest in found
        for turned in (values, values.T)
        if turned.shape == weight.shape and np.abs(turned - weight).max() <= furthest + 1e-6
    ]
    return np.ascontiguousarray(min(alike, key=lambda pair: pair[0])[1]) if alike else None


def _whole_numbers(content: bytes) -> Iterator[tuple[NDArray[np.float32], float]]:
    """Yield each weight tensor of the file as the float32 that it encodes, and how far rounding may have moved it.

    That is half a step, and with 4 bits a whole one, as the steps end at 7 and the largest weight may be at 8.
    """
    import numpy as np

    onnx = need("onnx", "onnx")
    from onnx import numpy_helper

    graph = onnx.load_from_string(content).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for name, whole in arrays.items():
        scale = arrays.get(name.removesuffix("_quantized") + "_scale")
        if name.endswith("_quantized") and whole.ndim > 1 and scale is not None:
            for axis in (0, whole.ndim - 1):
                if scale.ndim == 0 or len(scale) in (1, whole.shape[axis]):
                    shape = [-1 if at == axis else 1 for at in range(whole.ndim)]
                    yield np.asarray(whole * scale.reshape(shape), dtype=np.float32), 0.51 * float(scale.max())
    for node in graph.node:
        if node.op_type == "MatMulNBits":
            yield _of_four_bits(node, arrays)


def _of_four_bits(node: object, arrays: dict[str, NDArray[np.generic]]) -> tuple[NDArray[np.float32], float]:
    import numpy as np

    inputs = list(node.input)  # type: ignore[attr-defined]
    size = {entry.name: entry.i for entry in node.attribute}  # type: ignore[attr-defined]
    packed, scale = arrays[inputs[1]], arrays[inputs[2]].astype(np.float32).reshape(size["N"], -1)
    low, high = packed.astype(np.int16) & 15, packed.astype(np.int16) >> 4
    whole = np.stack([low, high], axis=-1).reshape(size["N"], scale.shape[1], size["block_size"]) - 8
    values = (whole * scale[:, :, None]).reshape(size["N"], -1)[:, : size["K"]]
    return np.asarray(values, dtype=np.float32), 1.01 * float(np.abs(scale).max())
