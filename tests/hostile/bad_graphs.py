"""Malicious ONNX files, made by code: what a file declares and does not hold, and what only running it shows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
HUGE = 1 << 62
X = helper.make_tensor_value_info("x", FLOAT, ["rows", 2])
Y = helper.make_tensor_value_info("y", FLOAT, ["rows", 1])
CONDITION = numpy_helper.from_array(np.array(True), "cond")


def array(name: str, values: Any, dtype: str = "float32") -> TensorProto:
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def node(kind: str, given: str, made: str, **more: Any) -> NodeProto:
    return helper.make_node(kind, given.split(), made.split(), **more)


SCORE = (node("ReduceMean", "x", "m", axes=[1], keepdims=1), node("Sigmoid", "m", "s"))
"""The honest part: a score of each row."""


def proto(*nodes: NodeProto, held: Any = (), puts: Any = (X,), ends: Any = (Y,), **more: Any) -> ModelProto:
    graph = helper.make_graph(list(nodes), "graph", list(puts), list(ends), list(held))
    known = {"opset_imports": [helper.make_opsetid("", 17)], "ir_version": 8}
    return helper.make_model(graph, **{**known, **more})


def file(*nodes: NodeProto, **more: Any) -> bytes:
    return bytes(proto(*nodes, **more).SerializeToString())


def plus(*nodes: NodeProto, held: Any = (), **more: Any) -> bytes:
    """A file whose score is the honest one and "k", a number that the nodes make."""
    return file(*SCORE, *nodes, node("Add", "s k", "y"), held=held, **more)


HONEST = file(*SCORE[:1], node("Sigmoid", "m", "y"))


def tensor(held: bool = True, **changed: Any) -> bytes:
    """A file with one tensor of its own; `held` as an initializer, else in a node."""
    one = TensorProto(name="k", data_type=FLOAT)
    for name, value in changed.items():
        if name == "external":
            one.external_data.add(key="location", value=value)
            one.data_location = TensorProto.EXTERNAL
        elif isinstance(value, list):
            getattr(one, name).extend(value)
        else:
            setattr(one, name, value)
    return plus(held=[one]) if held else plus(helper.make_node("Constant", [], ["k"], value=one))


def looped(times: int, *inside: NodeProto, first: str = "s") -> bytes:
    """A loop of so many turns over the score."""
    i, c, c2 = (
        helper.make_tensor_value_info(name, kind, [])
        for name, kind in (("i", INT), ("c", TensorProto.BOOL), ("c2", TensorProto.BOOL))
    )
    v, v2 = (helper.make_tensor_value_info(name, FLOAT, [f"{name}_rows", f"{name}_columns"]) for name in ("v", "v2"))
    body = helper.make_graph(
        [*(inside or (node("Add", "v v", "v2"),)), node("Identity", "c", "c2")], "b", [i, c, v], [c2, v2]
    )
    held = [array("times", times, "int64"), CONDITION, array("zero", [[0.0]])]
    return plus(node("Loop", f"times cond {first}", "k", body=body), held=held)


def shaped(kind: str, size: list[int], **more: Any) -> bytes:
    """A node that makes a tensor of a size, of which the sum is added."""
    return plus(
        node(kind, "size", "big", **more),
        node("ReduceSum", "big", "k", keepdims=0),
        held=[array("size", size, "int64")],
    )


def grown(kind: str, sizes: Any, **more: Any) -> bytes:
    """A node that makes the rows larger."""
    return plus(
        node(kind, "x size", "big", **more),
        node("ReduceMean", "big", "k", keepdims=0),
        held=[array("size", sizes, "int64")],
    )


def doubled(times: int) -> bytes:
    """A score joined with itself again and again."""
    nodes = [node("Concat", f"d{at} d{at}", f"d{at + 1}", axis=1) for at in range(times)]
    return plus(node("Identity", "s", "d0"), *nodes, node("ReduceMean", f"d{times}", "k", axes=[1], keepdims=1))


def deep(depth: int) -> bytes:
    """Graphs within graphs, written as bytes: deeper than any library writes them."""
    inner = b""
    for _ in range(depth):
        for tag in (b"\x32", b"\x2a", b"\x0a"):  # an attribute's graph, a node's attribute, a graph's node
            inner = tag + varint(len(inner)) + inner
    return b"\x08\x08\x3a" + varint(len(inner)) + inner


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def calling(*calls: str) -> bytes:
    """Functions that call each other."""
    functions = [
        helper.make_function("f", name, ["a"], ["b"], [helper.make_node(inner, ["a"], ["b"], domain="f")], OPSETS)
        for name, inner in zip(calls, (*calls[1:], calls[0]), strict=True)
    ]
    first = helper.make_node(calls[0], ["s"], ["k"], domain="f")
    return plus(first, opset_imports=OPSETS, functions=functions)


OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]


def said(text: str) -> bytes:
    """A file that says evenhand wrote it."""
    made = proto(*SCORE[:1], node("Sigmoid", "m", "y"))
    made.metadata_props.add(key="evenhand", value=text)
    return bytes(made.SerializeToString())


ABOUT: dict[str, Any] = {
    "format": 1, "name": "small", "threshold": 0.5, "facts": {},
    "preprocessing": {"rows": 9, "left_out": [], "columns": [
        {"kind": "number", "name": name, "median": 0.0, "mean": 0.5, "scale": 1.0, "missing": 0} for name in "ab"
    ]},
}  # fmt: skip
MARK = json.dumps(ABOUT, separators=(",", ":"))


def marked(old: str, new: str) -> bytes:
    assert old in MARK
    return said(MARK.replace(old, new, 1))


def ends(*nodes: NodeProto, kind: int = FLOAT, shape: Any = ("rows", 1), **more: Any) -> bytes:
    """A file whose answer is made in some other way."""
    return file(*SCORE, *nodes, ends=[helper.make_tensor_value_info("y", kind, shape)], **more)


def sparse() -> bytes:
    made = proto(*SCORE, node("ReduceSum", "big", "k", keepdims=0), node("Add", "s k", "y"))
    one = made.graph.sparse_initializer.add()
    one.values.CopyFrom(array("big", [1.0]))
    one.indices.CopyFrom(array("", [0], "int64"))
    one.dims.extend([1 << 20, 1 << 20])
    return bytes(made.SerializeToString())


def truncated(share: float) -> bytes:
    return HONEST[: int(len(HONEST) * share)]


RAW = bytes(8)

DECLARED: dict[str, bytes] = {
    # numbers kept elsewhere
    "numbers in ../../etc/passwd": tensor(dims=[2], external="../../../../../../etc/passwd"),
    "numbers in /etc/passwd": tensor(dims=[2], external="/etc/passwd"),
    "numbers in /dev/zero": tensor(dims=[1 << 40], external="/dev/zero"),
    "numbers at an address": tensor(dims=[2], external="http://127.0.0.1/numbers"),
    "numbers in this folder": tensor(dims=[2], external="numbers.bin"),
    "numbers elsewhere, in a node": tensor(False, dims=[2], external="/etc/passwd"),
    "numbers nowhere": tensor(dims=[2], data_location=TensorProto.EXTERNAL),
    "numbers here and elsewhere": tensor(dims=[2], raw_data=RAW, external="/etc/passwd"),
    # shapes without numbers
    "a tensor of 2^62": tensor(dims=[HUGE]),
    "a tensor of 2^40 by 2^40": tensor(dims=[1 << 40, 1 << 40], raw_data=RAW),
    "a shape that wraps": tensor(dims=[1 << 32, 1 << 32], raw_data=b""),
    "a shape below 0": tensor(dims=[-2], raw_data=RAW),
    "a shape of 65 axes": tensor(dims=[1] * 64 + [2], raw_data=RAW),
    "three numbers in eight bytes": tensor(dims=[3], raw_data=RAW),
    "one number in eight bytes": tensor(dims=[1], raw_data=RAW),
    "10^9 numbers, two held": tensor(dims=[10**9], float_data=[0.0, 1.0]),
    "10^9 whole numbers, none held": tensor(dims=[10**9], data_type=INT),
    "10^9 halves": tensor(dims=[10**9], data_type=TensorProto.INT4, raw_data=RAW),
    "10^9 texts": tensor(dims=[10**9], data_type=TensorProto.STRING, string_data=[b"a"]),
    "10^9 numbers in a node": tensor(False, dims=[10**9], float_data=[0.0]),
    "an unknown type of 10^12": tensor(dims=[10**12], data_type=99, raw_data=RAW),
    # bytes that are no file
    **{f"{share:.0%} of a file": truncated(share) for share in (0.05, 0.2, 0.4, 0.6, 0.8, 0.95)},
    "field 0": HONEST + b"\x00",
    "a group": HONEST + b"\x0b\x0c",
    "a length past the end": HONEST + b"\x3a\xff\xff\xff\xff\x7f",
    "a number without end": HONEST + b"\x08" + b"\xff" * 20,
    "zeros": b"\x08" + bytes(1 << 20),
    "graphs 2,000 deep": deep(2_000),
    "graphs 40 deep": deep(40),
    "2,000,000 nodes of nothing": b"\x08\x08\x3a" + varint(4_000_000) + b"\x0a\x00" * 2_000_000,
    "a file of the runtime's own format": b"\x08\x00\x00\x00ORTM" + bytes(64),
    "a graph that is a number": b"\x08\x08\x38\x01",
}  # fmt: skip
"""Each has to be refused before any package reads it."""

RUN: dict[str, bytes] = {
    # time
    "a loop of 2^62": looped(HUGE),
    "a loop of 2^62 that is constant": looped(HUGE, node("Identity", "v", "v2"), first="zero"),
    # memory
    "a loop that grows": looped(60, node("Concat", "v v", "v2", axis=1)),
    "a constant of 2^62": shaped("ConstantOfShape", [HUGE]),
    "a constant of 10^9": shaped("ConstantOfShape", [10**9]),
    "a constant that wraps": shaped("ConstantOfShape", [1 << 33, 1 << 33]),
    "rows 10^7 times": grown("Tile", [1, 10**7]),
    "rows 2^62 times": grown("Tile", [1, HUGE]),
    "rows expanded": plus(
        node("Expand", "s size", "big"), node("ReduceMean", "big", "k", axes=[1], keepdims=1),
        held=[array("size", [1, 1 << 36], "int64")],
    ),
    "a range of 2^40": plus(
        node("Range", "from to by", "big"), node("Cast", "big", "f", to=FLOAT),
        node("ReduceMean", "f", "k", keepdims=0),
        held=[array("from", 0, "int64"), array("to", 1 << 40, "int64"), array("by", 1, "int64")],
    ),
    "padded by 2^40": grown("Pad", [0, 0, 0, 1 << 40]),
    "one of 2^40": plus(
        node("OneHot", "at depth pair", "big"), node("ReduceSum", "big", "k", keepdims=0),
        held=[array("at", [1], "int64"), array("depth", 1 << 40, "int64"), array("pair", [0.0, 1.0])],
    ),
    "doubled 40 times": doubled(40),
    "drawn 10^12": plus(
        helper.make_node("RandomNormal", [], ["big"], shape=[10**12]), node("ReduceSum", "big", "k", keepdims=0)
    ),
    "a sparse tensor of 2^40": sparse(),
    "an input of 2^40": file(
        *SCORE[:1], node("Sigmoid", "m", "y"),
        puts=[helper.make_tensor_value_info("x", FLOAT, ["rows", 1 << 40])],
    ),
    # graphs that are none
    "a circle": file(node("Add", "x b", "a"), node("Add", "a x", "b"), node("Identity", "b", "y")),
    "a node of itself": file(node("Add", "x y", "y")),
    "a function of itself": calling("f"),
    "functions of each other": calling("f", "g"),
    "an unknown node": file(node("Evil", "x", "y")),
    "a node of another domain": file(helper.make_node("System", ["x"], ["y"], domain="os")),
    "an opset of 9,999": file(*SCORE[:1], node("Sigmoid", "m", "y"), opset_imports=[helper.make_opsetid("", 9_999)]),
    "a version of 2^60": file(*SCORE[:1], node("Sigmoid", "m", "y"), ir_version=1 << 60),
    "no output": file(*SCORE, ends=()),
    "no input": file(helper.make_node("Constant", [], ["y"], value=array("", [[0.5]])), puts=()),
    "an output that is not made": file(*SCORE),
    "an input that is a number": file(node("Sigmoid", "x", "y"), puts=[helper.make_tensor_value_info("x", FLOAT, [])]),
    "an input of complex numbers": file(
        node("Identity", "x", "y"), puts=[helper.make_tensor_value_info("x", TensorProto.COMPLEX64, ["rows", 2])]
    ),
    # answers that are none
    "one answer for all rows": ends(node("ReduceMean", "s", "y", keepdims=0), shape=()),
    "an answer less": ends(
        node("Slice", "s one end", "y"), held=[array("one", [1], "int64"), array("end", [HUGE], "int64")]
    ),
    "answers that are no number": ends(node("Neg", "s", "n"), node("Log", "n", "y")),
    "answers without end": ends(node("Div", "s zero", "y"), held=[array("zero", [0.0])]),
    "answers of 2": ends(node("Add", "s two", "y"), held=[array("two", [2.0])]),
    "answers that are texts": ends(node("Cast", "s", "y", to=TensorProto.STRING), kind=TensorProto.STRING),
    "answers of three axes": ends(node("Unsqueeze", "s at", "y"), held=[array("at", [1, 2], "int64")], shape=None),
    # what it says of itself
    "said deep": said(MARK.replace('"facts":{}', '"facts":' + "[" * 50_000 + "]" * 50_000)),
    "said 500 deep": marked('"facts":{}', '"facts":{"a":' + "[" * 500 + "]" * 500 + "}"),
    "said with 5,000 digits": marked('"rows":9', '"rows":' + "9" * 5_000),
    "said twice": marked('"format":1', '"format":1,"format":2'),
    "said NaN": marked('"threshold":0.5', '"threshold":NaN'),
    "said half a character": marked('"name":"small"', '"name":"\\ud800"'),
    "said nothing": said('{"preprocessing":null}'),
    "said facts that are none": marked('"facts":{}', '"facts":7'),
    "said columns that are none": marked('"columns":[', '"columns":["a",'),
    "said a format of 999": marked('"format":1', '"format":999'),
    "said another column": marked(
        '"columns":[', '"columns":[{"kind":"number","name":"a","median":0,"mean":0,"scale":1,"missing":1},'
    ),
}  # fmt: skip
"""Each has to be refused, or stopped at its limits."""
