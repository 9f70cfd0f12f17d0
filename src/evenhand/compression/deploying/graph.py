"""An ONNX graph that is written node by node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from evenhand.errors import need

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

OPSET: Final = 20
"""The version of the operators, where no network brings its own."""
TREES_OPSET: Final = 5
"""That of the operators of machine learning: trees in double precision are of version 5."""
IR: Final = 10
"""The version of the file's own form."""
OWN: Final = "evenhand/"
"""What names of our own values begin with, so that no column is called so."""


@dataclass(slots=True)
class Graph:
    """Nodes, constants and inputs; every value has a name of its own."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    opset: int = OPSET
    """The version of the operators."""

    def put(self, op: str, *inputs: str, domain: str = "", outputs: int = 1, **settings: object) -> str:
        """Add a node and return the name of its first output."""
        onnx = need("onnx", "onnx")
        names = [f"{OWN}{len(self.nodes)}.{place}" for place in range(outputs)]
        self.nodes.append(onnx.helper.make_node(op, [*inputs], names, domain=domain, **settings))
        return names[0]

    def constant(self, array: NDArray[np.generic]) -> str:
        """Add a constant and return its name."""
        need("onnx", "onnx")
        from onnx import numpy_helper

        name = f"{OWN}constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def take(self, name: str, kind: int) -> str:
        """Declare an input of one value a row, and return its name."""
        onnx = need("onnx", "onnx")
        self.inputs.append(onnx.helper.make_tensor_value_info(name, kind, ["rows"]))
        return name

    def give(self, value: str, name: str, kind: int, several: bool = False) -> None:
        """Declare an output: one value a row, or one a class."""
        onnx = need("onnx", "onnx")
        self.nodes.append(onnx.helper.make_node("Identity", [value], [name]))
        shape = ["rows", "classes"] if several else ["rows"]
        self.outputs.append(onnx.helper.make_tensor_value_info(name, kind, shape))

    def to_bytes(self, entries: dict[str, str]) -> bytes:
        """Return the file, with text entries in its metadata; the same graph gives the same bytes."""
        onnx = need("onnx", "onnx")
        made = onnx.helper.make_graph(self.nodes, "model", self.inputs, self.outputs, self.constants)
        newer = any(node.op_type == "TreeEnsemble" for node in self.nodes)
        versions = [
            onnx.helper.make_opsetid("", self.opset),
            onnx.helper.make_opsetid("ai.onnx.ml", TREES_OPSET if newer else 3),
        ]
        model = onnx.helper.make_model(made, opset_imports=versions, ir_version=IR, producer_name="evenhand")
        for key, value in sorted(entries.items()):
            model.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))
