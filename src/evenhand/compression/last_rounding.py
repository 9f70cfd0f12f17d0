"""A graph in 8 bits whose answer stays as the last layer gives it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import need

if TYPE_CHECKING:
    from collections.abc import Iterable

SHAPES: Final = ("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity")
"""Nodes that give the numbers that they are given."""


def without_last_rounding(content: bytes) -> bytes:
    """Return the graph without the rounding of its answer to 8 bits, which costs time and makes classes tie.

    Quantizers round what each node gives; after the last one no node gains by it.
    """
    model = need("onnx", "onnx").load_from_string(content)
    nodes = list(model.graph.node)
    made = {name: node for node in nodes for name in node.output}
    users = Counter(name for node in nodes for name in node.input)
    answer = name = str(model.graph.output[0].name)
    reader: Any = None
    while (node := made.get(name)) is not None:
        if node.op_type in SHAPES:
            reader, name = node, node.input[0]
            continue
        rounded = made.get(node.input[0]) if node.op_type == "DequantizeLinear" else None
        shared = users[name] > (0 if reader is None else 1)
        if rounded is None or rounded.op_type != "QuantizeLinear" or shared or rounded.input[0] not in made:
            break
        exact = str(rounded.input[0])
        nodes = [each for each in nodes if each is not node and (each is not rounded or users[rounded.output[0]] > 1)]
        if reader is None:
            _rename(nodes, exact, answer)
            made[answer], users[answer] = made[exact], users[exact] - 1
        else:
            reader.input[0] = name = exact
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return bytes(model.SerializeToString())


def _rename(nodes: Iterable[Any], old: str, new: str) -> None:
    """Give a tensor of a graph another name."""
    for node in nodes:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
